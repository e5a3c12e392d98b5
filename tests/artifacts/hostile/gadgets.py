"""What the pickles of advisories import and call; with what, is of no matter."""

from tests.artifacts.archives import pack
from tests.artifacts.hostile.base import Hostile, text

# The module, and the name in it as STACK_GLOBAL follows it.
_CALLED = """
    os:popen posix:system nt:system subprocess:Popen pty:spawn runpy:run_path
    code:InteractiveInterpreter.runcode builtins:exec builtins:compile builtins:getattr
    builtins:__import__ __builtin__:execfile importlib:import_module pkgutil:resolve_name
    operator:attrgetter operator:methodcaller functools:reduce timeit:timeit cProfile:run profile:run
    bdb:Bdb.run pdb:run trace:Trace.run ensurepip:_run_pip pip:main pydoc:locate pydoc:pipepager
    idlelib.autocomplete:AutoComplete.get_entity idlelib.pyshell:ModifiedInterpreter.runcode
    lib2to3.pgen2.grammar:Grammar.loads doctest:debug_script
    asyncio.unix_events._UnixSubprocessTransport:_start linecache:getlines logging.config:_resolve
    distutils.file_util:write_file ssl:get_server_certificate urllib.request:urlopen
    socket:create_connection ctypes:CDLL marshal:loads types:CodeType zipimport:zipimporter
    sqlite3:connect shutil:rmtree tempfile:mktemp webbrowser:open numpy:load
    numpy.f2py.crackfortran:getlincoef numpy.f2py.crackfortran:_eval_length
    numpy.testing._private.utils:runstring pandas:read_pickle pandas:eval pandas.io.pickle:read_pickle
    joblib:load joblib.parallel:Parallel torch:load torch.hub:load torch._dynamo.guards:GuardBuilder.get
    torch.fx.experimental.symbolic_shapes:ShapeEnv.evaluate_guards_expression
    torch.jit.unsupported_tensor_ops:execWrapper torch.utils._config_module:ConfigModule.load_config
    torch.utils.bottleneck.__main__:run_cprofile torch.utils.collect_env:run
    torch.storage:_load_from_bytes torch._inductor.codecache:compile_file torch.serialization:load
    sklearn.base:BaseEstimator.__init__.__globals__ collections:OrderedDict.__reduce__
    builtins:object.__subclasses__
"""


def _call(module: str, name: str) -> bytes:
    return b"\x80\x04" + text(module) + text(name) + b"\x93" + text("x") + b"\x85R."


GADGETS = {
    f"gadget {path}": Hostile(
        pack(("model.pkl", _call(*path.split(":")))), "unsafe-pickle", path.replace(":", ".")
    )
    for path in _CALLED.split()
}

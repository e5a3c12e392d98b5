"""Which imports of a pickle are known to be harmless, and which condemn it.

Trusted is what the pickles of ordinary models consist of and what does no more, called with any arguments and
given any state, than build an object of data. So a module is trusted for its classes only, never for its
functions, and only where none of its classes compiles or imports what its state says: scipy.stats is not
here, for its distributions `exec` a template out of their state.
"""

import re
from typing import Final

from endpoint_deploy.artifacts.values import Global


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


_BUILTINS: Final = (
    "bool bytearray bytes complex dict float frozenset int list object range set slice str tuple"
)

_EXACT: Final[dict[str, str]] = {
    "builtins": _BUILTINS,
    "__builtin__": f"{_BUILTINS} long unicode",
    "_codecs": "encode",  # how protocol 2 writes bytes
    "collections": "Counter OrderedDict defaultdict deque",
    "copy_reg": "_reconstructor",
    "copyreg": "_reconstructor",
    "datetime": "date datetime time timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "joblib.numpy_pickle": "NumpyArrayWrapper",
    "lightgbm.basic": "Booster",
    "lightgbm.sklearn": "LGBMClassifier LGBMModel LGBMRanker LGBMRegressor",
    "numpy": "bool bool_ complex64 complex128 datetime64 dtype float16 float32 float64 int8 int16 int32 "
    "int64 ndarray timedelta64 uint8 uint16 uint32 uint64",
    "numpy._core.multiarray": "_reconstruct scalar",
    "numpy._core.numeric": "_frombuffer",
    "numpy.core.multiarray": "_reconstruct scalar",
    "numpy.core.numeric": "_frombuffer",
    "numpy.ma": "MaskedArray",
    "numpy.ma.core": "MaskedArray _mareconstruct",
    "numpy.random._mt19937": "MT19937",
    "numpy.random._pcg64": "PCG64 PCG64DXSM",
    "numpy.random._philox": "Philox",
    "numpy.random._pickle": "__bit_generator_ctor __generator_ctor __randomstate_ctor",
    "numpy.random._sfc64": "SFC64",
    "numpy.random.bit_generator": "SeedSequence __pyx_unpickle_SeedSequence",
    # Not pyarrow's arrays, which hold pandas' texts: they are restored from buffers that nothing checks.
    "pandas": "BooleanDtype Categorical CategoricalDtype CategoricalIndex DataFrame DatetimeIndex "
    "DatetimeTZDtype Float32Dtype Float64Dtype Index Int16Dtype Int32Dtype Int64Dtype Int8Dtype Interval "
    "IntervalDtype IntervalIndex MultiIndex NA NaT PeriodDtype RangeIndex Series StringDtype Timedelta "
    "Timestamp",
    "pandas.arrays": "BooleanArray DatetimeArray FloatingArray IntegerArray IntervalArray TimedeltaArray",
    "pandas.core.indexes.datetimes": "DatetimeIndex _new_DatetimeIndex",
    "pandas._libs.arrays": "__pyx_unpickle_NDArrayBacked",
    "pandas._libs.internals": "_unpickle_block",
    "pandas._libs.tslibs.timestamps": "_unpickle_timestamp",
    "pandas.core.indexes.base": "Index _new_Index",
    "pandas.core.indexes.multi": "MultiIndex",
    "pandas.core.indexes.range": "RangeIndex",
    "pandas.core.arrays.categorical": "Categorical",
    "pandas.core.arrays.string_": "StringArray StringDtype",
    "pandas.core.dtypes.dtypes": "CategoricalDtype",
    "pandas.core.frame": "DataFrame",
    "pandas.core.internals.blocks": "new_block",
    "pandas.core.internals.managers": "BlockManager SingleBlockManager",
    "pandas.core.series": "Series",
    "scipy._lib.array_api_compat.numpy._aliases": "asarray",  # in every BSpline
    "scipy.interpolate._bsplines": "BSpline",
    "scipy.interpolate._cubic": "Akima1DInterpolator CubicSpline PchipInterpolator",
    "scipy.interpolate._interpolate": "PPoly interp1d",
    "sklearn.metrics._dist_metrics": "newObj",
    "sklearn.neighbors._ball_tree": "newObj",
    "sklearn.neighbors._kd_tree": "newObj",
    "sklearn.utils": "Bunch",
    "sklearn.utils._bunch": "Bunch",
    "sklearn.utils._metadata_requests": "MetadataRequest MethodMetadataRequest",
    "torch": "BFloat16Storage BoolStorage ByteStorage CharStorage ComplexDoubleStorage ComplexFloatStorage "
    "DoubleStorage FloatStorage HalfStorage IntStorage LongStorage ShortStorage Size bfloat16 bool complex64 "
    "complex128 device float float16 float32 float64 half int int8 int16 int32 int64 uint8",
    "torch._utils": "_rebuild_parameter _rebuild_parameter_with_state _rebuild_tensor _rebuild_tensor_v2",
    "torch.nn.parameter": "Parameter",
    "torch.storage": "TypedStorage UntypedStorage",
    "xgboost.core": "Booster",
    "xgboost.sklearn": "XGBClassifier XGBModel XGBRanker XGBRFClassifier XGBRFRegressor XGBRegressor",
}
_TRUSTED: Final = {module: _words(names) for module, names in _EXACT.items()}

# Classes by their spelling; Cython's own reconstructors build one such class each.
_CLASS: Final = re.compile(r"^(_?[A-Z][A-Za-z0-9_]*|__pyx_unpickle_[A-Z][A-Za-z0-9_]*)$")
_CLASSES_OF: Final = re.compile(r"^sklearn(\.[A-Za-z0-9_]+)+$")
# Not of these: they download, write files, start threads or connections, or carry other packages' code along,
# and a module's own imports can be had through it (`sklearn.callback` has multiprocessing's Client).
_NOT_OF: Final = re.compile(
    r"\.(callback|conftest|datasets|externals|tests?|utils|_[a-z]*build[a-z_]*)(\.|$)"
)
_SPARSE: Final = re.compile(r"^scipy\.sparse\.(_?[a-z]+)$")
_SPARSE_CLASS: Final = re.compile(r"^(bsr|coo|csc|csr|dia|dok|lil)_(array|matrix)$")

_CONDEMNED_MODULES: Final = _words("""
    _aix_support _asyncio _ctypes _multiprocessing _osx_support _pickle _posixsubprocess _socket _sqlite3
    _ssl _thread _winapi aiohttp asyncio bdb cProfile cgitb code codeop commands ctypes doctest ensurepip
    fileinput ftplib gc http httplib httpx idlelib imaplib imp importlib lib2to3 linecache mailcap marshal
    mmap modulefinder multiprocessing nntplib nt os pdb pickle pip pkgutil platform popen2 poplib posix
    posixpath profile pty pyclbr pydoc requests runpy setuptools shelve shutil signal smtplib socket
    socketserver sqlite3 ssl subprocess sys tarfile telnetlib tempfile threading timeit tkinter trace
    turtledemo types unittest urllib urllib2 urllib3 venv webbrowser wsgiref xmlrpc zipapp zipfile zipimport
""")
# Packages of libraries that models do use, which themselves run, load or fetch what they are told: gadgets of
# the advisories against scanners that list what is bad.
_CONDEMNED_PACKAGES: Final = re.compile(
    r"^(distutils\.(archive_util|dir_util|file_util|spawn|util)|joblib\.(externals|func_inspect|memory|parallel)"
    r"|logging\.config|numpy\.(distutils|f2py|testing)|pandas\.(core\.computation|io)|test\.support"
    r"|torch\.(_dynamo|_inductor|distributed\.(elastic|launch|rpc|run)|fx\.experimental|hub"
    r"|jit\.unsupported_tensor_ops|package|serialization|testing"
    r"|utils\.(_config_module|bottleneck|collect_env|cpp_extension|data\.datapipes)))(\.|$)"
)
# What leads from any object to its module's globals, and from there everywhere.
_WAYS_OUT: Final = _words("""
    __base__ __bases__ __builtins__ __call__ __class__ __closure__ __code__ __dict__ __getattribute__
    __globals__ __loader__ __mro__ __reduce__ __reduce_ex__ __self__ __spec__ __subclasses__
""")
_CONDEMNED_BUILTINS: Final = _words("""
    __import__ apply breakpoint compile delattr eval exec execfile file getattr globals input locals map open
    setattr vars
""")
_CONDEMNED: Final[dict[str, frozenset[str]]] = {
    "__builtin__": _CONDEMNED_BUILTINS,
    "builtins": _CONDEMNED_BUILTINS,
    "functools": _words("reduce"),
    "joblib": _words("load Memory Parallel"),
    "joblib.numpy_pickle": _words("load"),
    "numpy": _words("fromfile load memmap save savetxt"),
    "operator": _words("attrgetter methodcaller"),
    "pandas": _words("eval read_pickle"),
    "pandas.io.pickle": _words("read_pickle"),
    "torch": _words("load"),
    "torch.hub": _words("load"),
    "torch.serialization": _words("load"),
    "torch.storage": _words("_load_from_bytes"),
}


def is_trusted(imported: Global) -> bool:
    """Whether an import is part of what ordinary models are pickled as."""
    module, name = imported
    if name in _TRUSTED.get(module, ()):
        return True
    if _CLASSES_OF.match(module) and not _NOT_OF.search(module):
        return bool(_CLASS.match(name))
    return bool(_SPARSE.match(module) and _SPARSE_CLASS.match(name))


def is_condemned(imported: Global) -> bool:
    """Whether an import has no place in a model: it runs code, loads it, or reaches outside."""
    module, name = imported
    parts = name.split(".")  # as STACK_GLOBAL follows them, from attribute to attribute
    return bool(
        module.partition(".")[0] in _CONDEMNED_MODULES
        or _CONDEMNED_PACKAGES.match(module)
        or parts[0] in _CONDEMNED.get(module, ())
        or not _WAYS_OUT.isdisjoint(parts)
    )

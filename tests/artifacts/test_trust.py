"""The list of trusted imports, held against the libraries as they are installed."""

import importlib
import pkgutil
import warnings
from collections.abc import Iterator

import pytest
import sklearn

from endpoint_deploy.artifacts.trust import is_condemned, is_trusted
from endpoint_deploy.artifacts.values import Global

# What their modules import from elsewhere and what can be called with anything: abstract or plain data.
HARMLESS = {
    "_io",
    "abc",
    "collections",
    "collections.abc",
    "inspect",
    "numbers",
    "typing",
    "_cyutility",
    "enum",
}


def trusted_callables() -> Iterator[tuple[str, object]]:
    for found in pkgutil.walk_packages(sklearn.__path__, "sklearn."):
        if not is_trusted(Global(found.name, "Any")):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecated modules say so when they are imported
            module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if is_trusted(Global(found.name, name)) and callable(value):
                yield f"{found.name}.{name}", value


def test_a_trusted_module_lends_out_nothing_dangerous():
    callables = dict(trusted_callables())
    assert len(callables) > 500
    borrowed = {
        path: value.__module__
        for path, value in callables.items()
        if getattr(value, "__module__", None) not in HARMLESS
        and not str(getattr(value, "__module__", "")).startswith(
            ("sklearn.", "scipy.", "numpy", "View.Memory")
        )
    }
    assert borrowed == {}


@pytest.mark.parametrize(
    "path",
    [
        "sklearn.callback._transport.Client",
        "sklearn.utils._available_if.MethodType",
        "sklearn.datasets._base.Bunch",
        "sklearn.externals._arff.ArffDecoder",
        "sklearn.linear_model._logistic._fit_liblinear",
        "sklearn.linear_model._logistic.np.load",
        "scipy.stats._distn_infrastructure.rv_continuous_frozen",
        "joblib.parallel.Parallel",
        "numpy.load",
        "sklearnevil.Model",
    ],
)
def test_not_trusted(path):
    module, _, name = path.rpartition(".")
    assert not is_trusted(Global(module, name))


def test_nothing_is_both_trusted_and_condemned():
    for imported in [
        Global("builtins", "list"),
        Global("numpy", "dtype"),
        Global("torch.storage", "UntypedStorage"),
    ]:
        assert is_trusted(imported)
        assert not is_condemned(imported)
    for imported in [Global("builtins", "eval"), Global("os.path", "join"), Global("subprocess", "Popen")]:
        assert is_condemned(imported)
        assert not is_trusted(imported)

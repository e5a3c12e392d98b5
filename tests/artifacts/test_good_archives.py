"""Ordinary models pass without a word."""

import io
import pickle
import tarfile
from datetime import date
from decimal import Decimal
from functools import cache

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler
from sklearn.svm import SVC

from endpoint_deploy.artifacts import Member, inspect_archive
from local_stack.seed import RELEASES, build
from tests.artifacts.archives import CODE, dumped, info, inspect, link, npz, pack, pieces, zipped

X, Y = load_breast_cancer(return_X_y=True)
X, Y = X[::4, :8], Y[::4]
TEXTS = ["one two three", "two three four", "five"] * 5
FRAME = pd.DataFrame({"c": ["a", "b", "a"], "n": [1.0, 2.0, 3.0]})

ESTIMATORS = {
    "pipeline": make_pipeline(SimpleImputer(), StandardScaler(), PCA(3), LogisticRegression()),
    "random forest": RandomForestClassifier(8, random_state=0),
    "gradient boosting": GradientBoostingClassifier(n_estimators=5, random_state=np.random.RandomState(0)),
    "histogram boosting": HistGradientBoostingClassifier(max_iter=5, random_state=0),
    "isolation forest": IsolationForest(n_estimators=5, random_state=0),
    "support vectors": SVC(),
    "gradient descent": SGDClassifier(random_state=0),
    "kd tree": KNeighborsClassifier(algorithm="kd_tree"),
    "ball tree": KNeighborsClassifier(algorithm="ball_tree", metric="manhattan"),
    "naive bayes": GaussianNB(),
    "gaussian process": GaussianProcessRegressor(),
    "k-means": KMeans(2, n_init=1, random_state=0),
    "splines": make_pipeline(SplineTransformer(), Ridge()),
    "calibrated": CalibratedClassifierCV(GaussianNB(), cv=2),
    "grid search": GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=2),
    "stacking": StackingClassifier([("nb", GaussianNB())], LogisticRegression(), cv=2),
    "network": MLPClassifier((4,), solver="lbfgs", random_state=0),
    "text": make_pipeline(TfidfVectorizer(), LogisticRegression()),
    "columns": ColumnTransformer([("c", OneHotEncoder(), ["c"]), ("n", StandardScaler(), ["n"])]),
}


@cache
def fitted(name):
    match name:
        case "text":
            return ESTIMATORS[name].fit(TEXTS, [1, 0, 1] * 5)
        case "columns":
            return ESTIMATORS[name].fit(FRAME)
        case "network":
            return ESTIMATORS[name].fit(StandardScaler().fit_transform(X), Y)
    return ESTIMATORS[name].fit(X, Y)


DATA = {
    "plain": {
        "a": [1, 2.5, None, True, "x", b"y", 10**30],
        "b": {1, 2},
        "c": (date(2026, 1, 1), Decimal("1.5")),
    },
    "arrays": {kind: np.zeros(5, dtype=kind) for kind in ("f4", "i8", "U7", "?", "M8[s]", "c16", ">f8")},
    "records": np.zeros(3, dtype=[("a", "f8"), ("b", "i4", (2,))]),
    "objects": np.array(["a", None, {"b": 1}], dtype=object),
    "scalars": [np.float32(1), np.int64(2), np.str_("s")],
    "fortran": np.asfortranarray(np.ones((3, 4))),
    "empty": np.empty((0, 3)),
    "no dimension": np.array(1.0),
    "sparse": scipy.sparse.csr_matrix(np.eye(3)),
    "generator": np.random.default_rng(0),
    "random": np.random.RandomState(0),
    "noise": np.random.default_rng(1).integers(0, 256, 200_000).astype("u1"),
    "a large vocabulary": {f"word{number}": number for number in range(110_000)},
}


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize(
    "dump", [pickle.dumps, dumped, lambda m: dumped(m, compress=3)], ids=["pickle", "joblib", "z"]
)
def test_a_scikit_learn_model(name, dump):
    assert inspect(pack(CODE, ("model.joblib", dump(fitted(name)))), script_mode=True).findings == ()


@pytest.mark.parametrize("protocol", range(6))
def test_any_protocol(protocol):
    for name in ("pipeline", "gradient boosting"):
        pickled = pickle.dumps(fitted(name), protocol)
        assert (
            inspect(
                pack(("model.pkl", pickled), ("j.joblib", dumped(fitted(name), protocol=protocol)))
            ).findings
            == ()
        )


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
@pytest.mark.parametrize("dump", [pickle.dumps, dumped], ids=["pickle", "joblib"])
def test_data_of_all_sorts(data, dump):
    assert inspect(pack(("model.pkl", dump(data)))).findings == ()


def test_files_that_are_no_pickles():
    files = [
        ("code/inference.py", b"import os\nclass A:\n    pass\n"),
        ("code/config.py", b"count\nnumber\nx = 1\n"),
        ("code/requirements.txt", b"x^2\nnumpy==2.0\n"),
        ("model.safetensors", b"\x80\x02\0\0\0\0\0\0{}" + bytes(1000)),
        ("weights.bin", np.random.default_rng(2).bytes(100_000)),
        ("arrays.npz", npz(a=np.arange(4), b=np.zeros((2, 2)))),
        ("saved_model.zip", zipped(**{"config.json": b"{}", "weights": bytes(500)})),
        ("empty", b""),
    ]
    assert inspect(pack(*files), script_mode=True).findings == ()


def test_a_state_dict_as_torch_saves_it():
    # Written by hand, as torch is no dependency: OrderedDict(w=_rebuild_tensor_v2(persistent storage, …)).
    pickled = (
        b"\x80\x02ccollections\nOrderedDict\n)R(X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n"
        b"((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04tQK\0K\x04\x85K\x01\x85\x89"
        b"ccollections\nOrderedDict\n)RtRu."
    )
    content = zipped(
        **{"m/data.pkl": pickled, "m/byteorder": b"little", "m/version": b"3\n", "m/data/0": bytes(16)}
    )
    assert inspect(pack(("model.pth", content))).findings == ()


def test_the_manifest():
    directory = info("code", type=tarfile.DIRTYPE, mode=0o755)
    report = inspect(
        pack(
            directory, CODE, ("a.bin", bytes(100)), link("b.bin", "a.bin"), link("c.bin", "a.bin", hard=True)
        )
    )
    assert report.findings == ()
    assert report.members == (
        Member("code", 0, "dir", 0o755),
        Member("code/inference.py", len(CODE[1]), "file", 0o644),
        Member("a.bin", 100, "file", 0o644),
        Member("b.bin", 0, "symlink", 0o644),
        Member("c.bin", 0, "hardlink", 0o644),
    )
    assert not report.refused
    assert not report.held
    assert report.unpacked_size == 10240


@pytest.mark.parametrize("layout", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_in_every_format_of_tar(layout):
    name = f"{'d' * 90}/{'f' * 90}.bin"
    report = inspect(pack((name, b"x"), link("l" * 30, name if len(name) <= 100 else "a"), layout=layout))
    assert report.findings == ()
    assert report.members[0].name == name


def test_what_tar_itself_writes(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text("")
    (tmp_path / "é.bin").write_bytes(bytes(3000))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        archive.add(tmp_path, arcname=".")
    report = inspect(out.getvalue(), script_mode=True)
    assert report.findings == ()
    assert sorted(member.name for member in report.members) == [
        ".",
        "./code",
        "./code/inference.py",
        "./é.bin",
    ]


@pytest.mark.parametrize("size", [1, 7, 512, 4096])
def test_chunks_of_any_size(size):
    data = pack(CODE, ("model.joblib", dumped(fitted("pipeline"))))
    assert inspect_archive(pieces(data, size), script_mode=True) == inspect(data, script_mode=True)


@pytest.mark.parametrize(("name", "release"), RELEASES)
def test_the_shipped_examples(name, release, tmp_path):
    report = inspect(build(name, release, tmp_path).path.read_bytes(), script_mode=True)
    assert report.findings == ()

"""A corpus of good archives: what real frameworks write, in the versions that are installed here.

Keras and PyTorch are too large to be installed for it: their files are laid out as theirs are.
"""

import io
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import joblib
import lightgbm
import numpy as np
import onnx
import onnx.numpy_helper
import pandas as pd
import safetensors.numpy
import scipy.sparse
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from tests.artifacts.archives import dumped, npy, npz, tar, zipped
from tests.artifacts.hostile.keras import hdf5, keras_file, layer

_RANDOM = np.random.default_rng(0)
X = _RANDOM.random((60, 4))
Y = (X[:, 0] > 0.5).astype(int)
_FRAME = pd.DataFrame({"city": ["Oslo", "Rome", "Oslo"] * 20, "size": X[:, 0]})


def corpus(folder: Path) -> dict[str, dict[str, bytes]]:
    """By name, the files of an archive; `folder` is for libraries that write to paths only."""
    return dict([*_scikit_learn(), *_boosters(folder), *_arrays(), *_torch(), *_keras(), *_others()])


def _scikit_learn() -> Iterator[tuple[str, dict[str, bytes]]]:
    columns = ColumnTransformer([("c", OneHotEncoder(), ["city"]), ("s", StandardScaler(), ["size"])])
    models = {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y),
        "random forest": RandomForestClassifier(4, random_state=0).fit(X, Y),
        "histogram boosting": HistGradientBoostingClassifier(max_iter=3).fit(X, Y),
        "nearest neighbours": KNeighborsClassifier(algorithm="kd_tree").fit(X, Y),
        "support vectors": SVC().fit(X, Y),
        "columns of a frame": make_pipeline(columns, LogisticRegression()).fit(_FRAME, Y),
        "text": make_pipeline(CountVectorizer(), LogisticRegression()).fit(["a bc", "de"] * 5, [0, 1] * 5),
    }
    for name, model in models.items():
        yield f"scikit-learn {name}", {"model.joblib": dumped(model)}
    forest = models["random forest"]
    yield "scikit-learn by pickle", {"model.pkl": pickle.dumps(forest)}
    yield "scikit-learn by protocol 2", {"model.pkl": pickle.dumps(forest, 2)}
    for method in ("zlib", "gzip", "bz2", "xz", "lzma"):
        yield f"scikit-learn by joblib's {method}", {"model.joblib": dumped(forest, compress=(method, 3))}


def _boosters(folder: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    xgb = xgboost.XGBClassifier(n_estimators=3).fit(X, Y)
    for suffix in ("json", "ubj"):
        xgb.save_model(folder / f"model.{suffix}")
        yield f"XGBoost {suffix}", {f"xgboost-model.{suffix}": (folder / f"model.{suffix}").read_bytes()}
    yield "XGBoost booster by pickle", {"xgboost-model": pickle.dumps(xgb.get_booster())}
    yield "XGBoost classifier by joblib", {"model.joblib": dumped(xgb, compress=3)}
    lgb = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, min_child_samples=2).fit(X, Y)
    yield "LightGBM text", {"model.txt": lgb.booster_.model_to_string().encode()}
    yield "LightGBM classifier by joblib", {"model.joblib": dumped(lgb)}
    yield "LightGBM booster by pickle", {"model.pkl": pickle.dumps(lgb.booster_)}


def _arrays() -> Iterator[tuple[str, dict[str, bytes]]]:
    yield "NumPy npy", {"weights.npy": npy(X)}
    yield "NumPy npz", {"weights.npz": npz(a=X, b=Y)}
    yield "NumPy array of texts as objects", {"labels.npy": npy(np.array(["yes", "no", None], dtype=object))}
    yield "NumPy records by joblib", {"r.joblib": dumped(np.zeros(3, dtype=[("a", "f8"), ("b", "i4", (2,))]))}
    yield "SciPy sparse matrix by pickle", {"m.pkl": pickle.dumps(scipy.sparse.csr_matrix(np.eye(3)))}
    yield (
        "pandas frame by pickle",
        {"lookup.pkl": pickle.dumps(pd.DataFrame({0: [1.5, 2.0]}))},
    )
    days = pd.DataFrame({0: [1, 2]}, index=pd.to_datetime(["2026-01-01", "2026-01-02"], utc=True))
    yield "pandas frame of days by joblib", {"days.joblib": dumped(days)}
    yield "safetensors", {"model.safetensors": safetensors.numpy.save({"a": X.astype("f4")})}
    yield "ONNX", {"model.onnx": _onnx()}


def _onnx() -> bytes:
    helper = onnx.helper
    weights = onnx.numpy_helper.from_array(X[:4].astype("f4"), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "linear",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 4])],
        [weights],
    )
    content: bytes = helper.make_model(graph).SerializeToString()
    return content


# OrderedDict(w=_rebuild_tensor_v2(persistent storage, …)), as torch.save writes it.
_STATE = (
    b"\x80\x02ccollections\nOrderedDict\n)R(X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n"
    b"((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04tQK\0K\x04\x85K\x01\x85\x89"
    b"ccollections\nOrderedDict\n)RtRu."
)


def _torch() -> Iterator[tuple[str, dict[str, bytes]]]:
    parts = {"m/data.pkl": _STATE, "m/byteorder": b"little", "m/version": b"3\n", "m/data/0": bytes(16)}
    yield "PyTorch state dict", {"model.pth": zipped(**parts)}
    yield (
        "PyTorch state dict beside a configuration",
        {
            "pytorch_model.bin": zipped(**parts),
            "config.json": json.dumps({"architectures": ["BertModel"], "hidden_size": 768}).encode(),
            "vocab.json": json.dumps({"\u0120the": 1, "\u00e9": 2}).encode(),
        },
    )
    old = (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True})
    head = b"".join(pickle.dumps(each, 2) for each in old)
    yield "PyTorch before zips", {"model.pt": head + _STATE + pickle.dumps(["0"], 2) + bytes(24)}


def _keras() -> Iterator[tuple[str, dict[str, bytes]]]:
    dense = layer(
        "Dense", units=2, activation="relu", kernel_initializer=layer("Zeros", "keras.initializers")
    )
    words = layer("StringLookup", vocabulary=["a", "b"], dtype=layer("DTypePolicy", "keras"))
    yield "Keras", {"model.keras": keras_file(dense, words)}
    yield "Keras weights in HDF5", {"model.weights.h5": hdf5()}
    model = {"class_name": "Sequential", "config": {"layers": [dense]}}
    yield "Keras model in HDF5", {"model.h5": hdf5(json.dumps(model))}


def _others() -> Iterator[tuple[str, dict[str, bytes]]]:
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.create_dataset("x", data=X, compression="gzip")
    yield "HDF5, compressed", {"data.h5": out.getvalue()}
    yield "tar of files", {"assets.tar": tar(("a.txt", b"1"), ("b.npy", npy(X)))}
    code: dict[str, Any] = {
        "code/inference.py": b"import os\nclass A:\n    pass\n",
        "code/requirements.txt": b"x^2\n",
    }
    yield "code and a joblib file", {**code, "model.joblib": dumped({"a": X, "version": joblib.__version__})}

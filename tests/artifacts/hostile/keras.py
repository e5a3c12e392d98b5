"""Keras's models that carry code, or name some."""

import io
import json
from typing import Any

import h5py
import numpy as np

from tests.artifacts.archives import pack, zipped
from tests.artifacts.hostile.base import Hostile


def layer(name: str, module: str = "keras.layers", **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def keras_file(*layers: dict[str, Any], config: bytes | None = None) -> bytes:
    """A `.keras` file, laid out as Keras 3 writes it."""
    model = layer("Sequential", "keras", trainable=True, layers=list(layers))
    return zipped(
        **{
            "metadata.json": b'{"keras_version": "3.15.1", "date_saved": "2026-11-01@00:00:00"}',
            "config.json": config if config is not None else json.dumps(model).encode(),
            "model.weights.h5": hdf5(),
        }
    )


def hdf5(config: str | None = None, **options: Any) -> bytes:
    """An HDF5 file of weights, with Keras's configuration of a model where one is given."""
    out = io.BytesIO()
    with h5py.File(out, "w", **options) as file:
        file.create_dataset("layers/dense/vars/0", data=np.zeros((4, 2), "f4"))
        if config is not None:
            file.attrs["model_config"] = config
    return out.getvalue()


_LAMBDA = layer(
    "Lambda", function={"class_name": "__lambda__", "config": {"code": "4wEAAAA", "defaults": None}}
)
_FUNCTION = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
_GET_FILE = {
    "module": "keras.utils",
    "class_name": "function",
    "config": "get_file",
    "registered_name": "get_file",
}


def _keras(words: str, *layers: dict[str, Any]) -> Hostile:
    return Hostile(pack(("m.keras", keras_file(*layers))), "unsafe-keras", words)


KERAS = {
    "Keras lambda": _keras("the class Lambda", _LAMBDA),
    "Keras lambda under another module": _keras("the class Lambda", layer("Lambda", "my.layers")),
    "Keras lambda by its registered name": _keras(
        "carries code", {**layer("Dense"), "registered_name": "Package>Lambda"}
    ),
    "Keras function of os": _keras("os.system", _FUNCTION),
    "Keras class of subprocess": _keras("subprocess.Popen", layer("Popen", "subprocess", args=["true"])),
    "Keras function of its own tools": _keras("keras.utils.get_file", _GET_FILE),
    "Keras unsafe deserialization switched on": _keras(
        "enable_unsafe", {**_GET_FILE, "module": "keras.config", "config": "enable_unsafe_deserialization"}
    ),
    "Keras wrapper of a torch module": _keras(
        "TorchModuleWrapper", layer("TorchModuleWrapper", module_="gAJ9")
    ),
    "Keras vocabulary of the host's file": _keras(
        "/etc/passwd", layer("StringLookup", vocabulary="/etc/passwd")
    ),
    "Keras lambda in escapes": Hostile(
        pack(("m.keras", keras_file(config=rb'{"\u0063lass_name": "\u004cambda", "config": {}}'))),
        "unsafe-keras",
        "the class Lambda",
    ),
    "Keras lambda in a JSON of its own": Hostile(
        pack(("model.json", json.dumps(_LAMBDA).encode())), "unsafe-keras", "the class Lambda"
    ),
    "Keras lambda in HDF5": Hostile(
        pack(("m.h5", hdf5(json.dumps(layer("Sequential", layers=[_LAMBDA]))))),
        "unsafe-keras",
        "the class Lambda",
    ),
    "Keras lambda in HDF5 behind a user's block": Hostile(
        pack(("m.h5", hdf5(json.dumps(_LAMBDA), userblock_size=512))), "unsafe-keras", "the class Lambda"
    ),
    "Keras lambda in TensorFlow's SavedModel": Hostile(
        pack(("1/keras_metadata.pb", b"\n\x80\x01" + json.dumps(_LAMBDA).encode())),
        "unsafe-keras",
        "the class Lambda",
    ),
    "Keras class of somebody's": Hostile(
        pack(("m.keras", keras_file(layer("Net", "my_package.layers")))),
        "unknown-keras",
        "my_package.layers.Net",
        held=True,
    ),
}

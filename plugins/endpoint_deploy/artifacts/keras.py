"""Keras's configurations of models: JSON that names classes and functions, which loading a model calls.

A Lambda layer carries code; a function of any module can be named in the place of a layer (CVE-2025-1550,
and CVE-2025-8747 with Keras's own utilities); a lookup layer reads the file that its vocabulary names
(CVE-2025-12058). In a `.keras` file the configuration is `config.json`. In HDF5 and in TensorFlow's
SavedModel it stands among other bytes, as it is: those are searched rather than parsed.
"""

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from endpoint_deploy.artifacts.model import MIB, Finding
from endpoint_deploy.artifacts.opcodes import Content, Unclear
from endpoint_deploy.artifacts.trust import is_condemned
from endpoint_deploy.artifacts.values import Global
from endpoint_deploy.artifacts.verdict import HoldOrNote

HDF5_MAGIC: Final = b"\x89HDF\r\n\x1a\n"
_MAX_JSON: Final = 16 * MIB
_OVERLAP: Final = 4096
_SHOWN: Final = 3
# They hold a marshalled function, or a pickle.
_CARRY_CODE: Final = frozenset({"Lambda", "__lambda__", "TorchModuleWrapper"})
_LIBRARIES: Final = frozenset({"keras", "keras_cv", "keras_hub", "keras_nlp", "tf_keras"})
_OWN_TOOLS: Final = re.compile(
    r"^(tf_)?keras(\.src)?\.(callbacks|config|export|legacy|saving|utils|wrappers)(\.|$)"
)
_CODE: Final = re.compile(rb'"class_name"\s{0,16}:\s{0,16}"(Lambda|__lambda__|TorchModuleWrapper)"')
# json.dumps escapes no letter: whoever does so means to hide it.
_ESCAPED: Final = re.compile(rb"\\u00[2-7]")
_ESCAPED_CLASS: Final = re.compile(rb'"class_name"\s{0,16}:\s{0,16}"[^"]{0,64}\\u00[2-7]')


def judge_config(where: str, content: Content, unknown: HoldOrNote) -> list[Finding]:
    """Return what is found in a JSON file; nothing where it is no configuration of Keras's.

    Raises Unclear where a configuration is too long to be read, or too deep.
    """
    text = content.read(_MAX_JSON + 1)
    # Others' JSON, a tokenizer's vocabulary for one, may be large, and is not taken apart.
    if b'"class_name"' not in text and not _ESCAPED.search(text):
        return []
    if len(text) > _MAX_JSON:
        raise Unclear(f"it is a configuration of more than {_MAX_JSON:,} bytes")
    try:
        config = json.loads(text)
    except ValueError:
        return []
    except RecursionError as error:
        raise Unclear("it is nested too deep") from error
    bad: dict[str, None] = {}
    doubtful: dict[str, None] = {}
    for entry in _objects(config):
        _judge_object(entry, bad, doubtful)
    return _findings(where, list(bad), list(doubtful), unknown)


def is_searched(where: str) -> bool:
    """Whether Keras takes a file of that name for HDF5, which may begin with other bytes, or for metadata."""
    path = PurePosixPath(where)
    return path.suffix.lower() in {".h5", ".hdf5"} or path.name.rpartition("!")[2] == "keras_metadata.pb"


def judge_searched(where: str, content: Content, unknown: HoldOrNote) -> list[Finding]:
    """Return what is found among the bytes of a file; every one of them is read, in constant memory."""
    kept = b""
    bad: dict[str, None] = {}
    hidden = False
    while piece := content.read(MIB):
        window = kept + piece
        bad |= dict.fromkeys(_carries_code(found.decode()) for found in _CODE.findall(window))
        hidden = hidden or _ESCAPED_CLASS.search(window) is not None
        kept = window[-_OVERLAP:]
    return _findings(where, list(bad), ["a class in escapes"] if hidden else [], unknown)


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    left = [config]
    while left:
        entry = left.pop()
        if isinstance(entry, dict):
            if "class_name" in entry:
                yield entry
            left.extend(entry.values())
        elif isinstance(entry, list):
            left.extend(entry)


def _judge_object(entry: dict[str, Any], bad: dict[str, None], doubtful: dict[str, None]) -> None:
    kind, module, config = str(entry["class_name"]), entry.get("module"), entry.get("config")
    registered = str(entry.get("registered_name"))
    if not _CARRY_CODE.isdisjoint({kind, registered.rpartition(">")[2]}):
        bad[_carries_code(kind)] = None
    vocabulary = config.get("vocabulary") if isinstance(config, dict) else None
    if isinstance(vocabulary, str) and vocabulary:
        bad[f"a vocabulary read from {vocabulary!r}"] = None
    if not isinstance(module, str):
        return
    is_function = kind == "function"
    named = Global(module, config if is_function and isinstance(config, str) else kind)
    if is_condemned(named) or (is_function and _OWN_TOOLS.match(module)):
        bad[str(named)] = None
    elif module.partition(".")[0] not in _LIBRARIES and not (module == "builtins" and is_function):
        doubtful[str(named)] = None


def _carries_code(name: str) -> str:
    return f"the class {name}, which carries code"


def _findings(where: str, bad: list[str], doubtful: list[str], unknown: HoldOrNote) -> list[Finding]:
    if bad:
        what = ", ".join(bad[:_SHOWN])
        message = f"{where}: on loading, Keras would use {what}; expected only its own layers"
        return [Finding("unsafe-keras", where, message, "refuse")]
    if doubtful:
        what = ", ".join(doubtful[:_SHOWN])
        message = (
            f"{where}: a configuration of Keras's that could not be cleared: it names {what}; "
            "expected only Keras's own layers (set `unknown_pickles: accept` after a look at it)"
        )
        return [Finding("unknown-keras", where, message, unknown)]
    return []

"""Pickles by every opcode that imports or calls, and by every place that a loader reads one from."""

import bz2
import pickle
import zlib

import numpy as np

from tests.artifacts.archives import Calls, Evil, checkpoint, dumped, npy, npz, pack, tar, zipped
from tests.artifacts.hostile.base import Hostile, compress, text

_P4 = b"\x80\x04"
_SYSTEM = text("posix") + text("system")
_RUN = text("true") + b"\x85R."
_P4 = b"\x80\x04"


def frame(body: bytes) -> bytes:
    return _P4 + b"\x95" + len(body).to_bytes(8, "little") + body


def _framed_short(body: bytes) -> bytes:
    """A frame that ends within an opcode's argument."""
    return _P4 + b"\x95" + (3).to_bytes(8, "little") + body


OPCODES = {
    "GLOBAL and REDUCE": b"cposix\nsystem\n(S'true'\ntR.",
    "GLOBAL by UNICODE": b"cposix\nsystem\n(Vtrue\ntR.",
    "INST": b"(S'true'\niposix\nsystem\n.",
    "OBJ": b"(cposix\nsystem\nS'true'\no.",
    "NEWOBJ": b"\x80\x02cposix\nsystem\nU\x04true\x85\x81.",
    "NEWOBJ_EX": _P4 + _SYSTEM + b"\x93\x8c\x04true\x85}\x92.",
    "BUILD": b"\x80\x02c__main__\nX\n)\x81}U\x01acposix\nsystem\nsb.",
    "BUILD of a setter": (
        b"\x80\x02csklearn.base\nBaseEstimator\n)\x81}U\x0c__setstate__cposix\nsystem\nsbU\x04trueb."
    ),
    "STACK_GLOBAL": frame(_SYSTEM + b"\x93" + _RUN),
    "STACK_GLOBAL by MEMOIZE": _P4 + text("posix") + b"\x94" + text("system") + b"\x94h\x00h\x01\x93" + _RUN,
    "STACK_GLOBAL by BINPUT": _P4 + text("posix") + b"q\x05" + text("system") + b"q\x07h\x05h\x07\x93" + _RUN,
    "STACK_GLOBAL by LONG_BINPUT": (
        _P4 + text("posix") + b"r\x00\x01\x00\x00" + text("system") + b"j\x00\x01\x00\x000"
        b"j\x00\x01\x00\x00" + text("system") + b"\x93" + _RUN
    ),
    "STACK_GLOBAL by PUT and GET": _P4 + text("posix") + b"p3\n0g3\n" + text("system") + b"\x93" + _RUN,
    "STACK_GLOBAL by STRING": b"\x80\x04S'posix'\nS\"system\"\n\x93U\x04true\x85R.",
    "STACK_GLOBAL by BINUNICODE8": (
        _P4 + b"\x8d" + (5).to_bytes(8, "little") + b"posix" + text("system") + b"\x93" + _RUN
    ),
    "STACK_GLOBAL by escapes": b"\x80\x04V\\u0070osix\nVs\\u0079stem\n\x93U\x04true\x85R.",
    "STACK_GLOBAL through DUP and POP": _P4 + text("x") + b"20" + b"0" + _SYSTEM + b"2" + b"0\x93" + _RUN,
    "STACK_GLOBAL through POP_MARK": _P4 + _SYSTEM + b"(" + text("numpy") + text("dtype") + b"1\x93" + _RUN,
    "frames within frames": frame(b"\x95" + (2).to_bytes(8, "little") + _SYSTEM + b"\x93" + _RUN),
    "PROTO again and again": b"\x80\x02\x80\x04\x80\x00\x80\x05cposix\nsystem\nU\x04true\x85R.",
    "protocol 0 without PROTO": b"I1\n0cos\nsystem\n(S'true'\ntR.",
    "another name of the module": b"cnt\nsystem\n(S'true'\ntR.",
    "Python 2's name": b"c__builtin__\neval\n(S'1'\ntR.",
    "import without a call": b"cposix\nsystem\n.",
    "call thrown away": b"\x80\x02cposix\nsystem\nU\x04true\x85R0N.",
    "garbage for an end": b"\x80\x02cposix\nsystem\nU\x04true\x85R\xff\xff\xff",
    "no end": b"\x80\x02cposix\nsystem\nU\x04true\x85R",
    "stack empty at the end": b"\x80\x02cposix\nsystem\nU\x04true\x85R00000.",
    "second pickle": pickle.dumps([1, 2]) + pickle.dumps(Evil()),
    "pickle in a pickle": pickle.dumps(Calls(pickle.loads, pickle.dumps(Evil()))),
    "behind a long text": _P4
    + b"\x8d"
    + (70_000).to_bytes(8, "little")
    + b"x" * 70_000
    + b"0"
    + pickle.dumps(Evil())[2:],
    "in a persistent id": b"\x80\x02cposix\nsystem\nU\x04true\x85RQ.",
    "as a default": _P4
    + text("collections")
    + text("defaultdict")
    + b"\x93"
    + _SYSTEM
    + b"\x93\x85R"
    + text("x")
    + b"Ns.",
    "name made by str": (
        b"\x80\x04cbuiltins\nstr\n" + text("posix") + b"\x85R" + text("system") + b"\x93" + _RUN
    ),
    # picklescan's issue 14: a place written twice counts once, and MEMOIZE writes elsewhere than it seems.
    "memo written twice": (
        _P4
        + text("numpy")
        + b"q\x01"
        + b"0"
        + text("numpy")
        + b"q\x01"
        + b"0"
        + text("posix")
        + b"\x94"
        + b"0"
        + b"h\x01"
        + text("system")
        + b"\x93"
        + _RUN
    ),
    "frame that ends in an opcode": _framed_short(text("posix") + text("system") + b"\x93" + _RUN),
}

# What cannot be told, or is a module that nobody knows, stops the release until somebody has looked.
HELD = {
    "EXT1": (b"\x80\x02\x82\x01.", "extension registry"),
    "EXT2": (b"\x80\x02\x83\x01\x01.", "extension registry"),
    "EXT4": (b"\x80\x02\x84\x01\x01\x01\x01.", "extension registry"),
    "call of a result": (b"\x80\x02cnumpy\ndtype\n)R)R.", "not a plain import"),
    "state of a class": (b"\x80\x02csklearn.base\nBaseEstimator\n}b.", "not a new object"),
    "name that is no text": (b"\x80\x04\x8c\x05numpy)\x93.", "made up as it runs"),
    "the team's own class": (b"\x80\x02cmy_package.models\nNet\n)\x81.", "my_package.models.Net"),
    "unknown gadget with a broken end": (b"cany_package\nrun\n(S'true'\ntR\xff\xff", "any_package.run"),
}


def _without_magic(data: bytes) -> bytes:
    """A tar as the first ones were, told by the checksum of its header alone."""
    block = bytearray(data[:512])
    block[257:265] = bytes(8)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + data[512:]


PICKLES = {
    **{
        name: Hostile(pack(("model.pkl", pickled)), "unsafe-pickle", "on loading would reach")
        for name, pickled in OPCODES.items()
    },
    **{
        name: Hostile(pack(("model.pkl", pickled)), "unknown-pickle", words, held=True)
        for name, (pickled, words) in HELD.items()
    },
}

_ARRAY = {"weights": np.arange(100.0), "payload": Evil()}
_EVIL = pickle.dumps(Evil())
# A wrapper of joblib's that claims three bytes of data in a frame that is longer.
_WRAPPED = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81"
_STATE = b"}(U\x05shapeK\x03\x85U\x05dtypecnumpy\ndtype\nU\x02u1\x85Rub"


def legacy_torch(payload: object) -> bytes:
    """Five pickles in a row, as torch.save wrote before its zips."""
    parts = (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001}, payload, ["0"])
    return b"".join(pickle.dumps(each, 2) for each in parts) + bytes(64)


_PLACES = {
    "pickle named as something else": ("README.md", _EVIL),
    "pickle without a suffix": ("weights", _EVIL),
    "joblib": ("model.joblib", dumped(_ARRAY)),
    "joblib by zlib": ("model.joblib", dumped(_ARRAY, compress=("zlib", 3))),
    "joblib by gzip": ("model.bin", dumped(_ARRAY, compress=("gzip", 3))),
    "joblib by bz2": ("model.bin", dumped(_ARRAY, compress=("bz2", 3))),
    "joblib by xz": ("model.bin", dumped(_ARRAY, compress=("xz", 3))),
    "joblib by lzma": ("model.joblib", dumped(_ARRAY, compress=("lzma", 3))),
    "joblib's array of objects": ("model.joblib", dumped(np.array([None, Evil()], dtype=object))),
    "joblib behind an array's bytes": (
        "model.joblib",
        b"\x80\x02" + _WRAPPED + _STATE + b"xyz0" + OPCODES["GLOBAL and REDUCE"],
    ),
    "compressed three times": ("twice.gz", compress(zlib.compress(bz2.compress(_EVIL)))),
    "torch's zip": ("model.pt", checkpoint({"state": Evil()})),
    "torch's zip, another entry": (
        "model.pt",
        zipped(**{"m/data.pkl": pickle.dumps({}), "m/config.p": _EVIL}),
    ),
    "torch's zip within gzip": ("model.pth", compress(checkpoint({"state": Evil()}))),
    "torch's zip within a zip": ("bundle.zip", zipped(**{"a/model.pt": checkpoint({"state": Evil()})})),
    "torch's old row of pickles": ("model.pt", legacy_torch({"state": Evil()})),
    "torch's tar": ("model.pt", tar(("storages", b""), ("tensors", b""), ("pickle", _EVIL))),
    "tar without magic": ("old.tar", _without_magic(tar(("pickle", _EVIL)))),
    "npy of objects": ("a.npy", npy(np.array([Evil()], dtype=object))),
    "npz of objects": ("a.npz", npz(plain=np.arange(3), objects=np.array([Evil()], dtype=object))),
    "npy in joblib's zlib": ("a.bin", compress(npy(np.array([Evil()], dtype=object)))),
}

HIDDEN = {
    name: Hostile(pack((member, content)), "unsafe-pickle", "posix.system")
    for name, (member, content) in _PLACES.items()
}

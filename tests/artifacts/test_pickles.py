"""Pickles that would do something, wherever they hide, and pickles that nobody can clear."""

import builtins
import bz2
import functools
import gzip
import importlib
import io
import pickle
import runpy
import subprocess
import zlib

import numpy as np
import pytest

from endpoint_deploy.artifacts import Limits
from tests.artifacts.archives import (
    Calls,
    Evil,
    checkpoint,
    codes,
    dumped,
    inspect,
    npy,
    npz,
    pack,
    zipped,
)

# Without the time of day: parametrized, these bytes name tests, which each worker must name alike.
compress = functools.partial(gzip.compress, mtime=0)

EVIL = pickle.dumps(Evil())
SYSTEM = b"\x8c\x05posix\x8c\x06system"  # the operands of STACK_GLOBAL
ARRAY = {"weights": np.arange(1000.0), "payload": Evil()}


def frame(body: bytes) -> bytes:
    return b"\x80\x04\x95" + len(body).to_bytes(8, "little") + body


BY_OPCODE = {
    "reduce": b"cposix\nsystem\n(S'true'\ntR.",
    "reduce without quotes": b"cposix\nsystem\n(Vtrue\ntR.",
    "inst": b"(S'true'\niposix\nsystem\n.",
    "obj": b"(cposix\nsystem\nS'true'\no.",
    "newobj": b"\x80\x02cposix\nsystem\nU\x04true\x85\x81.",
    "newobj_ex": b"\x80\x04" + SYSTEM + b"\x93\x8c\x04true\x85}\x92.",
    "stack global": frame(SYSTEM + b"\x93\x8c\x04true\x85R."),
    "stack global by memo": b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x04true\x85R.",
    "import alone": b"cposix\nsystem\n.",
    "build": b"\x80\x02c__main__\nX\n)\x81}U\x01acposix\nsystem\nsb.",
    "python 2's name": b"c__builtin__\neval\n(S'1'\ntR.",
    "before garbage": b"\x80\x02cposix\nsystem\nU\x04true\x85R\xff\xff\xff",
    "before the end is missing": b"\x80\x02cposix\nsystem\nU\x04true\x85R",
    "behind another pickle": pickle.dumps([1, 2]) + EVIL,
    "behind a long text": b"\x80\x04\x8d"
    + (100_000).to_bytes(8, "little")
    + b"x" * 100_000
    + b"0"
    + EVIL[2:],
}

BY_CALLABLE = {
    "os.system": Evil(),
    "eval": Calls(builtins.eval, "1"),
    "exec": Calls(builtins.exec, "1"),
    "compile": Calls(builtins.compile, "1", "", "eval"),
    "import": Calls(builtins.__import__, "os"),
    "open": Calls(builtins.open, "/dev/null"),
    "getattr": Calls(getattr, "", "upper"),
    "check_output": Calls(subprocess.check_output, "true"),
    "popen": Calls(subprocess.Popen, "true"),
    "import_module": Calls(importlib.import_module, "os"),
    "runpy": Calls(runpy.run_path, "x.py"),
    "nested": Calls(pickle.loads, EVIL),
    "numpy.load": Calls(np.load, "x.npy", None, True),
    "deep inside": {"a": [1, (2, {"b": Evil()})]},
}

HIDDEN = {
    "model.pkl": EVIL,
    "model.bin": EVIL,
    "weights": EVIL,
    "README.txt": b"cposix\nsystem\n(S'true'\ntR.",
    "model.joblib": dumped(ARRAY),
    "zlib.joblib": dumped(ARRAY, compress=("zlib", 3)),
    "gzip.joblib": dumped(ARRAY, compress=("gzip", 3)),
    "bz2.joblib": dumped(ARRAY, compress=("bz2", 3)),
    "xz.joblib": dumped(ARRAY, compress=("xz", 3)),
    "lzma.joblib": dumped(ARRAY, compress=("lzma", 3)),
    "objects.joblib": dumped(np.array([None, Evil()], dtype=object)),
    "twice.gz": compress(zlib.compress(bz2.compress(EVIL))),
    "model.pt": checkpoint({"state": Evil()}),
    "model.pth.gz": compress(checkpoint({"state": Evil()})),
    "zip.zip": zipped(inner=zipped(inner=EVIL)),
    "objects.npy": npy(np.array([Evil()], dtype=object)),
    "objects.npz": npz(plain=np.arange(3), objects=np.array([Evil()], dtype=object)),
}


@pytest.mark.parametrize("pickled", BY_OPCODE.values(), ids=BY_OPCODE)
def test_every_way_to_import_and_to_call(pickled):
    report = inspect(pack(("model.pkl", pickled)))
    assert codes(report) == {"unsafe-pickle"}
    assert report.refused


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("payload", BY_CALLABLE.values(), ids=BY_CALLABLE)
def test_every_protocol(payload, protocol):
    assert codes(inspect(pack(("model.pkl", pickle.dumps(payload, protocol))))) == {"unsafe-pickle"}


@pytest.mark.parametrize(("name", "content"), HIDDEN.items(), ids=HIDDEN)
def test_every_place_to_hide(name, content):
    report = inspect(pack((name, content)))
    assert codes(report) == {"unsafe-pickle"}
    assert "posix.system" in report.findings[0].message
    assert report.findings[0].member.startswith(name)


@pytest.mark.parametrize(
    ("pickled", "what"),
    [
        (b"\x80\x02cmy_package.models\nNet\n)\x81.", "my_package.models.Net"),
        (
            b"\x80\x04\x8c\x0csklearn.base\x8c\x16BaseEstimator.__init__\x93.",
            "sklearn.base.BaseEstimator.__init__",
        ),
        (b"\x80\x04\x8c\x0dsklearn.utils\x8c\x08resample\x93)R.", "sklearn.utils.resample"),
        (b"\x80\x02cscipy.stats._distn_infrastructure\nrv_continuous_frozen\n)\x81.", "scipy.stats"),
        (b"\x80\x02\x82\x01.", "extension registry"),
        (b"\x80\x02cnumpy\ndtype\n)R)R.", "not a plain import"),
        (b"\x80\x02csklearn.base\nBaseEstimator\n}b.", "not a new object"),
        (b"\x80\x04\x8c\x05numpy)\x93.", "made up as it runs"),
    ],
)
def test_what_cannot_be_cleared_is_held(pickled, what):
    data = pack(("model.pkl", pickled))
    report = inspect(data)
    assert report.held
    assert codes(report) == {"unknown-pickle"}
    assert what in report.findings[0].message
    accepted = inspect(data, accept_unknown=True)
    assert not accepted.held
    assert [finding.severity for finding in accepted.findings] == ["note"]


def test_accepting_the_unknown_does_not_accept_the_unsafe():
    assert inspect(pack(("model.pkl", EVIL)), accept_unknown=True).refused


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.pkl", b"no pickle"),
        ("model.joblib", b""),
        ("model.joblib", dumped({"a": np.arange(100.0)}, compress=3)[:-20]),
        ("model.pt", zipped(a=b"1" * 100)[:-30]),
        ("model.joblib", compress(dumped([1]))[:-12]),
        ("data.npy", b"\x93NUMPY\x02\x00" + b"\xff" * 20),
        ("deep.gz", compress(compress(compress(compress(compress(b"")))))),
    ],
)
def test_what_cannot_be_looked_into_is_held(name, content):
    report = inspect(pack((name, content)))
    assert report.held
    assert codes(report) == {"unknown-content"}
    assert name in report.findings[0].message


def test_a_pickle_of_too_many_opcodes_is_held():
    pickled = pickle.dumps(list(range(10_000)))
    report = inspect(pack(("model.pkl", pickled)), Limits(max_pickle_opcodes=5_000))
    assert report.held
    assert "more opcodes than are looked at" in report.findings[0].message


def test_a_zip_beyond_its_limit_is_held():
    report = inspect(pack(("model.pt", zipped(weights=bytes(5000)))), Limits(max_nested_size=1000))
    assert report.held


def test_a_bomb_in_a_zip_is_refused():
    out = io.BytesIO()
    np.savez_compressed(out, zeros=np.zeros(1_000_000))
    limits = Limits(ratio_floor=1_000_000, max_ratio=100)
    report = inspect(pack(("zeros.npz", out.getvalue())), limits)
    assert codes(report) == {"bomb-nested"}


class TestAnArrayThatHidesOpcodes:
    """joblib steps over an array's bytes: whoever steps elsewhere reads another program."""

    WRAPPER = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81"
    DTYPE = b"cnumpy\ndtype\nU\x02u1\x85R"

    def state(self, size: int) -> bytes:
        return b"}(U\x05shapeK" + bytes([size]) + b"\x85U\x05dtype" + self.DTYPE + b"u"

    def test_read_as_joblib_reads_it(self):
        evil = b"0cposix\nsystem\nU\x04true\x85R."
        pickled = b"\x80\x02" + self.WRAPPER + self.state(3) + b"bxyz" + evil
        assert codes(inspect(pack(("model.joblib", pickled)))) == {"unsafe-pickle"}

    def test_within_a_frame(self):
        body = self.WRAPPER + self.state(50) + b"b0cposix\nsystem\nU\x04true\x85R." + bytes(30)
        report = inspect(pack(("model.joblib", frame(body))))
        assert report.refused or report.held

    @pytest.mark.parametrize(
        "state",
        [
            b"}(U\x05shapeU\x01aU\x05dtype" + DTYPE + b"u",
            b"}(U\x05shapeK\x03\x85U\x05dtypeNu",
            b"}(U\x05shapeK\x03\x85K\x05K\x06U\x05dtype" + DTYPE + b"u",
            b"N",
            b"}",
            # The shape is changed through the memo after the dict was built.
            b"}q\x07(U\x05shapeK\x03\x85U\x05dtype" + DTYPE + b"uNh\x07U\x05shapeK\x32\x85s00",
        ],
    )
    def test_of_a_size_that_is_not_plain(self, state):
        pickled = b"\x80\x02" + self.WRAPPER + state + b"bxyz0cos\nunknown\n."
        report = inspect(pack(("model.joblib", pickled)))
        assert report.refused or report.held

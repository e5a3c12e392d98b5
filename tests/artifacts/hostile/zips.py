"""Zips in which two readers find two things, and compression that nobody looks into."""

import io
import lzma
import pickle
import struct
import zipfile

from tests.artifacts.archives import Evil, pack, zipped
from tests.artifacts.hostile.base import Hostile

_EVIL = pickle.dumps(Evil())


def _central(data: bytes) -> int:
    return data.index(b"PK\x01\x02")


def _patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _wrong_sum(data: bytes) -> bytes:
    """CVE-2025-10156: Python's reader stops at a wrong checksum, PyTorch's does not look."""
    return _patched(_patched(data, 14, b"\1\2\3\4"), _central(data) + 16, b"\1\2\3\4")


def _encrypted(data: bytes) -> bytes:
    """CVE-2025-1945: a flag that only some readers heed."""
    return _patched(_patched(data, 6, b"\1\0"), _central(data) + 8, b"\1\0")


def _renamed(data: bytes) -> bytes:
    """CVE-2025-1944: another name before the data than in the directory."""
    return _patched(data, 30, b"X")


def _two_directories() -> bytes:
    """PyTorch reads the directory where the end record says, Python the one right before it."""
    evil, good = (
        zipped(**{"data.pkl": _EVIL}),
        zipped(**{"data.pkl": pickle.dumps({}, 2).ljust(len(_EVIL), b".")}),
    )
    at = _central(good)
    size = good.index(b"PK\x05\x06") - at
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, size, _central(evil), 0)
    return evil[: evil.index(b"PK\x05\x06")] + good[: good.index(b"PK\x05\x06")] + end


def _two_ends() -> bytes:
    evil, good = zipped(a=_EVIL), bytearray(zipped(a=b"1"))
    comment = evil
    good[-2:] = struct.pack("<H", len(comment))
    return bytes(good) + comment


def _twice() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps({}))
        archive.NameToInfo.clear()  # or it would warn
        archive.writestr("data.pkl", pickle.dumps([]))
    return out.getvalue()


_CHECKPOINT = zipped(**{"data.pkl": _EVIL})
ZIPS = {
    "zip with a wrong checksum": Hostile(
        pack(("m.pt", _wrong_sum(_CHECKPOINT))), "zip-corrupt", "Bad CRC-32"
    ),
    "zip with the flag of encryption": Hostile(
        pack(("m.pt", _encrypted(_CHECKPOINT))), "unknown-content", "encrypted", held=True
    ),
    "zip with two names of an entry": Hostile(
        pack(("m.pt", _renamed(_CHECKPOINT))), "unknown-content", "differ", held=True
    ),
    "zip with two directories": Hostile(
        pack(("m.pt", _two_directories())), "unknown-content", "where its end record says", held=True
    ),
    "zip with two ends": Hostile(pack(("m.pt", _two_ends())), "unknown-content", "2 end records"),
    "zip behind something else": Hostile(
        pack(("m.keras", b"x" * 100 + zipped(a=b"1"))),
        "unknown-content",
        "by its name it is a zip",
        held=True,
    ),
    "zip cut short": Hostile(pack(("m.pt", _CHECKPOINT[:-30])), "unknown-content", "damaged", held=True),
    "zip with a name twice": Hostile(pack(("m.pt", _twice())), "duplicate-member", "the same name twice"),
    "zip with a path that leaves": Hostile(
        pack(("m.zip", zipped(**{"../../x": b"1"}))), "unsafe-path", "`..` in it"
    ),
    "7z, as in nullifAI": Hostile(
        pack(("m.bin", b"7z\xbc\xaf\x27\x1c" + bytes(50))), "unknown-content", "7z", held=True
    ),
    "lz4, which joblib reads": Hostile(
        pack(("m.bin", b"\x04\x22\x4d\x18" + bytes(50))), "unknown-content", "lz4", held=True
    ),
    "pickle that breaks off, compressed": Hostile(
        pack(("m.joblib", lzma.compress(_EVIL)[:-9])), "unknown-content", "ends too early", held=True
    ),
}

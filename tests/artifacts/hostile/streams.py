"""Archives that are larger than they look, and streams that are not whole, or more than one."""

import bz2
import pickle
import struct
import tarfile
import zlib

import numpy as np

from endpoint_deploy.artifacts import Limits
from tests.artifacts.archives import CODE, info, npz, pack, tar, zipped
from tests.artifacts.hostile.base import Hostile, compress

_ONE = ("a.txt", b"one")
_SOUND = pack(CODE, ("weights.bin", bytes(range(256)) * 40))
_LONG_NAME = info("n", type=tarfile.GNUTYPE_LONGNAME, size=5_000_000).tobuf(tarfile.GNU_FORMAT)
_SMALL = Limits(ratio_floor=1_000_000, max_ratio=50)


def _overlapping() -> bytes:
    """Two entries of a directory for the same bytes, as in Fifield's bombs."""
    plain = zipped(a=bytes(1000))
    at = plain.index(b"PK\x01\x02")
    end = plain.index(b"PK\x05\x06")
    entry = plain[at:end]
    second = entry.replace(b"a", b"b", 1) if entry.endswith(b"a") else entry
    counts = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, 2 * len(entry), at, 0)
    return plain[:at] + entry + second + counts


BOMBS = {
    "bomb by ratio": Hostile(
        pack(("zeros", bytes(5_000_000))), "bomb-ratio", "more than 50 to 1", limits=_SMALL
    ),
    "bomb by size": Hostile(_SOUND, "bomb-size", "unpacks to more", limits=Limits(max_unpacked_size=10_000)),
    "bomb by count": Hostile(
        pack(*[(f"{n}.txt", b"") for n in range(11)]),
        "bomb-count",
        "more than 10",
        limits=Limits(max_members=10),
    ),
    "bomb in a header": Hostile(
        compress(_LONG_NAME + bytes(5_001_216)), "tar-header", "claims 5,000,192 bytes"
    ),
    "bomb in an npz": Hostile(
        pack(("z.npz", npz(zeros=np.zeros(1_000_000)))), "bomb-nested", "claim to unpack", limits=_SMALL
    ),
    "bomb in a zip by count": Hostile(
        pack(("z.zip", zipped(**{str(n): b"" for n in range(20)}))),
        "bomb-count",
        "more entries",
        limits=Limits(max_members=10),
    ),
    "bomb in a tar by count": Hostile(
        pack(("m.pt", tar(*[(f"{n}", b"") for n in range(20)]))),
        "bomb-count",
        "more entries",
        limits=Limits(max_members=10),
    ),
    "bomb in joblib's compression": Hostile(
        pack(("m.joblib", zlib.compress(pickle.dumps(bytes(3_000_000))))),
        "unknown-pickle",
        "unpacks to more",
        held=True,
        limits=Limits(max_unpacked_size=2_000_000),
    ),
    "bomb by overlapping entries": Hostile(
        pack(("z.zip", _overlapping())), "unknown-content", "differ", held=True
    ),
    "bomb by nesting": Hostile(
        pack(("deep.gz", compress(compress(compress(compress(compress(b"x"))))))),
        "unknown-content",
        "more than 4 containers",
        held=True,
    ),
}

STREAMS = {
    "nothing": Hostile(b"", "empty", "the object is empty"),
    "no gzip": Hostile(tar(_ONE), "not-gzip", "expected gzip"),
    "zip by another name": Hostile(zipped(a=b"1"), "not-gzip", "expected gzip"),
    "bzip2 by another name": Hostile(bz2.compress(tar(_ONE)), "not-gzip", "expected gzip"),
    "gzip cut short": Hostile(_SOUND[:200], "gzip-truncated", "ends too early"),
    "gzip without its checksum": Hostile(_SOUND[:-8], "gzip-truncated", "ends too early"),
    "gzip with a wrong checksum": Hostile(_SOUND[:-8] + bytes(4) + _SOUND[-4:], "gzip-corrupt", "damaged"),
    "gzip with a wrong length": Hostile(_SOUND[:-4] + bytes(4), "gzip-corrupt", "damaged"),
    "second gzip member": Hostile(_SOUND + pack(("evil.txt", b"")), "gzip-members", "a second gzip member"),
    "empty second gzip member": Hostile(_SOUND + compress(b""), "gzip-members", "a second gzip member"),
    "bytes behind the gzip": Hostile(_SOUND + b"PK\x03\x04", "gzip-trailing", "followed by other data"),
    "zeros behind the gzip": Hostile(_SOUND + bytes(600), "gzip-trailing", "followed by other data"),
    "no tar inside": Hostile(compress(b"x" * 2048), "tar-corrupt", "damaged"),
    "tar cut short": Hostile(compress(tar(("a", bytes(2000)))[:1500]), "tar-truncated", "in the middle"),
    "tar without its end": Hostile(compress(tar(_ONE)[:1024]), "tar-truncated", "without its end marker"),
    "tar behind the tar": Hostile(
        compress(tar(_ONE) + tar(("b", b""))), "tar-trailing", "follows the tar's end"
    ),
    "tar damaged in the middle": Hostile(
        compress(tar(_ONE)[:1024] + b"z" * 512 + bytes(1024)), "tar-corrupt", "is not one"
    ),
    "tar of nothing": Hostile(compress(bytes(10240)), "empty", "no members"),
}

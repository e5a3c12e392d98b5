"""What is inside a file of the archive, told by its first bytes rather than by its name.

Whatever reads as a pickle is judged as one, also inside the containers that models are kept in: zips
(PyTorch, NumPy's .npz, Keras), tars (PyTorch's first format), NumPy's .npy, and the compressed streams that
joblib reads by itself. Keras's configurations are judged, too.
"""

import tarfile
from collections.abc import Callable
from io import BufferedReader
from pathlib import PurePosixPath
from typing import BinaryIO, Final, cast

from endpoint_deploy.artifacts import keras
from endpoint_deploy.artifacts.compressed import (
    CERTAIN_MAGIC,
    UNREADABLE,
    Decompressor,
    Unpacked,
    decompressor_for,
)
from endpoint_deploy.artifacts.forward import BLOCK, Forward, member_file
from endpoint_deploy.artifacts.model import KIB, MIB, Finding, Limits
from endpoint_deploy.artifacts.opcodes import Content, Malformed, Unclear
from endpoint_deploy.artifacts.pickles import read_pickle
from endpoint_deploy.artifacts.stream import Refusal
from endpoint_deploy.artifacts.tar_damage import TAR_DAMAGE
from endpoint_deploy.artifacts.verdict import HoldOrNote, judge_pickle
from endpoint_deploy.artifacts.zips import ZIP_MAGIC, Budget, judge_zip, spooled

_PICKLES: Final = frozenset({".pkl", ".pickle", ".joblib", ".jl", ".dill", ".pt", ".pth"})
# Read as zips wherever in them the zip begins, or else as pickles.
_ZIPS: Final = frozenset({".keras", ".npz", ".zip"})
_PICKLE_MAGIC: Final = tuple(bytes((0x80, protocol)) for protocol in range(2, 6))
_NPY_MAGIC: Final = b"\x93NUMPY"
_MAX_DEPTH: Final = 4
_MAX_NPY_HEADER: Final = 64 * KIB


class Contents:
    """Judges the files of one archive, within that archive's limits as a whole."""

    def __init__(self, limits: Limits, *, unknown: HoldOrNote) -> None:
        self._limits = limits
        self._unknown: HoldOrNote = unknown
        self._opcodes_left = limits.max_pickle_opcodes
        self._budget = Budget(limits)

    def judge(self, where: str, content: Content, depth: int = 0) -> list[Finding]:
        """Return what is found in a file; reads from it only as far as it needs to.

        `where` is the member's name, with `!` before the name of an entry inside it.
        """
        head = content.peek(BLOCK)[:BLOCK]
        if depth > _MAX_DEPTH:
            return self._unclear(where, f"it lies in more than {_MAX_DEPTH} containers")
        if head.startswith(ZIP_MAGIC):
            return self._looked(where, lambda: self._zip(where, content, depth))
        if head.startswith(_NPY_MAGIC):
            return self._npy(where, content)
        if head.startswith(keras.HDF5_MAGIC) or keras.is_searched(where):
            return keras.judge_searched(where, content, self._unknown)
        if kind := next((kind for magic, kind in UNREADABLE.items() if head.startswith(magic)), None):
            return self._unclear(where, f"it is compressed by {kind}, which is not looked into")
        if decompressor := decompressor_for(head):
            return self._compressed(where, content, head, decompressor(), depth)
        if _is_tar(head):
            return self._looked(where, lambda: self._tar(where, content, depth))
        suffix = PurePosixPath(where).suffix.lower()
        if suffix == ".json":
            return self._looked(where, lambda: keras.judge_config(where, content, self._unknown))
        if suffix in _ZIPS and head:
            return [
                *self._unclear(where, f"by its name it is a zip, but it starts with {head[:4].hex(' ')}"),
                *self._pickle(where, content, head),
            ]
        return self._pickle(where, content, head)

    def _looked(self, where: str, look: Callable[[], list[Finding]]) -> list[Finding]:
        try:
            return look()
        except (Malformed, Unclear) as error:
            return self._unclear(where, str(error))

    def _unclear(self, where: str, why: str) -> list[Finding]:
        return [
            Finding(
                "unknown-content",
                where,
                f"{where}: could not be looked into: {why} "
                "(set `unknown_pickles: accept` after a look at it)",
                self._unknown,
            )
        ]

    def _pickle(self, where: str, content: Content, head: bytes) -> list[Finding]:
        named = PurePosixPath(where).suffix.lower() in _PICKLES
        declared = named or head.startswith(_PICKLE_MAGIC)
        seen = read_pickle(content, self._opcodes_left)
        self._opcodes_left -= seen.opcodes
        found = judge_pickle(where, seen, declared=declared, unknown=self._unknown)
        if not found and named and seen.error:
            return self._unclear(where, f"by its name it is a pickle, but {seen.error}")
        return found

    def _npy(self, where: str, content: Content) -> list[Finding]:
        content.read(len(_NPY_MAGIC))
        major = content.read(2)[:1]
        length = int.from_bytes(content.read(2 if major == b"\x01" else 4), "little")
        if length > _MAX_NPY_HEADER:
            return self._unclear(where, f"its NumPy header claims {length:,} bytes")
        content.read(length)
        # An array of objects is a pickle from here on, and plain numbers are none.
        return self._pickle(where, content, content.peek(16)[:16])

    def _compressed(
        self, where: str, content: Content, head: bytes, decompressor: Decompressor, depth: int
    ) -> list[Finding]:
        unpacked = Unpacked(content, decompressor, self._budget.bytes_left)
        try:
            return self.judge(where, BufferedReader(unpacked, 64 * KIB), depth + 1)
        except Malformed as error:
            # A text may start like zlib's two bytes or lzma's, and is none of our business.
            if head.startswith(CERTAIN_MAGIC) or PurePosixPath(where).suffix.lower() in _PICKLES:
                return self._unclear(where, str(error))
            return []
        except Unclear as error:
            return self._unclear(where, str(error))
        finally:
            self._budget.bytes_left = max(0, unpacked.left)

    def _zip(self, where: str, content: Content, depth: int) -> list[Finding]:
        with spooled(content, self._limits.max_nested_size) as file:
            return judge_zip(
                where,
                file,
                self._budget,
                lambda name, entry: self.judge(name, entry, depth + 1),
                self._unclear,
            )

    def _tar(self, where: str, content: Content, depth: int) -> list[Finding]:
        source = Forward(iter(lambda: content.read(MIB), b""))
        findings: list[Finding] = []
        try:
            with tarfile.TarFile(fileobj=cast("BinaryIO", source), mode="r", errors="surrogateescape") as tar:
                while (info := tar.next()) is not None:
                    self._budget.entries_left -= 1
                    if self._budget.entries_left < 0:
                        raise Refusal(
                            "bomb-count",
                            f"{where}: more entries than the {self._limits.max_members:,} allowed",
                        )
                    if info.isreg() and info.sparse is None:
                        name = f"{where}!{info.name.encode('utf-8', 'backslashreplace').decode()}"
                        with member_file(source, info.size) as member:
                            findings += self.judge(name, member, depth + 1)
                    source.seek(tar.offset)
        except TAR_DAMAGE as error:
            findings += self._unclear(where, f"its tar is damaged: {error}")
        return findings


def _is_tar(head: bytes) -> bool:
    """Whether these bytes are a tar's first header, by its checksum: the first tars have no magic."""
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except TAR_DAMAGE:
        return False
    return True

"""What is inside a file of the archive, told by its first bytes rather than by its name.

Whatever reads as a pickle is judged as one, also inside the containers that models are kept in: zips
(PyTorch, NumPy's .npz, Keras), NumPy's .npy, and the compressed streams that joblib reads by itself.
"""

import tempfile
import zipfile
import zlib
from io import BufferedReader, RawIOBase
from pathlib import PurePosixPath
from typing import IO, Final, cast

from endpoint_deploy.artifacts.compressed import CERTAIN_MAGIC, Decompressor, Unpacked, decompressor_for
from endpoint_deploy.artifacts.model import KIB, MIB, Finding, Limits
from endpoint_deploy.artifacts.opcodes import Content, Malformed, Unclear
from endpoint_deploy.artifacts.pickles import read_pickle
from endpoint_deploy.artifacts.stream import Refusal
from endpoint_deploy.artifacts.verdict import HoldOrNote, judge_pickle

_PICKLES: Final = frozenset({".pkl", ".pickle", ".joblib", ".jl", ".dill", ".pt", ".pth"})
_PICKLE_MAGIC: Final = tuple(bytes((0x80, protocol)) for protocol in range(2, 6))
_ZIP_MAGIC: Final = b"PK\x03\x04"
_NPY_MAGIC: Final = b"\x93NUMPY"
# What zipfile raises on damage, on encryption, and on compression that it does not know.
_ZIP_DAMAGE: Final = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
    EOFError,
    zlib.error,
)
_MAX_DEPTH: Final = 4
_IN_MEMORY: Final = 8 * MIB
_MAX_NPY_HEADER: Final = 64 * KIB


class Contents:
    """Judges the files of one archive, within that archive's limits as a whole."""

    def __init__(self, limits: Limits, *, unknown: HoldOrNote) -> None:
        self._limits = limits
        self._unknown: HoldOrNote = unknown
        self._opcodes_left = limits.max_pickle_opcodes
        self._nested_left = limits.max_unpacked_size
        self._entries_left = limits.max_members

    def judge(self, where: str, content: Content, depth: int = 0) -> list[Finding]:
        """Return what is found in a file; reads from it only as far as it needs to.

        `where` is the member's name, with `!` before the name of an entry inside it.
        """
        head = content.peek(16)[:16]
        if depth > _MAX_DEPTH:
            return self._unclear(where, f"it lies in more than {_MAX_DEPTH} containers")
        if head.startswith(_ZIP_MAGIC):
            return self._zip(where, content, depth)
        if head.startswith(_NPY_MAGIC):
            return self._npy(where, content)
        if decompressor := decompressor_for(head):
            return self._compressed(where, content, head, decompressor(), depth)
        return self._pickle(where, content, head)

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
        named = _is_pickle_name(where)
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
        unpacked = Unpacked(content, decompressor, self._nested_left)
        try:
            return self.judge(where, BufferedReader(unpacked, 64 * KIB), depth + 1)
        except Malformed as error:
            # A text may start like zlib's two bytes or lzma's, and is none of our business.
            if head.startswith(CERTAIN_MAGIC) or _is_pickle_name(where):
                return self._unclear(where, str(error))
            return []
        except Unclear as error:
            return self._unclear(where, str(error))
        finally:
            self._nested_left = max(0, unpacked.left)

    def _zip(self, where: str, content: Content, depth: int) -> list[Finding]:
        findings: list[Finding] = []
        # A zip's directory is at its end, so that it cannot be read front to back.
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
            while data := content.read(MIB):
                spool.write(data)
                if spool.tell() > self._limits.max_nested_size:
                    return self._unclear(
                        where, f"it is a zip of more than {self._limits.max_nested_size:,} bytes"
                    )
            try:
                with zipfile.ZipFile(cast("IO[bytes]", spool)) as container:
                    for entry in container.infolist():
                        findings += self._entry(where, container, entry, depth)
            except _ZIP_DAMAGE as error:
                findings += self._unclear(where, f"its zip is damaged or of an unknown kind: {error}")
        return findings

    def _entry(
        self, where: str, container: zipfile.ZipFile, entry: zipfile.ZipInfo, depth: int
    ) -> list[Finding]:
        name = f"{where}!{entry.filename}"
        self._entries_left -= 1
        self._nested_left -= entry.file_size
        if self._entries_left < 0:
            raise Refusal(
                "bomb-count", f"{where}: more entries than the {self._limits.max_members:,} allowed"
            )
        if self._nested_left < 0 or (
            entry.file_size > self._limits.ratio_floor
            and entry.file_size > entry.compress_size * self._limits.max_ratio
        ):
            raise Refusal(
                "bomb-nested",
                f"{name}: {entry.compress_size:,} compressed bytes claim to unpack to {entry.file_size:,}",
            )
        if entry.is_dir():
            return []
        with container.open(entry) as opened:
            content = BufferedReader(cast("RawIOBase", opened), 64 * KIB)
            return self.judge(name, content, depth + 1)


def _is_pickle_name(where: str) -> bool:
    return PurePosixPath(where).suffix.lower() in _PICKLES

"""Zips inside an archive, held to what every reader of zips agrees upon.

Python's reader looks for the directory right before the end record, PyTorch's where the record says it is;
one checks sums and headers, the other does not. A zip that is not the same to both is said to be unclear.
"""

import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from typing import IO, Final, cast

from endpoint_deploy.artifacts import paths
from endpoint_deploy.artifacts.model import KIB, MIB, Finding, Limits
from endpoint_deploy.artifacts.opcodes import Content, Malformed
from endpoint_deploy.artifacts.stream import Refusal

ZIP_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
# What zipfile raises on damage, on encryption, and on compression that it does not know.
DAMAGE: Final = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
    EOFError,
    zlib.error,
    struct.error,
)
_IN_MEMORY: Final = 8 * MIB
_END: Final = struct.Struct("<4s4H2LH")
_END_MAGIC: Final = b"PK\x05\x06"
_ZIP64_END: Final = 56  # with its locator of 20 bytes right before the end record
_ZIP64_LOCATOR: Final = 20
_IN_ZIP64: Final = 0xFFFFFFFF
_MAX_COMMENT: Final = 0xFFFF


class Budget:
    """What one archive's zips may still hold together."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.bytes_left = limits.max_unpacked_size
        self.entries_left = limits.max_members

    def take(self, name: str, entry: zipfile.ZipInfo) -> None:
        """Count an entry; Refusal where it is one too many, or too much."""
        limits = self._limits
        self.entries_left -= 1
        self.bytes_left -= entry.file_size
        if self.entries_left < 0:
            raise Refusal("bomb-count", f"{name}: more entries than the {limits.max_members:,} allowed")
        if self.bytes_left < 0 or (
            entry.file_size > limits.ratio_floor and entry.file_size > entry.compress_size * limits.max_ratio
        ):
            raise Refusal(
                "bomb-nested",
                f"{name}: {entry.compress_size:,} compressed bytes claim to unpack to {entry.file_size:,}",
            )


@contextmanager
def spooled(content: Content, most: int) -> Iterator[IO[bytes]]:
    """The rest of a content as a file to seek in: a zip's directory is at its end. Malformed if too long."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
        while data := content.read(MIB):
            spool.write(data)
            if spool.tell() > most:
                raise Malformed(f"it is a zip of more than {most:,} bytes")
        yield cast("IO[bytes]", spool)


def judge_zip(
    where: str,
    file: IO[bytes],
    budget: Budget,
    judge: Callable[[str, Content], list[Finding]],
    unclear: Callable[[str, str], list[Finding]],
) -> list[Finding]:
    """Return what is found in a zip and, by `judge`, in its entries; `unclear` words what cannot be read."""
    findings: list[Finding] = []
    try:
        with zipfile.ZipFile(file) as container:
            if why := _ambiguous(container, file):
                findings += unclear(where, why)
            seen: set[str] = set()
            for entry in container.infolist():
                name = f"{where}!{entry.filename}"
                budget.take(name, entry)
                findings += _judge_name(name, entry.filename, seen)
                if entry.is_dir():
                    continue
                try:
                    with container.open(entry) as opened:
                        findings += _judge_bytes(name, opened, judge)
                except DAMAGE as error:
                    findings += unclear(name, f"its zip is damaged or of an unknown kind: {error}")
    except DAMAGE as error:
        findings += unclear(where, f"its zip is damaged or of an unknown kind: {error}")
    return findings


def _judge_bytes(
    where: str, opened: IO[bytes], judge: Callable[[str, Content], list[Finding]]
) -> list[Finding]:
    try:
        return judge(where, BufferedReader(cast("RawIOBase", opened), 64 * KIB))
    except zipfile.BadZipFile as error:
        # PyTorch's reader looks at no checksum, so that what is damaged to one reader is a model to another.
        message = f"{where}: {error}; expected the bytes that its checksum is of"
        return [Finding("zip-corrupt", where, message, "refuse")]


def _judge_name(where: str, name: str, seen: set[str]) -> list[Finding]:
    if why := paths.why_unsafe(name):
        return [Finding("unsafe-path", where, f"{where!r}: {why}, expected a plain relative path", "refuse")]
    here = paths.normalise(name)
    if here in seen:
        message = (
            f"{where}: the same name twice, of which readers take one or the other; expected each name once"
        )
        return [Finding("duplicate-member", where, message, "refuse")]
    seen.add(here)
    return []


def _ambiguous(container: zipfile.ZipFile, file: IO[bytes]) -> str | None:
    """Why readers would not find the same directory in this zip, or None."""
    size = file.seek(0, 2)
    tail_at = max(0, size - _END.size - _MAX_COMMENT)
    file.seek(tail_at)
    tail = file.read()
    ends = [
        match.start() for match in re.finditer(re.escape(_END_MAGIC), tail) if _is_end(tail, match.start())
    ]
    if len(ends) != 1:
        return f"it has {len(ends)} end records that end where it does"
    (at,) = ends
    _, _, _, _, count, length, offset, _ = _END.unpack_from(tail, at)
    end = tail_at + at
    if _IN_ZIP64 in (length, offset):
        end -= _ZIP64_END + _ZIP64_LOCATOR
        file.seek(end)
        length, offset = struct.unpack_from("<2Q", file.read(_ZIP64_END), 40)
    elif count != len(container.infolist()):
        return f"its end record counts {count:,} entries, its directory {len(container.infolist()):,}"
    if offset + length != end or container.start_dir != offset:
        return "its directory is not where its end record says"
    first = min((entry.header_offset for entry in container.infolist()), default=0)
    return f"{first:,} bytes come before its first entry" if first else None


def _is_end(tail: bytes, at: int) -> bool:
    """Whether an end record stands there that, with its comment, reaches to the very end."""
    return at + _END.size <= len(tail) and at + _END.size + _END.unpack_from(tail, at)[7] == len(tail)

"""Compressed streams inside an archive, as joblib writes and detects them (joblib's compressor.py)."""

import bz2
import io
import lzma
from collections.abc import Callable
from typing import Final, Protocol

from isal import igzip_lib

from endpoint_deploy.artifacts.model import KIB
from endpoint_deploy.artifacts.opcodes import Content, Malformed, Unclear
from endpoint_deploy.artifacts.stream import ISAL_ERROR

CERTAIN_MAGIC: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
# Joblib reads lz4 where that is installed; by the others models were brought past scanners unread.
UNREADABLE: Final = {
    b"\x04\x22\x4d\x18": "lz4",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_PIECE: Final = 64 * KIB
_ZLIB_CHECK: Final = 31  # RFC 1950: the two header bytes are a multiple of it


class Decompressor(Protocol):
    """What bz2, lzma and isal have in common."""

    @property
    def eof(self) -> bool: ...  # noqa: D102 - the library's own, as are the others

    @property
    def needs_input(self) -> bool: ...  # noqa: D102

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes: ...  # noqa: D102


def decompressor_for(head: bytes) -> Callable[[], Decompressor] | None:
    """Return what decompresses a stream that starts so, or None where it is none that joblib would detect."""
    if head.startswith(b"\x1f\x8b"):
        return lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    if head.startswith(b"\x78") and int.from_bytes(head[:2], "big") % _ZLIB_CHECK == 0:
        return lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_ZLIB)
    if head.startswith(b"BZh"):
        return bz2.BZ2Decompressor
    if head.startswith((b"\xfd7zXZ", b"\x5d\x00")):
        return lzma.LZMADecompressor
    return None


class Unpacked(io.RawIOBase):
    """The decompressed bytes of a stream, as a file; at most `limit` of them.

    Raises Malformed where the stream is damaged, Unclear where it grows past the limit.
    """

    def __init__(self, packed: Content, decompressor: Decompressor, limit: int) -> None:
        self._packed = packed
        self._decompressor = decompressor
        self.left = limit

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # RawIOBase passes a memoryview
        """Fill the buffer, less of it only at the end: nothing is told by a part of its first bytes."""
        filled = 0
        while filled < len(buffer) and not self._decompressor.eof:
            data = self._step(len(buffer) - filled)
            self.left -= len(data)
            if self.left < 0:
                raise Unclear("it unpacks to more than is looked at")
            buffer[filled : filled + len(data)] = data
            filled += len(data)
        return filled

    def _step(self, most: int) -> bytes:
        packed = self._packed.read(_PIECE) if self._decompressor.needs_input else b""
        if self._decompressor.needs_input and not packed:
            raise Malformed("its compressed stream ends too early")
        try:
            return self._decompressor.decompress(packed, most)
        except (OSError, EOFError, lzma.LZMAError, ISAL_ERROR) as error:
            raise Malformed(f"its compressed stream is damaged: {error}") from error

"""A file that only goes forward, over chunks: what `tarfile` and the content checks read from."""

import io
from collections.abc import Iterator

from endpoint_deploy.artifacts.model import KIB, MIB
from endpoint_deploy.artifacts.stream import Refusal

BLOCK = 512  # a tar is made of these
_MAX_HEADER = MIB


class Forward:
    """The tar as a file for `tarfile`, which reads nothing from it but headers.

    `last_block` is the last block read: by it the end of the tar is told from damage, which `tarfile`
    takes for the end.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._chunk = b""
        self._at = 0
        self._position = 0
        self.last_block = b""

    def tell(self) -> int:
        """Return how many bytes have been passed."""
        return self._position

    def read_some(self, size: int) -> bytes:
        """Return up to `size` bytes, at least one unless the end is reached, without joining chunks."""
        while size and self._at == len(self._chunk):
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._chunk, self._at = chunk, 0
        piece = self._chunk[self._at : self._at + size]
        self._at += len(piece)
        self._position += len(piece)
        return piece

    def read(self, size: int) -> bytes:
        """Return `size` bytes of headers, fewer only at the end; Refusal where a header is absurdly long."""
        if not 0 <= size <= _MAX_HEADER:
            raise Refusal(
                "tar-header",
                f"a header at unpacked byte {self._position:,} claims {size:,} bytes; "
                f"at most {_MAX_HEADER:,} are taken",
            )
        data = b""
        while len(data) < size and (piece := self.read_some(size - len(data))):
            data += piece
        self.last_block = data[-BLOCK:]
        return data

    def seek(self, position: int) -> int:
        """Pass over what lies before `position`; ends early where the bytes do."""
        if position < self._position:
            raise ValueError(f"cannot go back from {self._position} to {position}")
        while (missing := position - self._position) and self.read_some(missing):
            pass
        return self._position


class _MemberBytes(io.RawIOBase):
    """The next `size` bytes of a file, read as a file of their own."""

    def __init__(self, source: Forward, size: int) -> None:
        self._source = source
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # RawIOBase passes a memoryview
        # Filled up, though a chunk ends in between: what is told by its first bytes must not come in parts.
        filled = 0
        while piece := self._source.read_some(min(len(buffer) - filled, self._left)):
            buffer[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._left -= len(piece)
        return filled


def member_file(source: Forward, size: int) -> "io.BufferedReader[io.RawIOBase]":
    """Return the next `size` bytes of the tar as a buffered file; what it leaves unread is still to pass."""
    return io.BufferedReader(_MemberBytes(source, size), 64 * KIB)

"""The `aws-chunked` form of a body: chunks with their sizes, then trailers (S3's guide, Signature V4).

10000;chunk-signature=...\\r\\n<65536 bytes>\\r\\n ... 0\\r\\nx-amz-checksum-crc32:sOO8/Q==\\r\\n\\r\\n
"""

_LONGEST_LINE = 8192


class MalformedBody(Exception):
    """The body is not of the form it claims."""


class Unchunker:
    """Takes the chunks' content out of a body that comes in pieces of any size."""

    def __init__(self) -> None:
        self.trailers: dict[str, str] = {}
        self._buffer = bytearray()
        self._left = 0  # of the chunk that is being read, with the line end after it
        self._in_trailers = False

    def feed(self, data: bytes) -> bytes:
        """The content among these bytes and those kept back; raises MalformedBody."""
        self._buffer += data
        content = bytearray()
        while self._step(content):
            pass
        return bytes(content)

    def finish(self) -> None:
        """Raise MalformedBody unless the last chunk, which is empty, was seen."""
        if self._buffer.strip(b"\r\n"):
            self._trailer(bytes(self._buffer))  # some clients leave the last line end out
            self._buffer.clear()
        if not self._in_trailers:
            raise MalformedBody("the body ended before its last chunk")

    def _step(self, content: bytearray) -> bool:
        """Read one thing, if all of it is there."""
        if self._left > 2:  # noqa: PLR2004 - the line end after the content
            taken = self._buffer[: self._left - 2]
            content += taken
            del self._buffer[: len(taken)]
            self._left -= len(taken)
            return bool(taken)
        if self._left:
            if len(self._buffer) < self._left:
                return False
            if self._buffer[: self._left] != b"\r\n"[-self._left :]:
                raise MalformedBody("a chunk is longer than it says")
            del self._buffer[: self._left]
            self._left = 0
        return self._line()

    def _line(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > _LONGEST_LINE:
                raise MalformedBody("a line does not end")
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        if self._in_trailers:
            self._trailer(line)
        else:
            self._header(line)
        return True

    def _header(self, line: bytes) -> None:
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError as error:
            raise MalformedBody(f"{line[:40]!r} is no chunk size") from error
        self._in_trailers = size == 0
        self._left = size + 2 if size else 0

    def _trailer(self, line: bytes) -> None:
        name, separator, value = line.decode("latin-1").partition(":")
        if separator:
            self.trailers[name.strip().lower()] = value.strip()

"""From the chunks of a download to a file of tar bytes: hashing, inflating and walking overlap.

Each stage runs in a thread of its own with a short bounded queue behind it, so that memory is a few
chunks whatever the archive's size; hashing and inflating release the interpreter lock. Inflating is
ISA-L's, about twice as fast as zlib.
"""

import hashlib
import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from typing import Final, cast

from isal import igzip_lib

from endpoint_deploy.artifacts.model import MIB, Limits

ISAL_ERROR: Final = cast("type[Exception]", igzip_lib.error)  # a class, typed as an instance in isal's stubs
_CHUNK = MIB
_DEPTH = 4
_GZIP_MAGIC = b"\x1f\x8b"


class Refusal(Exception):
    """The bytes cannot be, or must not be, read any further."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Hashed:
    """The chunks as they come, counted and hashed on the way. Iterable once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._sha256 = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._sha256.update(chunk)
            self.size += len(chunk)
            yield chunk

    def hexdigest(self) -> str:
        """Return the digest of what has been read so far."""
        return self._sha256.hexdigest()


def inflate(chunks: Iterable[bytes], limits: Limits) -> Generator[bytes, None, None]:
    """Yield what one gzip member holds, in chunks of at most 1 MiB.

    Raises Refusal where the bytes are no gzip, are damaged or cut short, are followed by anything, or
    grow past the limits.
    """
    inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    taken = given = 0
    for chunk in chunks:
        if inflater.eof:
            raise _trailing(chunk)
        if not taken:
            _check_magic(chunk)
        taken += len(chunk)
        for data in _pieces(inflater, chunk):
            given += len(data)
            _check_growth(taken, given, limits)
            yield data
        if inflater.unused_data:
            raise _trailing(inflater.unused_data)
    if not taken:
        raise Refusal("empty", "the object is empty, expected a gzip-compressed tar archive")
    if not inflater.eof:
        raise Refusal(
            "gzip-truncated",
            f"the gzip stream ends too early, after {taken:,} bytes: its end and checksum are missing",
        )


def _pieces(inflater: igzip_lib.IgzipDecompressor, chunk: bytes) -> Iterator[bytes]:
    """Yield what one chunk inflates to, piece by piece."""
    pending = chunk
    while True:
        try:
            data = inflater.decompress(pending, _CHUNK)
        except ISAL_ERROR as error:
            raise Refusal("gzip-corrupt", f"the gzip stream is damaged: {error}") from error
        pending = b""
        if data:
            yield data
        if inflater.eof or (inflater.needs_input and len(data) < _CHUNK):
            return


def _check_magic(chunk: bytes) -> None:
    if not chunk.startswith(_GZIP_MAGIC[: len(chunk)]):
        raise Refusal(
            "not-gzip",
            f"the object starts with {chunk[:4].hex(' ')}, expected gzip's 1f 8b: "
            "pack the model with `tar -czf model.tar.gz`",
        )


def _check_growth(taken: int, given: int, limits: Limits) -> None:
    if given > limits.max_unpacked_size:
        raise Refusal(
            "bomb-size",
            f"the archive unpacks to more than the {limits.max_unpacked_size:,} bytes allowed",
        )
    if given > limits.ratio_floor and given > taken * limits.max_ratio:
        raise Refusal(
            "bomb-ratio",
            f"{taken:,} compressed bytes unpack to {given:,}: more than {limits.max_ratio} to 1",
        )


def _trailing(data: bytes) -> Refusal:
    if data.startswith(_GZIP_MAGIC):
        return Refusal(
            "gzip-members",
            "a second gzip member follows the first, expected exactly one: "
            "some readers stop at the first, others read on",
        )
    return Refusal(
        "gzip-trailing",
        f"the gzip stream is followed by other data (starting {data[:8].hex(' ')}), expected nothing",
    )


def ahead(chunks: Iterable[bytes]) -> Generator[bytes, None, None]:
    """Yield the same chunks, fetched a few ahead by a thread that ends with the generator.

    An exception of the source is raised here, after the chunks before it.
    """
    ready: queue.Queue[bytes | BaseException | None] = queue.Queue(_DEPTH)
    stopped = threading.Event()

    def fetch() -> None:
        try:
            for chunk in chunks:
                if stopped.is_set():
                    return
                ready.put(chunk)
        except BaseException as error:
            ready.put(error)
        else:
            ready.put(None)

    thread = threading.Thread(target=fetch, name="artifact-stream", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        while thread.is_alive():
            try:
                ready.get(timeout=0.01)
            except queue.Empty:
                continue

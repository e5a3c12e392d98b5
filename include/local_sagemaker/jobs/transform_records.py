"""A transform job's input files as records, and the records as payloads.

A file is read as it is needed, so that what is in memory is one payload, however long the file is.
"""

import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

MEGABYTE = 1 << 20
_UNLIMITED = 1 << 40

_TFRECORD_HEADER = struct.Struct("<QI")
_TFRECORD_FOOTER = 4
_RECORDIO_HEADER = struct.Struct("<II")
_RECORDIO_MAGIC = 0xCED7230A
_RECORDIO_LENGTH_BITS = 29


class RecordError(Exception):
    """The file cannot be split as asked; the message is what the job's log says of it."""


class Record(NamedTuple):
    """One record: `framed` as it is in the file, `content` without what only frames it."""

    framed: bytes
    content: bytes


# Reads records no longer than the given number of bytes.
Splitter = Callable[[BinaryIO, int], Iterator[Record]]


def payloads(file: BinaryIO, split_type: str, strategy: str, limit: int) -> Iterator[bytes]:
    """The bodies of the requests for one file, in its order; raises RecordError.

    `split_type` and `strategy` are the API's (`None` or `Line` or ..., `MultiRecord` or `SingleRecord`),
    `limit` is the most bytes in a body, 0 meaning any number, as in the API. Without a split the file is
    one body, even when it is empty.
    """
    if split_type == "None":
        body = file.read(limit + 1 if limit else -1)
        if limit and len(body) > limit:
            raise _too_long("The file", limit)
        yield body
        return
    if split_type == "Line" and strategy == "MultiRecord":
        yield from _blocks_of_lines(file, limit)
        return
    limit = limit or _UNLIMITED
    records = _SPLITTERS[split_type](file, limit)
    if strategy == "SingleRecord":
        # Padding is removed for SingleRecord only (TransformInput's reference, SplitType).
        for record in records:
            yield record.content
    else:
        yield from _batches(records, limit)


def _blocks_of_lines(file: BinaryIO, limit: int) -> Iterator[bytes]:
    """As many lines in each body as fit, found from the end of a block: lines are many and short."""
    rest = b""
    while block := rest + file.read(limit + 1 - len(rest) if limit else -1):
        if not limit or len(block) <= limit:  # the file's end
            yield block
            return
        cut = block.rfind(b"\n", 0, limit) + 1
        if cut == 0:
            raise _too_long("A record", limit)
        yield block[:cut]
        rest = block[cut:]


def _batches(records: Iterator[Record], limit: int) -> Iterator[bytes]:
    """As many records in each body as fit."""
    batch: list[bytes] = []
    size = 0
    for record in records:
        if batch and size + len(record.framed) > limit:
            yield b"".join(batch)
            batch, size = [], 0
        batch.append(record.framed)
        size += len(record.framed)
    if batch:
        yield b"".join(batch)


def _lines(file: BinaryIO, limit: int) -> Iterator[Record]:
    # The newline stays with its record, as the SageMaker Python SDK's local mode has it.
    while line := file.readline(limit + 1):
        if len(line) > limit:
            raise _too_long("A record", limit)
        yield Record(line, line)


def _tfrecords(file: BinaryIO, limit: int) -> Iterator[Record]:
    """Length, its checksum, data, their checksum (TensorFlow's TFRecord format)."""
    while header := file.read(_TFRECORD_HEADER.size):
        if len(header) < _TFRECORD_HEADER.size:
            raise RecordError("The file ends inside a TFRecord's header")
        length, checksum = _TFRECORD_HEADER.unpack(header)
        if checksum != _masked_crc32c(header[:8]):
            raise RecordError(
                "The file is not in TFRecord format: the checksum of a record's length is wrong"
            )
        if length > limit:
            raise _too_long("A record", limit)
        body = _exactly(file, length + _TFRECORD_FOOTER, "TFRecord")
        yield Record(header + body, body[:length])


def _recordio(file: BinaryIO, limit: int) -> Iterator[Record]:
    """MXNet's RecordIO: a record that holds the magic number itself comes in parts."""
    framed: list[bytes] = []
    content: list[bytes] = []
    for frame, part, kind in _recordio_parts(file, limit):
        # Kinds: 0 the whole record, 1 its first part, 2 a middle one, 3 the last.
        if content and kind in (2, 3):
            content.append(_RECORDIO_HEADER.pack(_RECORDIO_MAGIC, 0)[:4])
        elif content or kind in (2, 3):
            raise RecordError("The file is not in RecordIO format: the parts of a record are out of order")
        framed.append(frame)
        content.append(part)
        if sum(map(len, content)) > limit:
            raise _too_long("A record", limit)
        if kind in (0, 3):
            yield Record(b"".join(framed), b"".join(content))
            framed, content = [], []
    if content:
        raise RecordError("The file ends inside a RecordIO record")


def _recordio_parts(file: BinaryIO, limit: int) -> Iterator[tuple[bytes, bytes, int]]:
    while header := file.read(_RECORDIO_HEADER.size):
        if len(header) < _RECORDIO_HEADER.size:
            raise RecordError("The file ends inside a RecordIO record")
        magic, kind_and_length = _RECORDIO_HEADER.unpack(header)
        if magic != _RECORDIO_MAGIC:
            raise RecordError("The file is not in RecordIO format: a record's magic number is wrong")
        length = kind_and_length & ((1 << _RECORDIO_LENGTH_BITS) - 1)
        if length > limit:
            raise _too_long("A record", limit)
        padded = _exactly(file, (length + 3) // 4 * 4, "RecordIO record")
        yield header + padded, padded[:length], kind_and_length >> _RECORDIO_LENGTH_BITS


_SPLITTERS: dict[str, Splitter] = {"Line": _lines, "TFRecord": _tfrecords, "RecordIO": _recordio}


def _exactly(file: BinaryIO, length: int, what: str) -> bytes:
    body = file.read(length)
    if len(body) < length:
        raise RecordError(f"The file ends inside a {what}")
    return body


def _too_long(what: str, limit: int) -> RecordError:
    return RecordError(f"{what} is longer than MaxPayloadInMB ({limit // MEGABYTE}) allows")


def _crc32c_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CRC32C = _crc32c_table()


def _masked_crc32c(data: bytes) -> int:
    """TFRecord's checksum. Only lengths are checked with it, 8 bytes each: no library is worth that."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC32C[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF

"""An input file's lines, judged one by one, as SageMaker splits them.

SageMaker splits at line feeds and nothing else (TransformInput's reference, SplitType): a quoted field that
goes on over a line's end would reach the model as two broken rows.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import IO, Any

from endpoint_deploy.core.batch_spec import BatchTransformSpec

_MEGABYTE = 1 << 20
_SHOWN = 60
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class BadLine(Exception):
    """The first line of a file that is not fit; lines count from 1, None for the file as a whole."""

    def __init__(self, line: int | None, found: str, expected: str) -> None:
        super().__init__(line, found, expected)
        self.line, self.found, self.expected = line, found, expected


def rows_of(lines: Iterable[bytes], batch: BatchTransformSpec) -> Iterator[Any]:
    """Each line's row: a list of a CSV line's fields as text, or a JSON line's value. Raises BadLine.

    `lines` keep their line feeds, as a binary file gives them.
    """
    reader = _Csv(batch) if batch.content_type == "text/csv" else _JsonLines()
    limit = batch.max_payload_mb * _MEGABYTE
    number = 0
    for number, line in enumerate(lines, start=1):
        if len(line) > limit:
            raise BadLine(number, f"{len(line)} bytes", f"at most {limit}, which max_payload_mb allows")
        yield reader.row(number, _text(number, line))
    if number == 0:
        raise BadLine(None, "an empty file", "at least one row")


def check_size(content: IO[bytes], batch: BatchTransformSpec) -> None:
    """Raise BadLine where a file at its beginning is too large to be judged in memory."""
    size = content.seek(0, io.SEEK_END)
    content.seek(0)
    if size > batch.max_bytes:
        raise BadLine(
            None,
            f"{size} bytes",
            f"at most max_bytes, {batch.max_bytes}, of a file that is read into memory: split the input, or "
            "raise the limit where the workers have the memory",
        )


def _text(number: int, line: bytes) -> str:
    if number == 1 and line.startswith(_BYTE_ORDER_MARK):
        raise BadLine(1, "a byte order mark", "text that begins with the first row")
    try:
        text = line.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise BadLine(number, f"the byte 0x{line[error.start]:02x}", "text in UTF-8") from None
    if "\0" in text:
        raise BadLine(number, "a NUL character", "text")
    if not text.strip():
        raise BadLine(number, "an empty line", "a row, since each line gets a prediction")
    return text


class _Csv:
    def __init__(self, batch: BatchTransformSpec) -> None:
        self._columns = list(batch.columns)
        self._fields = len(batch.columns) or None

    def row(self, number: int, text: str) -> list[str]:
        try:
            (row,) = csv.reader([text], strict=True)
        except csv.Error as error:
            # Also a field that is quoted and goes on in the next line.
            raise BadLine(number, f"{_short(text)} ({error})", "a row of CSV within its line") from None
        if number == 1 and self._columns and [field.strip() for field in row] == self._columns:
            raise BadLine(1, "the columns' names", "no header: the model would predict it")
        if self._fields is None:
            self._fields = len(row)
        if len(row) != self._fields:
            as_in = "as batch_transform.columns" if self._columns else "as line 1"
            raise BadLine(number, f"{len(row)} fields", f"{self._fields}, {as_in}")
        return row


class _JsonLines:
    def row(self, number: int, text: str) -> Any:
        try:
            return json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise BadLine(number, f"{_short(text)} ({error})", "a JSON value within its line") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")

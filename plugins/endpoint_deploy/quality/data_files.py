"""Data files read strictly: one that is cut off, broken or of another shape is refused, never read in part.

pandas alone pads a short row with nulls and takes a file cut in the middle of a number for a whole one.
"""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from endpoint_deploy.quality.errors import DataUnreadable

if TYPE_CHECKING:
    import pandas as pd

_SHOWN: Final = 60
_GZIP: Final = b"\x1f\x8b"


class Allowance:
    """The bytes that files may unpack to, all of them together."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = self._left = max_bytes

    def take(self, size: int, name: str) -> None:
        """Count what a file has unpacked to; raises DataUnreadable where that is more than is left."""
        self._left -= size
        if self._left < 0:
            raise _refused(
                name,
                f"more than the {self._max_bytes} bytes of max_bytes, once it and the files before it are "
                "unpacked",
                "a smaller window",
            )


def read_data(path: Path, name: str, *, format_: str, allowance: Allowance) -> "pd.DataFrame":
    """Return a file's rows, at least one.

    name: the file's own, for errors and by its suffix for gzip; format_: csv, jsonlines or parquet;
    allowance: what the file takes from, unpacked. CSV is comma-separated UTF-8 with a header, and ends in a
    newline. Raises DataUnreadable with the file, the line and what is wrong there.
    """
    read = {"csv": _csv, "jsonlines": _json_lines, "parquet": _parquet}[format_]
    try:
        frame = read(path, name, allowance)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _refused(
            name, f"a broken gzip archive ({error})", "a whole one: it was cut off or damaged"
        ) from error
    if frame.empty:
        raise _refused(name, "no rows", "at least one")
    return frame


def check_same_columns(
    columns: Sequence[str], name: str, first: Sequence[str], first_name: str, *, format_: str
) -> None:
    """Raise DataUnreadable where a file's columns are not those of the first; CSV's have an order."""
    lacking = [column for column in first if column not in columns]
    added = [column for column in columns if column not in first]
    if not lacking and not added and (format_ != "csv" or list(columns) == list(first)):
        return
    parts = [f"no column {', '.join(map(repr, lacking))}"] if lacking else []
    parts += [f"the column {', '.join(map(repr, added))} besides"] if added else []
    raise _refused(
        name,
        " and ".join(parts) or f"the columns in another order: {', '.join(columns)}",
        f"the columns of {first_name}: {', '.join(first)}",
    )


class _Lines:
    """A file's lines as text; raises on the first that is not UTF-8, and beyond the allowance."""

    def __init__(self, path: Path, name: str, allowance: Allowance) -> None:
        self._path, self._name, self._allowance = path, name, allowance
        self.number = 0
        self.ended = True

    def __iter__(self) -> Iterator[str]:
        opened = gzip.open if self._name.endswith(".gz") else open
        with opened(self._path, "rb") as file:
            for line in file:
                self.number += 1
                self._allowance.take(len(line), self._name)
                self.ended = line.endswith(b"\n")
                yield self._text(line)

    def _text(self, line: bytes) -> str:
        if self.number == 1 and line.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
            raise self.refused("a byte order mark", "UTF-8 without one")
        if self.number == 1 and line.startswith(_GZIP):
            raise self.refused("a gzip archive", "plain text, or a name that ends in .gz")
        if b"\0" in line:
            raise self.refused("a NUL byte", "text in UTF-8")
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            found = f"the byte 0x{line[error.start]:02x}, which is no UTF-8"
            raise self.refused(found, "text in UTF-8") from None

    def refused(self, found: str, expected: str, *, line: int | None = None) -> DataUnreadable:
        return _refused(f"{self._name}, line {line or self.number}", found, expected)


def _csv(path: Path, name: str, allowance: Allowance) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415 - costs most of a second

    lines = _Lines(path, name, allowance)
    rows = csv.reader(lines, strict=True)
    try:
        header = next(rows, None)
        _check_header(header, name)
        _check_rows(rows, lines, header or [])
    except csv.Error as error:
        raise lines.refused(f"broken CSV ({error})", "rows of fields between commas") from None
    if not lines.ended:
        raise lines.refused(
            "a last line without a newline", "one: without it nobody can tell a whole row from a cut one"
        )
    return pd.read_csv(
        path,
        compression="gzip" if name.endswith(".gz") else None,
        low_memory=False,  # in pieces, a column's type would be guessed anew for each
        index_col=False,
    )


def _check_header(header: list[str] | None, name: str) -> None:
    if not header:
        raise _refused(name, "an empty file", "a header and rows")
    if nameless := [index for index, column in enumerate(header, 1) if not column.strip()]:
        raise _refused(f"{name}, line 1", f"no name for column {nameless[0]}", "a header with each column's")
    if twice := [column for column in header if header.count(column) > 1]:
        raise _refused(f"{name}, line 1", f"the column {twice[0]!r} more than once", "each of them once")


def _check_rows(rows: Any, lines: _Lines, header: list[str]) -> None:
    blank = None
    for row in rows:
        if not row:
            blank = blank or rows.line_num  # at the very end it is no fault
        elif blank is not None:
            raise lines.refused("an empty line", "a row", line=blank)
        elif len(row) != len(header):
            raise lines.refused(
                f"{len(row)} fields: {','.join(row)[:_SHOWN]!r}", f"{len(header)}, as the header has"
            )


def _json_lines(path: Path, name: str, allowance: Allowance) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415 - as above

    lines = _Lines(path, name, allowance)
    rows: list[dict[str, Any]] = []
    for line in lines:
        try:
            row = json.loads(line, object_pairs_hook=_Row, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise lines.refused(
                f"no JSON ({error}): {line.strip()[:_SHOWN]!r}", "a JSON object a line"
            ) from None
        if not isinstance(row, _Row):
            raise lines.refused(f"{line.strip()[:_SHOWN]!r}", "a JSON object")
        if nested := [key for key, value in row.items() if isinstance(value, dict | list)]:
            raise lines.refused(f"a list or an object under {nested[0]!r}", "a plain value")
        if rows and row.keys() != rows[0].keys():
            differing = sorted(row.keys() ^ rows[0].keys())
            raise lines.refused(
                f"other keys than on line 1: {', '.join(differing)}",
                "the same on every line, null if unknown",
            )
        rows.append(row)
    if not rows:
        raise _refused(name, "an empty file", "a JSON object a line")
    return pd.DataFrame.from_records(rows)


class _Row(dict[str, Any]):
    """A JSON object that names no key twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        if len(self) != len(pairs):
            raise ValueError("a key stands twice in an object")


def _no_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _parquet(path: Path, name: str, allowance: Allowance) -> "pd.DataFrame":
    import pyarrow as pa  # noqa: PLC0415 - not every spec needs it
    from pyarrow import parquet  # noqa: PLC0415 - as above

    try:
        with parquet.ParquetFile(path) as file:
            groups = (file.metadata.row_group(index) for index in range(file.metadata.num_row_groups))
            allowance.take(sum(group.total_byte_size for group in groups), name)
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise _refused(name, f"no whole Parquet file ({error})", "one: it was cut off or damaged") from error
    if nested := [field.name for field in table.schema if pa.types.is_nested(field.type)]:
        raise _refused(name, f"lists or structures in column {nested[0]!r}", "plain values")
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    return frame


def _refused(where: str, found: str, expected: str) -> DataUnreadable:
    return DataUnreadable(f"{where}: found {found}; expected {expected}")

"""Joined rows as a data frame, and as a file in the form of the training data."""

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from endpoint_deploy.core.feedback import Untyped
from endpoint_deploy.quality.errors import DataUnreadable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def frame_of(rows: Sequence[Sequence[Any]], columns: Sequence[str], format_: str) -> "pd.DataFrame":
    """The rows with their columns by name, as a reader of `file_of` finds them."""
    import pandas as pd  # noqa: PLC0415 - costs most of a second

    if not rows:
        return pd.DataFrame(columns=list(columns))
    if format_ == "csv":
        return pd.read_csv(io.BytesIO(_csv(rows, columns)))
    if format_ == "jsonlines":
        return pd.DataFrame.from_records(_records(rows, columns))
    frame: pd.DataFrame = _table(rows, columns).to_pandas()
    return frame


def file_of(rows: Sequence[Sequence[Any]], columns: Sequence[str], format_: str) -> bytes:
    """The rows in the form of `retrain.data.format`; the same rows give the same bytes.

    Values that were sent as JSON keep their types in JSON Lines and Parquet; of those sent as CSV, what is a
    number, or true or false, in JSON becomes one, and an empty one null. None depends on the other rows.
    Raises DataUnreadable where Parquet has no type for all values of a column.
    """
    if format_ == "csv":
        return _csv(rows, columns)
    if format_ == "jsonlines":
        return b"".join(json.dumps(record).encode() + b"\n" for record in _records(rows, columns))
    from pyarrow import parquet  # noqa: PLC0415 - not every spec needs it

    buffer = io.BytesIO()
    parquet.write_table(_table(rows, columns), buffer)
    return buffer.getvalue()


def _csv(rows: Sequence[Sequence[Any]], columns: Sequence[str]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    # What was sent as text stays as it was sent.
    writer.writerows([["" if cell is None else cell for cell in row] for row in rows])
    return text.getvalue().encode()


def _records(rows: Sequence[Sequence[Any]], columns: Sequence[str]) -> list[dict[str, Any]]:
    return [dict(zip(columns, map(_typed, row), strict=True)) for row in rows]


def _table(rows: Sequence[Sequence[Any]], columns: Sequence[str]) -> "pa.Table":
    import pyarrow as pa  # noqa: PLC0415 - as above

    arrays = []
    for index, column in enumerate(columns):
        try:
            arrays.append(pa.array([_typed(row[index]) for row in rows]))
        except (pa.ArrowException, OverflowError) as error:
            raise DataUnreadable(
                f"feedback, column {column!r}: found values that are no one type of Parquet's ({error}); "
                "expected numbers or texts, and not both"
            ) from error
    return pa.Table.from_arrays(arrays, names=list(columns))


def _typed(cell: Any) -> Any:
    if not isinstance(cell, Untyped):
        return None if isinstance(cell, float) and not math.isfinite(cell) else cell  # NaN is no JSON
    if not cell:
        return None
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        return str(cell)
    return value if isinstance(value, int | float) and math.isfinite(value) else str(cell)

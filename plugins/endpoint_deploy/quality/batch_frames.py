"""Batch input and predictions as tables, for their suites."""

from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

from endpoint_deploy.core.answers import named

if TYPE_CHECKING:
    import pandas as pd


def csv_frame(file: IO[bytes], columns: Sequence[str]) -> "pd.DataFrame":
    """A row a line of a CSV file without header; empty fields are nulls, whole columns of numbers numbers."""
    import pandas as pd  # noqa: PLC0415 - costs most of a second

    return pd.read_csv(file, header=None, names=list(columns), skip_blank_lines=False)


def json_frame(rows: Sequence[Any]) -> "pd.DataFrame":
    """A row a value: an object's members by name, a list's as `field_0`, `field_1`, …, another as `field`."""
    import pandas as pd  # noqa: PLC0415 - as above

    return pd.DataFrame([_fields(row) for row in rows])


def answers_frame(predictions: Sequence[Any]) -> "pd.DataFrame":
    """A row a prediction, with its parts as columns: see `core.answers.named`."""
    import pandas as pd  # noqa: PLC0415 - as above

    return pd.DataFrame([named(prediction) for prediction in predictions])


def _fields(row: Any) -> dict[str, Any]:
    if isinstance(row, dict):
        return row
    if isinstance(row, list):
        return {f"field_{index}": value for index, value in enumerate(row)}
    return {"field": row}

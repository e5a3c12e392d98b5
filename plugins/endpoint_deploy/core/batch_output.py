"""A transform job's output file as predictions, one for each row that was sent."""

import csv
import json
from collections.abc import Iterable
from typing import Any

from endpoint_deploy.core.answers import csv_rows, from_json, json_line, json_values
from endpoint_deploy.core.batch_input import BadLine
from endpoint_deploy.core.batch_spec import BatchTransformSpec

_UNREADABLE = (ValueError, RecursionError, csv.Error)


def predictions_of(content: bytes, batch: BatchTransformSpec, *, rows: int) -> list[Any]:
    """The predictions of an output file; raises BadLine where there is not exactly one for each of `rows`.

    An answer to several records (MultiRecord) is a row or a line for each, or a JSON list of them; an answer
    to one record is one prediction, of one part or of several. JSON Lines with as many lines as `rows` are a
    prediction a line, whatever lists it holds.
    """
    try:
        found = _predictions(content.decode("utf-8"), batch, rows)
    except _UNREADABLE as error:
        raise _no_predictions(batch, error) from None
    _check(len(found), rows)
    return found


def check_count(lines: Iterable[bytes], batch: BatchTransformSpec, *, rows: int) -> None:
    """Raise BadLine where `predictions_of` would, holding one line at a time: for CSV and JSON Lines.

    `lines` keep their line feeds, as a binary file gives them.
    """
    count = _csv_count if batch.accept == "text/csv" else _json_lines_count
    try:
        found = count((line.decode("utf-8") for line in lines), rows)
    except _UNREADABLE as error:
        raise _no_predictions(batch, error) from None
    _check(found, rows)


def in_lines(batch: BatchTransformSpec) -> bool:
    """Whether predictions can be counted by `check_count`: of JSON, a value may go on over many lines."""
    return batch.accept != "application/json"


def _csv_count(lines: Iterable[str], _rows: int) -> int:
    return sum(1 for row in csv.reader(lines) if row)


def _json_lines_count(lines: Iterable[str], rows: int) -> int:
    """How many predictions; as in `_predictions`, only the number of lines tells what a list in one is."""
    number, predictions, unequal = 0, 0, None
    for line in lines:
        if not line.strip():
            continue
        number += 1
        value = json.loads(line)
        try:
            predictions += len(from_json(value)) if isinstance(value, dict) else 1
        except ValueError as error:
            unequal = error
    if number != rows and unequal is not None:
        raise unequal
    return number if number == rows else predictions


def _check(found: int, rows: int) -> None:
    if found != rows:
        raise BadLine(None, f"{found} predictions", f"{rows}, one for each row")


def _no_predictions(batch: BatchTransformSpec, error: Exception) -> BadLine:
    return BadLine(None, f"predictions that are not {batch.accept} ({error})", batch.accept)


def _predictions(text: str, batch: BatchTransformSpec, rows: int) -> list[Any]:
    if batch.accept == "text/csv":
        return list(csv_rows(text))
    if batch.accept == "application/jsonlines":
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) == rows:  # an embedding is a list too, and no line's list is several rows' here
            return [_only(json.loads(line)) for line in lines]
        return [each for line in lines for each in json_line(line)]
    values = json_values(text)
    if batch.strategy == "MultiRecord":
        return [each for value in values for each in from_json(value)]
    return [_only(value) for value in values]


def _only(value: Any) -> Any:
    try:
        several = from_json(value)
    except ValueError:  # lists of unequal length: the parts of one prediction, not columns of several
        return value
    return several[0] if len(several) == 1 else value

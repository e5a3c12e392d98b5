"""A model's answers as predictions, in whichever of the usual forms they come."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_WRAPPERS = ("predictions", "outputs", "instances")


def from_json(value: Any) -> list[Any]:
    """The predictions of one JSON answer.

    A list of predictions, an object that holds one under `predictions`, `outputs` or `instances`, an object
    of equally long lists, or one prediction. Raises ValueError where lists are not equally long.
    """
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return [value]
    for wrapper in _WRAPPERS:
        if isinstance(value.get(wrapper), list):
            return list(value[wrapper])
    columns = list(value.values())
    if columns and all(isinstance(column, list) for column in columns):
        return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    return [value]


def json_line(line: str) -> list[Any]:
    """The predictions of one JSON line: an object may hold several, a list is one of several parts."""
    value = json.loads(line)
    return from_json(value) if isinstance(value, dict) else [value]


def csv_rows(text: str) -> list[list[Any]]:
    """The rows of a CSV text that are not empty, with numbers as numbers."""
    return [[number(cell) for cell in row] for row in csv.reader(io.StringIO(text)) if row]


def json_values(text: str) -> Iterator[Any]:
    """JSON values one after the other, with white space between them. Raises ValueError."""
    decoder, at = json.JSONDecoder(), _after_space(text, 0)
    while at < len(text):
        value, end = decoder.raw_decode(text, at)
        yield value
        at = _after_space(text, end)


def _after_space(text: str, at: int) -> int:
    """Where the next value begins, or the text's end."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


def named(prediction: Any) -> dict[str, Any]:
    """A prediction's parts by name.

    One number or text is `prediction`, several are `prediction_0`, `prediction_1`, …, named parts keep their
    names.
    """
    if isinstance(prediction, dict):
        return {str(name): value for name, value in prediction.items()}
    if isinstance(prediction, list) and len(prediction) != 1:
        return {f"prediction_{index}": value for index, value in enumerate(prediction)}
    return {"prediction": prediction[0] if isinstance(prediction, list) else prediction}


def number(cell: str) -> Any:
    """A CSV field as a number, or as the text it is."""
    try:
        return float(cell)
    except ValueError:
        return cell.strip()

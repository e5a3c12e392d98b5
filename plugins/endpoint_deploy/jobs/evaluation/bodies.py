"""What an endpoint would be sent and what it would answer: bodies by their content type."""

from __future__ import annotations

import argparse
import csv
import io
import json
from typing import Any, List, Tuple

from .held_out import Row, as_json, as_text

Answered = Tuple[str, str]  # prediction and score, as predictions.csv has them
_WRAPPERS = ("predictions", "outputs", "instances")


def request_body(options: argparse.Namespace, batch: List[Row]) -> str:
    """The rows without their truth: values in their order, as JSON Lines objects by the columns' names."""
    rows = [{name: value for name, value in row.items() if name != options.target} for row in batch]
    if options.content_type == "text/csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([map(as_text, row.values()) for row in rows])
        return text.getvalue()
    plain = [{name: as_json(value) for name, value in row.items()} for row in rows]
    if options.content_type == "application/json":
        return json.dumps({"instances": [list(row.values()) for row in plain]})
    return "".join(json.dumps(row) + "\n" for row in plain)


def read_answer(content_type: str, body: str, rows: int) -> List[Any]:
    """The predictions in an answer, in the forms that smoke tests read too; raises ValueError."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/csv":
        lines = [line for line in csv.reader(io.StringIO(body)) if line]
        # SageMaker's own XGBoost answers a batch in a single line.
        return list(lines[0]) if len(lines) == 1 and len(lines[0]) == rows else list(lines)
    if kind in ("application/jsonlines", "application/x-jsonlines"):
        values = [json.loads(line) for line in body.splitlines() if line.strip()]
        return [each for value in values for each in (_listed(value) if isinstance(value, dict) else [value])]
    if kind == "application/json":
        return _listed(json.loads(body))
    raise ValueError(f"found the content type {content_type!r}, expected JSON, JSON Lines or CSV")


def _listed(value: Any) -> List[Any]:
    """A list, one below a usual name, an object of equally long lists, or one prediction alone."""
    if not isinstance(value, dict):
        return value if isinstance(value, list) else [value]
    for wrapper in _WRAPPERS:
        if isinstance(value.get(wrapper), list):
            return list(value[wrapper])
    columns = list(value.values())
    if columns and all(isinstance(column, list) and len(column) == len(columns[0]) for column in columns):
        return [dict(zip(value, row)) for row in zip(*columns)]
    return [value]


def parts_of(options: argparse.Namespace, answer: Any) -> Answered:
    """Prediction and score of one answer; raises ValueError where it has not the parts that are asked for."""
    if isinstance(answer, list):
        several = {f"prediction_{index}": value for index, value in enumerate(answer)}
        answer = answer[0] if len(answer) == 1 else several
    wanted = [part for part in (options.prediction, options.score) if part]
    if not isinstance(answer, dict):
        if wanted:
            raise ValueError(f"found an answer without parts, expected one named {wanted[0]!r}")
        return as_text(answer), ""
    named = ", ".join(map(str, answer))
    if not options.prediction:
        raise ValueError(f"found the parts {named}; evaluation.prediction must say which is the prediction")
    for part in wanted:
        if part not in answer:
            raise ValueError(f"found the parts {named}, expected one named {part!r}")
    return as_text(answer[options.prediction]), as_text(answer[options.score]) if options.score else ""

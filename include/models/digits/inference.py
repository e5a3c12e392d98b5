"""Serve the digits classifier by the contract of SageMaker's script-mode containers.

Takes ``text/csv`` (64 pixels a line, no header), ``application/json`` (``{"instances": [[64 pixels], …]}``)
or ``application/jsonlines`` (a line a row: ``[64 pixels]``, or ``{"features": [64 pixels]}``). Answers
``{"label": digit, "probability": p}`` for each row, where p is the probability of the digit answered:
``application/json`` as one list, ``application/jsonlines`` as one object a line.
"""

import csv
import io
import json
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sagemaker_inference.errors import GenericInferenceToolkitError

N_FEATURES = 64
JSON, JSON_LINES, CSV = "application/json", "application/jsonlines", "text/csv"
ANY = {"application/*", "*/*"}


def refusal(status: HTTPStatus, message: str) -> GenericInferenceToolkitError:
    """An error the container answers with this status: the request's fault, not the model's."""
    return GenericInferenceToolkitError(status.value, message, status.phrase)


def media_type(header: str | None) -> str:
    return (header or JSON).split(";")[0].strip().lower()


def instances(text: str) -> list[Any]:
    body = json.loads(text)
    if not isinstance(body, dict) or not isinstance(body.get("instances"), list):
        raise ValueError('expected {"instances": [[…], …]}')
    return body["instances"]


def json_line(line: str) -> Any:
    value = json.loads(line)
    return value.get("features") if isinstance(value, dict) else value


PARSERS: dict[str, Callable[[str], list[Any]]] = {
    CSV: lambda text: [row for row in csv.reader(io.StringIO(text)) if row],
    JSON: instances,
    JSON_LINES: lambda text: [json_line(line) for line in text.splitlines() if line.strip()],
}


def model_fn(model_dir: str) -> Any:
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(body: str | bytes, content_type: str) -> np.ndarray:
    kind = media_type(content_type)
    if kind not in PARSERS:
        raise refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"found content type {content_type!r}, expected one of {', '.join(PARSERS)}",
        )
    try:
        return as_matrix(PARSERS[kind](body.decode() if isinstance(body, bytes) else body))
    except (ValueError, TypeError, OverflowError, RecursionError, csv.Error) as error:
        raise refusal(HTTPStatus.BAD_REQUEST, f"the body is not {kind} of digits: {error}") from error


def as_matrix(rows: list[Any]) -> np.ndarray:
    if not rows:
        raise ValueError("found no row, expected at least one")
    for number, row in enumerate(rows):
        found = len(row) if isinstance(row, list) else type(row).__name__
        if found != N_FEATURES:
            raise ValueError(f"row {number}: found {found} features, expected {N_FEATURES}")
    matrix = np.array(rows, dtype=np.float64)
    if not (finite := np.isfinite(matrix)).all():
        row, column = np.argwhere(~finite)[0]
        raise ValueError(
            f"row {row}, feature {column}: found {matrix[row, column]}, expected a finite number"
        )
    return matrix


def predict_fn(matrix: np.ndarray, model: Any) -> list[dict[str, float]]:
    probabilities = model.predict_proba(matrix)
    best = probabilities.argmax(axis=1)
    return [
        {"label": int(model.classes_[index]), "probability": float(row[index])}
        for index, row in zip(best, probabilities, strict=True)
    ]


def output_fn(prediction: list[dict[str, float]], accept: str) -> tuple[str, str]:
    accepted = {media_type(choice) for choice in accept.split(",")}
    if accepted & {JSON, *ANY}:
        return json.dumps(prediction), JSON
    if JSON_LINES in accepted:
        return "".join(f"{json.dumps(each)}\n" for each in prediction), JSON_LINES
    raise refusal(HTTPStatus.NOT_ACCEPTABLE, f"found Accept {accept!r}, expected {JSON} or {JSON_LINES}")

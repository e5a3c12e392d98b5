"""Serve the breast cancer classifier by the contract of SageMaker's script-mode containers.

Takes ``application/json`` (``{"instances": [[30 numbers], …]}``) or ``text/csv`` (30 numbers a line, no
header), answers ``application/json``: ``[{"label": 0 or 1, "probability": p}, …]``, one object a row, where
0 is malignant, 1 is benign, and p is the probability of the label answered.
"""

import csv
import io
import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sagemaker_inference.errors import GenericInferenceToolkitError

N_FEATURES = 30
LARGEST = np.finfo(np.float32).max  # trees compare in single precision; NaN is not below it either
JSON, CSV = "application/json", "text/csv"


def refusal(status: HTTPStatus, message: str) -> GenericInferenceToolkitError:
    """An error the container answers with this status: the request's fault, not the model's."""
    return GenericInferenceToolkitError(status.value, message, status.phrase)


def media_type(header: str | None) -> str:
    return (header or JSON).split(";")[0].strip().lower()


def parse_json(text: str) -> list[Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise refusal(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from error
    if not isinstance(body, dict) or not isinstance(body.get("instances"), list):
        raise refusal(HTTPStatus.BAD_REQUEST, 'expected {"instances": [[…], …]}')
    return body["instances"]


def parse_csv(text: str) -> list[Any]:
    try:
        return [row for row in csv.reader(io.StringIO(text)) if row]
    except csv.Error as error:
        raise refusal(HTTPStatus.BAD_REQUEST, f"the body is not CSV: {error}") from error


PARSERS = {JSON: parse_json, CSV: parse_csv}


def model_fn(model_dir: str) -> Any:
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(body: str | bytes, content_type: str) -> np.ndarray:
    parser = PARSERS.get(media_type(content_type))
    if parser is None:
        raise refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"found content type {content_type!r}, expected {JSON} or {CSV}",
        )
    try:
        rows = parser(body.decode() if isinstance(body, bytes) else body)
    except UnicodeDecodeError as error:
        raise refusal(HTTPStatus.BAD_REQUEST, f"the body is not UTF-8: {error}") from error
    return as_matrix(rows)


def as_matrix(rows: list[Any]) -> np.ndarray:
    if not rows:
        raise refusal(HTTPStatus.BAD_REQUEST, "found no row, expected at least one")
    for number, row in enumerate(rows):
        found = len(row) if isinstance(row, list) else type(row).__name__
        if found != N_FEATURES:
            raise refusal(
                HTTPStatus.BAD_REQUEST, f"row {number}: found {found} features, expected {N_FEATURES}"
            )
    try:
        matrix = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise refusal(HTTPStatus.BAD_REQUEST, f"a feature is not a number: {error}") from error
    if not (usable := np.abs(matrix) <= LARGEST).all():
        row, column = np.argwhere(~usable)[0]
        raise refusal(
            HTTPStatus.BAD_REQUEST,
            f"row {row}, feature {column}: found {matrix[row, column]}, expected a finite number",
        )
    return matrix


def predict_fn(matrix: np.ndarray, model: Any) -> list[dict[str, float]]:
    probabilities = model.predict_proba(matrix)
    labels = probabilities.argmax(axis=1)
    return [
        {"label": int(label), "probability": float(row[label])}
        for label, row in zip(labels, probabilities, strict=True)
    ]


def output_fn(prediction: list[dict[str, float]], accept: str) -> tuple[str, str]:
    accepted = {media_type(choice) for choice in accept.split(",")}
    if not accepted & {JSON, "application/*", "*/*"}:
        raise refusal(HTTPStatus.NOT_ACCEPTABLE, f"found Accept {accept!r}, expected {JSON}")
    return json.dumps(prediction), JSON

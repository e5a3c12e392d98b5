"""A model's answers as predictions that can be kept and compared."""

import hashlib
import json
import math
from typing import Any

from endpoint_deploy.core.answers import named
from endpoint_deploy.judge.measurements import Answer
from endpoint_deploy.quality.errors import PredictionsUnreadable
from endpoint_deploy.quality.predictions import Response, predictions_in

Part = bool | float | str | None
Prediction = dict[str, Part]


def predictions_of(content_type: str, body: bytes) -> list[Prediction]:
    """Each prediction by the names of its parts, as a smoke test's suite has them.

    An answer in another form than JSON, JSON Lines or CSV is one prediction, `digest`, of which can be told
    only whether it is the same.
    """
    response = Response(variant="", payload="", content_type=content_type, body=body)
    try:
        found = predictions_in(response)
    except PredictionsUnreadable:
        return [{"digest": hashlib.sha256(body).hexdigest()}]
    return [{name: _part(value) for name, value in named(prediction).items()} for prediction in found]


def compared(prediction: Prediction) -> Answer:
    """A prediction as the judge compares it."""
    parts = tuple(_comparable(prediction[name]) for name in sorted(prediction))
    return parts[0] if len(parts) == 1 else parts


def _comparable(part: Part) -> str | float:
    return json.dumps(part) if isinstance(part, bool) or part is None else part


def _part(value: Any) -> Part:
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, int | float) and not isinstance(value, bool):
        # JSON has no number for these.
        return float(value) if math.isfinite(value) else str(float(value))
    return value if isinstance(value, bool) or value is None else str(value)

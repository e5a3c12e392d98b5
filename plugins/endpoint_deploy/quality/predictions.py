"""A model's answers as a table, whichever of the usual forms they come in."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from endpoint_deploy.core.answers import csv_rows, from_json, json_line, named
from endpoint_deploy.quality.errors import PredictionsUnreadable

if TYPE_CHECKING:
    import pandas as pd

_OURS: Final = ("variant", "payload", "expected", "absolute_error")
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Response:
    """One answer: which variant gave it to which payload, and the truth, a value a prediction, if known."""

    variant: str
    payload: str
    content_type: str
    body: bytes
    expected: Sequence[Any] | None = None


def predictions_frame(responses: Iterable[Response]) -> "pd.DataFrame":
    """Return a row a prediction, with its `variant` and `payload`.

    A prediction of one number or text is in `prediction`, one of several in `prediction_0`, `prediction_1`,
    …, and one with named parts in columns of those names. Where the truth is known it is in `expected`, and
    for numbers its distance in `absolute_error`. Read are `application/json` (a list of predictions, an
    object that holds one under `predictions`, `outputs` or `instances`, an object of equally long lists, one
    prediction), `application/jsonlines` and `text/csv`. Raises PredictionsUnreadable for anything else, for
    no prediction at all, and for another number of predictions than of expected values.
    """
    import pandas as pd  # noqa: PLC0415 - costs most of a second

    return pd.DataFrame([row for response in responses for row in _rows(response)])


def _rows(response: Response) -> list[dict[str, Any]]:
    predictions = predictions_in(response)
    if not predictions:
        raise _unreadable(response, "no prediction in it, expected at least one")
    if response.expected is not None and len(response.expected) != len(predictions):
        raise _unreadable(
            response, f"{len(predictions)} predictions, expected {len(response.expected)}, one for each truth"
        )
    rows = []
    for index, prediction in enumerate(predictions):
        parts = named(prediction)
        if taken := [name for name in _OURS if name in parts]:
            raise _unreadable(
                response, f"a part named {taken[0]!r}, which this project uses for its own column"
            )
        row = {"variant": response.variant, "payload": response.payload, **parts}
        if response.expected is not None:
            row["expected"] = response.expected[index]
            if _is_number(parts.get("prediction")) and _is_number(row["expected"]):
                row["absolute_error"] = abs(parts["prediction"] - row["expected"])
        rows.append(row)
    return rows


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def predictions_in(response: Response) -> list[Any]:
    """The predictions of one answer; raises PredictionsUnreadable for what is none of the usual forms."""
    media_type = response.content_type.partition(";")[0].strip().lower()
    try:
        text = response.body.decode("utf-8")
        if media_type == "application/json":
            return from_json(json.loads(text))
        if media_type in ("application/jsonlines", "application/x-jsonlines"):
            return [
                prediction for line in text.splitlines() if line.strip() for prediction in json_line(line)
            ]
        if media_type == "text/csv":
            return _from_csv(text, response.expected)
    except (ValueError, RecursionError) as error:
        raise _unreadable(response, f"a body that is not {media_type} ({error})") from error
    raise _unreadable(
        response,
        f"the content type {response.content_type!r}, "
        "expected application/json, application/jsonlines or text/csv",
    )


def _from_csv(text: str, expected: Sequence[Any] | None) -> list[Any]:
    rows = csv_rows(text)
    # SageMaker's own XGBoost answers a batch in a single line.
    if len(rows) == 1 and expected is not None and len(rows[0]) == len(expected):
        return list(rows[0])
    return list(rows)


def _unreadable(response: Response, found: str) -> PredictionsUnreadable:
    shown = response.body[:_SHOWN].decode("utf-8", "replace")
    more = "…" if len(response.body) > _SHOWN else ""
    return PredictionsUnreadable(
        f"variant {response.variant}, payload {response.payload}: found {found}; "
        f"the body starts {shown!r}{more}"
    )

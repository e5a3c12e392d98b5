"""predictions.csv of an evaluation as a table."""

import io
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from endpoint_deploy.core.metric_gate import same_label
from endpoint_deploy.errors import EndpointDeployError

if TYPE_CHECKING:
    import pandas as pd

_NEEDED: Final = ("row", "truth", "candidate")
_MODELS: Final = ("candidate", "champion")


def evaluated_frame(content: bytes) -> "pd.DataFrame":
    """Return a row a held-out row.

    `row`, `truth`, `candidate` and `champion` are text, null where there is none; `truth_class` and
    `<model>_class` the same as classes are compared; `<model>_score` numbers, null where it is none.
    Raises EndpointDeployError where the file is no such table.
    """
    import pandas as pd  # noqa: PLC0415 - costs most of a second

    try:
        frame = pd.read_csv(io.BytesIO(content), dtype=object, keep_default_na=False, na_values=[""])
    except (ValueError, pd.errors.ParserError) as error:
        raise EndpointDeployError(
            f"predictions.csv cannot be read: {error}; expected a table as CSV"
        ) from error
    if missing := [column for column in _NEEDED if column not in frame]:
        raise EndpointDeployError(
            f"predictions.csv: found the columns {', '.join(map(str, frame))}, expected {missing[0]} too"
        )
    frame = frame.reindex(columns=[*_NEEDED, "champion", "candidate_score", "champion_score"])
    for column in ("truth", *_MODELS):
        frame[column] = frame[column].map(_overflowed, na_action="ignore")
        frame[f"{column}_class"] = frame[column].map(same_label, na_action="ignore")
    for column in _MODELS:
        frame[f"{column}_score"] = pd.to_numeric(frame[f"{column}_score"], errors="coerce").astype(float)
    return frame


def known_classes(frame: "pd.DataFrame") -> list[str]:
    """Return the classes that a prediction may name: those of the truth, and those that the champion names.

    Held-out rows may lack a rare class that training data have.
    """
    found: set[Any] = set(frame["truth_class"].dropna()) | set(frame["champion_class"].dropna())
    return sorted(found)


def _overflowed(text: str) -> str:
    """A number too large for a float is an infinity, whatever its digits say."""
    try:
        return text if isfinite(float(text)) else str(float(text))
    except ValueError:
        return text

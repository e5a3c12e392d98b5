"""Captured requests and the ground truth delivered for them, joined into rows to train on.

Both are JSON lines in Model Monitor's form (developer guide, "Capture data" and "Ingest Ground Truth
labels"): a truth names its request by the inference id that the caller gave, or else by the event id that
the service gave.
"""

import base64
import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import Field

from endpoint_deploy.core.strict import Strict

Row = tuple[Any, ...]


class Unusable(ValueError):
    """A record that cannot be joined; the message is the reason that is counted."""


class Untyped(str):
    """A value that came in CSV, where `1` may be a number or a text; JSON's values have their types."""

    __slots__ = ()


class Truth(Strict):
    """What was true for one request: a value for each of its rows."""

    id: str
    values: tuple[Any, ...]


class Figures(Strict):
    """What became of the ground truth of one hour, counted by request but for `rows`.

    `repeated` are truths whose request had one already, `unknown` those whose request is not found, and
    `unusable` those that cannot be joined, by reason.
    """

    truths: int = 0
    joined: int = 0
    rows: int = 0
    repeated: int = 0
    unknown: int = 0
    unusable: dict[str, int] = Field(default={})

    def plus(self, other: "Figures") -> "Figures":
        """Those of both together."""
        counts = {
            name: getattr(self, name) + getattr(other, name)
            for name in ("truths", "joined", "rows", "repeated", "unknown")
        }
        return Figures(**counts, unusable=dict(Counter(self.unusable) + Counter(other.unusable)))

    @property
    def share(self) -> float:
        """Share of the truths that found their request; 1 where there are none."""
        return self.joined / self.truths if self.truths else 1.0

    @property
    def sentence(self) -> str:
        """All of it, for a person."""
        reasons = "".join(f"; {count} {reason}" for reason, count in sorted(self.unusable.items()))
        return (
            f"{self.joined} of {self.truths} truths joined into {self.rows} rows, {self.unknown} of unknown "
            f"requests, {self.repeated} repeated{reasons}"
        )


def truth_of(line: str) -> Truth:
    """One line of ground truth; raises Unusable."""
    record = _record(line, "truth")
    try:
        name, data = str(record["eventMetadata"]["eventId"]), record["groundTruthData"]
        values = _values(_text(data), str(data.get("encoding", "CSV")))
    except (KeyError, TypeError, ValueError) as error:
        raise Unusable("truths not in Model Monitor's form") from error
    if not values:
        raise Unusable("truths without a value")
    return Truth(id=name, values=values)


def request_id(record: Mapping[str, Any]) -> str | None:
    """What a captured request is known by: the caller's id where there is one, else the service's."""
    metadata = record.get("eventMetadata")
    if not isinstance(metadata, dict):
        return None
    found = metadata.get("inferenceId") or metadata.get("eventId")
    return str(found) if found else None


def request_rows(record: Mapping[str, Any], features: Sequence[str], *, answered: bool) -> tuple[Row, ...]:
    """The rows of a captured request, the features in their order; raises Unusable.

    answered: whether answers are captured, too, so that a request without one was not answered.
    """
    data = record.get("captureData", {})
    if "endpointInput" not in data:
        raise Unusable("requests captured without their rows")
    if answered and "endpointOutput" not in data:
        raise Unusable("requests without an answer")
    sent = data["endpointInput"]
    kind = str(sent.get("observedContentType", "")).partition(";")[0].strip().lower()
    try:
        rows = _rows(_text(sent), kind, len(features))
    except (ValueError, KeyError, TypeError) as error:
        raise Unusable(f"requests that cannot be read as {kind or 'rows'}") from error
    return tuple(_in_order(row, features) for row in rows)


def joined(
    truths: Iterable[Truth], requests: Mapping[str, tuple[Row, ...] | str], before: frozenset[str]
) -> tuple[tuple[Row, ...], Figures]:
    """The rows of the truths, in their order, the truth last; and what became of each truth.

    requests: rows by id, or the reason why there are none; before: ids whose truth came in an earlier hour.
    """
    rows: list[Row] = []
    seen: set[str] = set(before)
    counted, unusable = Counter[str](), Counter[str]()
    for truth in truths:
        if truth.id in seen:
            counted["repeated"] += 1
            continue
        seen.add(truth.id)
        counted["truths"] += 1
        found = requests.get(truth.id)
        if found is None:
            counted["unknown"] += 1
        elif isinstance(found, str):
            unusable[found] += 1
        elif len(found) != len(truth.values):
            unusable["truths with more or fewer values than their request has rows"] += 1
        else:
            counted["joined"] += 1
            rows += [(*row, value) for row, value in zip(found, truth.values, strict=True)]
    return tuple(rows), Figures(**counted, rows=len(rows), unusable=dict(unusable))


def join_suite(endpoint: str, least_joined: float) -> dict[str, Any]:
    """A Great Expectations suite, in the form of its files, over `join_row`."""
    expectations = [
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "joined_share", "min_value": least_joined, "max_value": 1.0},
        },
        {
            "type": "expect_column_pair_values_a_to_be_greater_than_b",
            "kwargs": {"column_A": "truths", "column_B": "joined", "or_equal": True},
        },
    ]
    return {"name": f"{endpoint}-feedback-join", "expectations": expectations}


def join_row(figures: Figures) -> dict[str, Any]:
    """The join's figures as the one row of a table."""
    counts = figures.model_dump(exclude={"unusable"})
    return {**counts, "unusable": sum(figures.unusable.values()), "joined_share": figures.share}


def _record(line: str, what: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise Unusable(f"{what}s that are no JSON") from error
    if not isinstance(record, dict):
        raise Unusable(f"{what}s that are no JSON object")
    return record


def _text(data: Mapping[str, Any]) -> str:
    text = str(data["data"])
    return base64.b64decode(text, validate=True).decode() if data.get("encoding") == "BASE64" else text


def _values(text: str, encoding: str) -> Row:
    if encoding == "JSON":
        value = json.loads(text)
        return tuple(value) if isinstance(value, list) else (value,)
    return tuple(Untyped(cell.strip()) for row in csv.reader(io.StringIO(text)) for cell in row)


def _rows(text: str, kind: str, width: int) -> list[Any]:
    if kind in {"text/csv", ""}:
        return [[Untyped(cell.strip()) for cell in row] for row in csv.reader(io.StringIO(text)) if row]
    if kind == "application/json":
        value = json.loads(text)
        rows = _instances(value)
        # A flat list is one row, unless a row has one value only.
        flat = rows and not isinstance(rows[0], list | dict)
        return [rows] if flat and width > 1 else [[row] if flat else row for row in rows]
    if kind in {"application/jsonlines", "application/x-jsonlines"}:
        lines = [json.loads(line) for line in text.splitlines() if line.strip()]
        return [row for line in lines for row in (_instances(line) if isinstance(line, dict) else [line])]
    raise ValueError(kind)


def _instances(value: Any) -> list[Any]:
    if isinstance(value, dict):
        found = value.get("instances", value.get("inputs"))
        return found if isinstance(found, list) else [value]
    return value if isinstance(value, list) else [value]


def _in_order(row: Any, features: Sequence[str]) -> Row:
    if isinstance(row, dict):
        # TensorFlow's and BlazingText's form has them one level down.
        row = row.get("features", row)
    if isinstance(row, dict):
        if missing := [name for name in features if name not in row]:
            raise Unusable(f"requests without the feature {missing[0]}")
        return tuple(row[name] for name in features)
    values = row if isinstance(row, list) else [row]
    if len(values) != len(features):
        raise Unusable(f"requests with {len(values)} values a row, not {len(features)}")
    return tuple(values)

"""Joining captured requests with ground truth, without S3: forms, figures, hours."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from endpoint_deploy.core.feedback import (
    Figures,
    Truth,
    Untyped,
    Unusable,
    join_row,
    joined,
    request_id,
    request_rows,
    truth_of,
)
from endpoint_deploy.core.feedback_hours import (
    Merged,
    MergedHour,
    by_hour,
    days,
    hours_to_merge,
    lost,
    name_of,
)
from endpoint_deploy.core.retrain import DataFile

FEATURES = ("a", "b")


def captured(data: str, kind: str = "text/csv", encoding: str = "CSV", **sides: Any) -> dict[str, Any]:
    """A captured request, answered."""
    return {
        "captureData": {
            "endpointInput": {
                "observedContentType": kind,
                "mode": "INPUT",
                "data": data,
                "encoding": encoding,
            },
            "endpointOutput": {"data": "1", "encoding": "CSV"},
            **sides,
        },
        "eventMetadata": {"eventId": "e-1", "inferenceTime": "2026-01-01T00:00:00Z"},
        "eventVersion": "0",
    }


def truth(data: str, encoding: str = "CSV") -> str:
    return json.dumps(
        {
            "groundTruthData": {"data": data, "encoding": encoding},
            "eventMetadata": {"eventId": "t-1"},
            "eventVersion": "0",
        }
    )


@pytest.mark.parametrize(
    ("data", "encoding", "values"),
    [
        ("1", "CSV", ("1",)),
        ("1,0\n1", "CSV", ("1", "0", "1")),
        ("[1, 0.5]", "JSON", (1, 0.5)),
        ('"yes"', "JSON", ("yes",)),
        (base64.b64encode(b"no").decode(), "BASE64", ("no",)),
    ],
)
def test_a_truth_has_a_value_for_each_row(data: str, encoding: str, values: tuple[Any, ...]) -> None:
    assert truth_of(truth(data, encoding)) == Truth(id="t-1", values=values)


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"eventMetadata": {"eventId": "x"}}', truth("")])
def test_a_truth_of_another_form_is_unusable(line: str) -> None:
    with pytest.raises(Unusable, match="truths"):
        truth_of(line)


@pytest.mark.parametrize(
    ("data", "kind", "rows"),
    [
        ("1,2", "text/csv", [("1", "2")]),
        ("1, 2\n\n03,x\n", "text/csv; charset=utf-8", [("1", "2"), ("03", "x")]),
        ("[1, 2]", "application/json", [(1, 2)]),
        ("[[1, 2], [3, 4]]", "application/json", [(1, 2), (3, 4)]),
        ('{"instances": [[1, 2]]}', "application/json", [(1, 2)]),
        ('{"instances": [{"features": [1, 2]}]}', "application/json", [(1, 2)]),
        ('[{"b": 2, "a": 1, "more": 0}]', "application/json", [(1, 2)]),
        ('{"b": 2, "a": null}', "application/json", [(None, 2)]),
        ('[1, 2]\n{"a": 3, "b": 4}\n', "application/jsonlines", [(1, 2), (3, 4)]),
    ],
)
@pytest.mark.parametrize("encoded", [False, True])
def test_rows_of_a_request_are_in_the_features_order(
    data: str, kind: str, rows: list[tuple[Any, ...]], encoded: bool
) -> None:
    sent = base64.b64encode(data.encode()).decode() if encoded else data
    record = captured(sent, kind, "BASE64" if encoded else "CSV")
    assert list(request_rows(record, FEATURES, answered=True)) == rows


def test_values_of_csv_are_known_to_have_no_type() -> None:
    assert [type(value) for value in truth_of(truth("1,x")).values] == [Untyped, Untyped]
    assert [type(value) for value in truth_of(truth('["1", 1]', "JSON")).values] == [str, int]
    (row,) = request_rows(captured("1,2"), FEATURES, answered=True)
    assert [type(value) for value in row] == [Untyped, Untyped]


def test_a_single_feature_makes_a_row_of_each_value() -> None:
    record = captured("[1, 2]", "application/json", "JSON")
    assert request_rows(record, ("a",), answered=True) == ((1,), (2,))


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (captured("1,2,3"), "requests with 3 values a row, not 2"),
        (captured('{"a": 1}', "application/json"), "requests without the feature b"),
        (captured("{", "application/json"), "cannot be read as application/json"),
        (captured("1,2", "image/png"), "cannot be read as image/png"),
        (captured("?", encoding="BASE64"), "cannot be read as text/csv"),
        ({**captured("1,2"), "captureData": {"endpointOutput": {}}}, "without their rows"),
        ({**captured("1,2"), "captureData": {"endpointInput": {"data": "1,2"}}}, "without an answer"),
    ],
)
def test_what_cannot_be_joined_has_its_reason(record: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unusable, match=reason):
        request_rows(record, FEATURES, answered=True)


def test_a_request_is_known_by_the_callers_id_before_the_services() -> None:
    record = captured("1,2")
    assert request_id(record) == "e-1"
    record["eventMetadata"]["inferenceId"] = "mine"
    assert request_id(record) == "mine"
    assert request_id({}) is None


def test_each_truth_is_counted_once_and_for_what_became_of_it() -> None:
    truths = [
        Truth(id="batch", values=("1", "0")),
        Truth(id="one", values=("1",)),
        Truth(id="one", values=("0",)),
        Truth(id="earlier", values=("1",)),
        Truth(id="nobody", values=("1",)),
        Truth(id="short", values=("1",)),
        Truth(id="bad", values=("1",)),
    ]
    requests: dict[str, Any] = {
        "batch": ((1, 2), (3, 4)),
        "one": ((5, 6),),
        "earlier": ((0, 0),),
        "short": ((1, 2), (3, 4)),
        "bad": "requests without the feature b",
    }
    rows, figures = joined(truths, requests, frozenset({"earlier"}))
    assert rows == ((1, 2, "1"), (3, 4, "0"), (5, 6, "1"))
    assert figures == Figures(
        truths=5,
        joined=2,
        rows=3,
        repeated=2,
        unknown=1,
        unusable={
            "requests without the feature b": 1,
            "truths with more or fewer values than their request has rows": 1,
        },
    )
    assert join_row(figures)["joined_share"] == 0.4
    assert "2 of 5 truths joined into 3 rows, 1 of unknown requests, 2 repeated" in figures.sentence
    assert figures.plus(figures).unusable["requests without the feature b"] == 2
    assert Figures().share == 1.0


def _file(key: str, etag: str = "1") -> DataFile:
    return DataFile(key=key, etag=etag, size=1)


def _truth_of_hours(*etags: str) -> dict[datetime, tuple[DataFile, ...]]:
    return by_hour(_file(f"truth/2026/01/01/{n:02d}/x.jsonl", etag) for n, etag in enumerate(etags))


def test_hours_are_read_from_keys_and_what_has_none_is_left_out() -> None:
    found = by_hour(
        _file(key)
        for key in (
            "t/2026/02/28/23/b.jsonl",
            "t/2026/02/28/23/a.jsonl",
            "t/2026/02/28/01/a.jsonl",
            "t/2026/02/30/01/a.jsonl",
            "t/2026/02/28/a.jsonl",
            "t/2026/02/28/01/_SUCCESS",
        )
    )
    assert [name_of(hour) for hour in found] == ["2026-02-28-01", "2026-02-28-23"]
    late = datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert [file.key[-7:] for file in found[late]] == ["a.jsonl", "b.jsonl"]
    assert list(days(late, datetime(2026, 3, 1, 0, tzinfo=UTC))) == ["2026/02/28", "2026/03/01"]


def test_an_hour_is_merged_again_when_its_truth_or_earlier_truth_has_changed() -> None:
    truth_ = _truth_of_hours("1", "1", "1", "1")
    due = hours_to_merge(truth_, Merged(), frozenset(), settings=["a"], delay=1)
    assert [name_of(hour)[-2:] for hour in due] == ["00", "01", "02", "03"]
    names = frozenset(name_of(hour) for hour in due)
    full = Figures(truths=1, joined=1, rows=1)
    done = Merged(hours={name_of(h): MergedHour(digest=d, figures=full) for h, d in due.items()})

    def again(files: Any, there: frozenset[str] = names, settings: Any = ("a",), known: Merged = done) -> str:
        found = hours_to_merge(files, known, there, settings=list(settings), delay=1)
        return " ".join(name_of(hour)[-2:] for hour in found)

    assert again(truth_) == ""
    # Of one hour's delay, only the next is about requests of the same hours.
    assert again(_truth_of_hours("1", "late", "1", "1")) == "01 02"
    assert again(truth_, settings=("b",)) == "00 01 02 03"
    assert again(truth_, there=names - {"2026-01-01-02"}) == "02"
    # Truth of unknown requests is tried again as long as they may still be captured late.
    missed = Figures(truths=2, joined=1, rows=1, unknown=1)
    waiting = Merged(hours={n: each.model_copy(update={"figures": missed}) for n, each in done.hours.items()})
    assert again(truth_, known=waiting) == "02 03"


@pytest.mark.parametrize(
    ("now", "is_lost"),
    [
        (Figures(truths=5, joined=0, unknown=5), True),  # every capture has expired
        (Figures(truths=6, joined=3, unknown=3), True),  # some, and other truth came
        (Figures(truths=5, joined=4, unknown=1), False),
        (Figures(truths=3, joined=2, unknown=1), False),  # truth was taken back
        (Figures(truths=5, joined=3, unknown=1, repeated=1), False),  # it came in an earlier hour
        (Figures(truths=9, joined=4, unknown=5), False),
    ],
)
def test_rows_are_lost_where_requests_that_were_found_are_gone(now: Figures, is_lost: bool) -> None:
    before = MergedHour(digest="d", figures=Figures(truths=5, joined=4, rows=4, unknown=1))
    assert lost(before, now) is is_lost
    assert not lost(None, now)

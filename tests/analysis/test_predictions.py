"""Predictions that a suite does not expect, those that drift, and requests as data capture keeps them."""

import base64
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from endpoint_deploy.analysis.captured import captured_requests, request_in
from endpoint_deploy.quality.unexpected import unexpected_rows
from tests.analysis.conftest import Release
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET

pytestmark = AS_IN_PRODUCTION

Make = Callable[..., Release]
LINES = {
    "smoke_tests": False,
    "payloads": [{"payload": "lines.jsonl", "lines": True}],
    "requests_per_look": 60,
}
SUITE = {
    "kind": "error_rate",
    "name": "unexpected",
    "source": "predictions",
    "expectations": "suite.json",
    "negligible": 0.2,
    "least": 10,
    "samples": 60,
}
DRIFT = {
    "kind": "prediction_drift",
    "of": "numbers",
    "tolerated": 0.05,
    "unacceptable": 0.6,
    "least": 10,
    "samples": 60,
}


@pytest.mark.parametrize(("candidate", "way"), [("same", "promote"), ("wrong", "roll_back")])
def test_predictions_beyond_the_suite_are_errors(release: Make, candidate: str, way: str) -> None:
    look = release({"metrics": [SUITE], "replay": LINES}).looks(candidate)[-1]
    assert look.on.way == way, look.on.reason
    numbers = look.judgement.of("unexpected").numbers
    assert (numbers.candidate_samples, numbers.champion) == (60, 0.0)


@pytest.mark.parametrize(("candidate", "way"), [("same", "promote"), ("wrong", "roll_back")])
def test_a_distribution_that_moved_is_found(release: Make, candidate: str, way: str) -> None:
    look = release({"metrics": [DRIFT], "replay": LINES}).looks(candidate)[-1]
    assert look.on.way == way, look.on.reason


def test_rows_are_named_one_by_one(tmp_path: Any) -> None:
    frame = pd.DataFrame(
        [{"a": 1.0, "b": "x"}, {"a": None, "b": "y"}, {"a": 9.0, "b": "x"}, {"a": 2.0, "b": "z"}]
    )
    suite = tmp_path / "suite.json"

    def found(*expectations: dict[str, Any]) -> Any:
        suite.write_text(json.dumps({"name": "rows", "expectations": list(expectations)}))
        return unexpected_rows(frame, suite)

    not_null = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "a"}}
    small = {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "a", "max_value": 5, "mostly": 0.1},
    }
    known = {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "b", "value_set": ["x", "y"]}}
    absent = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "c"}}
    table = {"type": "expect_table_row_count_to_equal", "kwargs": {"value": 4}}
    assert found(not_null, small, known).rows == {1, 2, 3}
    assert found(small).rows == {2}  # `mostly` says what is borne; here every row counts
    assert found(absent).rows == {0, 1, 2, 3}
    assert found(small, table).not_of_rows == ("expect_table_row_count_to_equal",)


def record(body: str, encoding: str = "JSON", **more: Any) -> dict[str, Any]:
    """A captured record, as the service writes it."""
    sent = {"observedContentType": "application/json", "mode": "INPUT", "data": body, "encoding": encoding}
    answered = {
        "observedContentType": "application/json",
        "mode": "OUTPUT",
        "data": "[0]",
        "encoding": "JSON",
    }
    data = {"endpointInput": sent, "endpointOutput": answered, **more}
    return {"captureData": data, "eventMetadata": {"eventId": "1"}, "eventVersion": "0"}


def test_the_newest_captured_requests_are_replayed(release: Make) -> None:
    destination = f"s3://{BUCKET}/{uuid.uuid4().hex}/captured"
    one = release(
        {
            "metrics": [{**SUITE, "least": 5}],
            "replay": {"smoke_tests": False, "captured": True, "most_captured": 30, "requests_per_look": 30},
        },
        destination,
    )
    now = datetime.now(UTC)
    put(
        one,
        destination,
        "champion",
        now - timedelta(days=1),
        [f"[{number}.75]" for number in range(100, 140)],
    )
    put(one, destination, "champion", now, [f"[{number}.75]" for number in range(20)] * 2)
    found = captured_requests(one.hook, one.deployment.spec, now=now)
    assert len(found) == 30
    assert {each.body for each in found[:20]} == {f"[{number}.75]".encode() for number in range(20)}
    look = one.looks("same")[-1]
    assert look.on.way in {"promote", "ask"}, look.on.reason
    assert look.measured["requests"] == "0 of files, 30 captured"
    assert look.measured["distinct"] == 30


def put(release: Release, destination: str, variant: str, at: datetime, bodies: list[str]) -> None:
    """Write captured requests of one hour."""
    bucket, _, prefix = destination.removeprefix("s3://").partition("/")
    name = (
        f"{prefix}/{release.deployment.spec.endpoint_name}/{variant}/{at:%Y/%m/%d/%H}/{at:%M-%S}-000-a.jsonl"
    )
    lines = "".join(json.dumps(record(body)) + "\n" for body in bodies)
    release.hook.s3.put_object(Bucket=bucket, Key=name, Body=(lines + "{broken\n").encode())


def test_a_capture_that_is_not_there_is_said(release: Make) -> None:
    replay = {"smoke_tests": False, "captured": True}
    one = release({"metrics": [SUITE], "replay": replay}, "s3://no-such-bucket-of-ours/x")
    look = one.look("same")
    assert look.judgement.verdict == "error"
    assert "captured ones cannot be read: NoSuchBucket" in look.on.reason


def test_bodies_come_out_as_they_were_sent() -> None:
    raw = bytes(range(256))
    binary = request_in(record(base64.b64encode(raw).decode(), "BASE64"))
    assert binary is not None
    assert (binary.body, binary.content_type, binary.accept) == (raw, "application/json", "application/json")
    text = request_in(record("1,2\n", "CSV", endpointOutput={}))
    assert text is not None
    assert (text.body, text.accept) == (b"1,2\n", None)
    for odd in ({}, {"captureData": {}}, record("%%%", "BASE64"), {"captureData": None}):
        assert request_in(odd) is None

"""Looks that rest on all requests, as CloudWatch counts them; and CloudWatch that says nothing, or no."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from endpoint_deploy.analysis.look import Sides
from endpoint_deploy.analysis.traffic import error_counts, latency_points, traffic
from endpoint_deploy.core.analysis_spec import AnalysisSpec
from endpoint_deploy.judge.measurements import Point, RequestWindow, Unavailable
from tests.analysis.conftest import Release

Make = Callable[..., Release]
ERRORS = {"kind": "error_rate", "negligible": 0.3, "least": 10, "samples": 40}
SIDES = Sides(candidate={"new-a": 1.0, "new-b": 3.0}, champion={"old": 1.0})
REQUESTS, E4, E5, P95 = (
    ("Invocations", "Sum"),
    ("Invocation4XXErrors", "Sum"),
    ("Invocation5XXErrors", "Sum"),
    ("ModelLatency", "p95"),
)
ONE, TWO = (datetime(2026, 1, 1, 12, minute, tzinfo=UTC) for minute in (0, 1))


def ask(release: Release, variant: str, times: int) -> None:
    """So many requests of clients."""
    for _ in range(times):
        try:
            release.hook.runtime.invoke_endpoint(
                EndpointName=release.deployment.spec.endpoint_name,
                TargetVariant=variant,
                ContentType="application/json",
                Accept="application/json",
                Body=b"[1.5]",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ModelError":
                raise


def traffic_only(*metrics: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"metrics": list(metrics), "replay": None, "delay_seconds": 0, **more}


@pytest.mark.parametrize(("candidate", "way"), [("same", "promote"), ("raises", "roll_back")])
def test_clients_requests_decide(release: Make, candidate: str, way: str) -> None:
    one = release(traffic_only(ERRORS))
    ask(one, "champion", 60)
    ask(one, candidate, 60)
    look = one.look(candidate)
    assert look.on.way == way, look.on.reason
    assert look.judgement.of("error_rate").numbers.candidate_samples >= 60
    assert "replay-001.json" not in one.stored()


def test_without_traffic_requests_are_replayed_and_then_show_in_cloudwatch(release: Make) -> None:
    one = release({"metrics": [ERRORS], "delay_seconds": 0, "replay": {"requests_per_look": 60}})
    one.since = datetime.now(UTC) + timedelta(seconds=120)  # whatever the other tests have sent is past
    first = one.look("same")
    assert first.on.way == "look_again", first.on.reason
    assert "requests were replayed to both sides" in first.on.reason
    assert first.measured["replayed"] == 60
    data = traffic(
        one.hook.cloudwatch,
        one.deployment.spec.endpoint_name,
        one.subject("same").sides,
        one.deployment.spec.analysis,
        since=first.at,
        now=datetime.now(UTC) + timedelta(seconds=60),
    )
    assert sum(window.candidate for window in data["error_rate"].windows) >= 60


def test_a_side_that_hardly_anybody_asks_gets_requests_of_ours(release: Make) -> None:
    metric = {**ERRORS, "least": 1000, "samples": 2000}
    one = release({"metrics": [metric], "delay_seconds": 0, "replay": {"requests_per_look": 5}})
    ask(one, "champion", 3)
    ask(one, "same", 3)
    look = one.look("same")
    assert (look.on.way, look.judgement.verdict) == ("look_again", "inconclusive")
    assert look.measured["replayed"] == 5


@pytest.mark.parametrize("replay", [None, {"requests_per_look": 1}])
def test_silence_ends_with_a_person(release: Make, replay: dict[str, Any] | None) -> None:
    """CloudWatch has heard nothing for so long that it never will: replays do not go on for ever either."""
    one = release({"metrics": [ERRORS], "delay_seconds": 3600, "replay": replay})
    one.since = datetime.now(UTC) - timedelta(seconds=3900)
    one.stage = "quiet"
    taken = one.looks("same", most=8)
    assert taken[-1].on.way == "ask"
    assert "error_rate: found" in taken[-1].on.reason


def test_before_cloudwatch_can_have_heard_nobody_is_asked(release: Make) -> None:
    one = release(traffic_only(ERRORS, delay_seconds=600))
    taken: list[Any] = []
    for _ in range(5):
        taken.append(one.look("same", taken[-1] if taken else None))
    assert {look.on.way.value for look in taken} == {"look_again"}
    assert "CloudWatch may have nothing of it yet" in taken[-1].on.reason


def test_a_right_that_is_missing_is_an_error_and_then_a_person_is_asked(release: Make) -> None:
    one = release(traffic_only(ERRORS, limits={"errors": 2}))
    one.hook.cloudwatch.meta.events.register("before-parse.cloudwatch.GetMetricData", _forbid)
    taken = one.looks("same")
    assert [look.judgement.verdict for look in taken] == ["error", "error"]
    assert taken[-1].on.way == "ask"
    assert "CloudWatch answered AccessDenied" in taken[-1].on.reason


def _forbid(**_: Any) -> None:
    said = {"Error": {"Code": "AccessDenied", "Message": "not authorized"}}
    raise ClientError(said, "GetMetricData")


def test_a_side_is_the_sum_of_its_variants() -> None:
    data = {
        ("new-a", REQUESTS): {ONE: 10.0, TWO: 5.0},
        ("new-a", E4): {ONE: 0.0, TWO: 0.0},
        ("new-a", E5): {ONE: 0.0, TWO: 0.0},
        ("new-b", REQUESTS): {ONE: 30.0},
        ("new-b", E4): {ONE: 2.0},
        ("new-b", E5): {ONE: 1.0},
        ("old", REQUESTS): {ONE: 100.0},
        ("old", E4): {ONE: 0.0},
        ("old", E5): {ONE: 4.0, TWO: 3.0},  # counted before the requests were
        ("new-a", P95): {ONE: 40_000.0},
        ("new-b", P95): {ONE: 20_000.0},
        ("old", P95): {ONE: 10_000.0},
    }
    assert error_counts(data, SIDES).windows == [RequestWindow(40, 3, 100, 4), RequestWindow(5, 0, 3, 3)]
    assert latency_points(data, SIDES, P95).points == [Point(25.0, 40, 10.0, 100)]


@pytest.mark.parametrize("missing", [E4, E5])
@pytest.mark.parametrize("variant", ["new-a", "old"])
def test_requests_whose_ends_are_not_known_are_no_requests_without_errors(
    variant: str, missing: tuple[str, str]
) -> None:
    data = {
        (name, statistic): {ONE: value, TWO: value}
        for name in ("new-a", "old")
        for statistic, value in ((REQUESTS, 10.0), (E4, 0.0), (E5, 0.0))
    }
    assert error_counts(data, SIDES).windows == [RequestWindow(10, 0, 10, 0)] * 2
    del data[variant, missing][ONE]
    assert error_counts(data, SIDES).windows == [RequestWindow(10, 0, 10, 0)]


def test_points_come_in_milliseconds(release: Make) -> None:
    metric = {"kind": "latency_points", "quantile": 0.5}
    one = release(traffic_only(metric))
    ask(one, "champion", 5)
    ask(one, "slow", 5)
    found = traffic(
        one.hook.cloudwatch,
        one.deployment.spec.endpoint_name,
        one.subject("slow").sides,
        one.deployment.spec.analysis,
        since=one.since - timedelta(minutes=5),
        now=datetime.now(UTC) + timedelta(seconds=1),
    )["latency_points"]
    assert not isinstance(found, Unavailable)
    assert all(50 <= point.candidate < 60_000 for point in found.points)
    assert found.points


def test_nothing_is_asked_that_no_metric_needs(release: Make) -> None:
    one = release({"metrics": [{"kind": "disagreement"}]})
    analysis = one.deployment.spec.analysis
    assert isinstance(analysis, AnalysisSpec)
    sides = one.subject("same").sides
    assert traffic(None, "none", sides, analysis, since=ONE, now=TWO) == {}

"""Shadow releases under steady traffic: no client meets a shadow's answer, and a bad one is removed."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, Rig
from tests.soak import some_of
from tests.strategies.models import upload
from tests.strategies.traffic import Traffic, failed

pytestmark = AS_IN_PRODUCTION

LATE = 1.5


def write(rig: Rig, observe_seconds: int) -> None:
    rig.spec(
        release={
            "strategy": "shadow",
            "observe_seconds": observe_seconds,
            "look_seconds": 0.5,
            "least_requests": 20,
            "guard": {"error_rate": 0.05, "model_latency_ms": 700},
        },
        smoke_tests=[{"name": "numbers", "payload": "numbers.json", "latency_budget_ms": 30_000}],
    )


BAD: dict[str, dict[str, Any]] = {
    "raises": {},
    "slow": {"late_seconds": LATE},
    "dies": {"after_requests": 10},
}


@pytest.mark.parametrize("goes", some_of(BAD, always=("raises", "slow")))
def test_a_bad_shadow_is_removed_and_no_client_has_met_it(
    rig: Rig, traffic: Callable[..., Traffic], goes: str
) -> None:
    write(rig, 1200)  # that a fault ends
    assert rig.run(artifact=upload(rig, "good", 1)).outcome == "released"
    live = rig.describe()["EndpointConfigName"]
    with traffic(per_second=10, workers=16) as asking:
        run = rig.run(artifact=upload(rig, goes, 2, **BAD[goes]))
        asking.wait_for(10)
        records = asking.records()
    assert (run.state, run.outcome) == ("failed", "rolled_back"), run
    assert run.tasks["observe_shadow"] == "failed"
    assert "while the candidate was a shadow" in run.result["reason"]
    described = rig.describe()
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", live)
    assert not described.get("ShadowProductionVariants")
    assert failed(records) == []
    assert {record.release for record in records} == {1}
    assert alarms(rig) == []


def test_a_good_shadow_takes_over(rig: Rig, traffic: Callable[..., Traffic]) -> None:
    write(rig, 15)
    assert rig.run(artifact=upload(rig, "good", 1)).outcome == "released"
    with traffic(per_second=10, workers=16) as asking:
        run = rig.run(artifact=upload(rig, "good", 2))
        asking.wait_for(20)
        records = asking.records()
    assert (run.state, run.outcome) == ("success", "released"), run
    assert failed(records) == []
    assert all(record.right for record in records)
    assert [record.release for record in records[-10:]] == [2] * 10
    evidence = rig.ledger()[-1]["evidence"]["observe_shadow"]["variants"]
    assert len(evidence) == 2
    assert all(each["requests"] >= 20 for each in evidence.values())
    assert alarms(rig) == []


def test_a_shadow_whose_metrics_cannot_be_read_does_not_take_over(rig: Rig, local_sagemaker: Any) -> None:
    """Also where no request is asked for: that nobody knows of an error does not mean that there was none."""
    shadow = {"strategy": "shadow", "observe_seconds": 1, "look_seconds": 0.5, "least_requests": 0}
    rig.spec(release={**shadow, "guard": {"error_rate": 0.05}})
    assert rig.run(artifact=upload(rig, "good", 1)).outcome == "released"
    live = rig.describe()["EndpointConfigName"]
    faults = f"{local_sagemaker.url}/_local/faults"
    rule = {"fault": "error", "service": "cloudwatch", "operation": "GetMetricData", "code": "AccessDenied"}
    made = httpx.post(faults, json=rule).raise_for_status().json()["faults"][0]["id"]
    try:
        run = rig.run(artifact=upload(rig, "good", 2))
    finally:
        httpx.delete(f"{faults}/{made}").raise_for_status()
    assert (run.state, run.outcome) == ("failed", "rolled_back"), run
    assert "what the shadow has seen cannot be read: CloudWatch answered AccessDenied" in run.result["reason"]
    assert rig.describe()["EndpointConfigName"] == live
    assert alarms(rig) == []


def alarms(rig: Rig) -> list[str]:
    found = rig.clients("cloudwatch").describe_alarms(AlarmNamePrefix=rig.endpoint)["MetricAlarms"]
    return [alarm["AlarmName"] for alarm in found]


def test_a_shadow_that_nobody_asks_does_not_take_over(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    monkeypatch.setattr("endpoint_deploy.operators.observe_shadow._METRICS_LATE", timedelta(0))
    write(rig, 2)
    assert rig.run(artifact=upload(rig, "good", 1)).outcome == "released"
    live = rig.describe()["EndpointConfigName"]
    run = rig.run(artifact=upload(rig, "good", 2))
    assert (run.state, run.outcome) == ("failed", "rolled_back"), run
    assert "the shadow has seen 0 requests" in run.result["reason"]
    assert rig.describe()["EndpointConfigName"] == live

"""Releases by a real scheduler and triggerer, started through Airflow's API."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.live import LiveRig, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

_TRIGGER = "endpoint_deploy.triggers.endpoint_settled.EndpointSettledTrigger"
_PATIENT = {
    "variants": [{"instance_type": "ml.m5.large", "startup_timeout_seconds": 3600}],
    "wait": {"poll_seconds": 0.2, "timeout_seconds": 600},
}


def test_a_deployment_s_life(deployment: Callable[..., LiveRig]) -> None:
    rig = deployment()
    first = rig.deploy(bias=1)
    assert (first.state, first.outcome) == ("success", "released"), first
    assert rig.predict() == [2.0, 3.0, 4.0]

    better = rig.artifact(bias=2)
    second = rig.run(artifact=better)
    assert (second.state, second.outcome) == ("success", "released"), second
    assert second.plan is not None
    assert second.plan["action"] == "stage"
    assert second.tasks["shift_traffic"] == second.tasks["retire_champion"] == "success"
    assert rig.predict() == [3.0, 4.0, 5.0]

    bad = rig.deploy("raises", bias=3)
    assert (bad.state, bad.outcome) == ("failed", "rolled_back"), bad
    assert "no such feature" in bad.result["reason"]
    assert (bad.tasks["smoke_test"], bad.tasks["roll_back"]) == ("failed", "success")
    assert bad.tasks["complete"] == "upstream_failed"
    assert rig.describe()["EndpointConfigName"] == second.result["config_after"]
    assert rig.predict() == [3.0, 4.0, 5.0]

    again = rig.run(artifact=better)
    assert (again.state, again.outcome) == ("success", "nothing_to_do"), again
    assert again.tasks["apply_endpoint"] == "skipped"
    assert [record["outcome"] for record in rig.ledger()] == ["released", "released", "rolled_back"]


def test_a_slow_start_is_waited_for_in_the_triggerer(deployment: Callable[..., LiveRig]) -> None:
    rig = deployment(endpoint=_PATIENT)
    artifact, gate = rig.gated(bias=1)
    run_id = rig.start(artifact=artifact)

    def deferred() -> dict[str, Any] | None:
        task = rig.task(run_id, "wait_for_endpoint")
        return task if task["state"] == "deferred" and task["triggerer_job"] else None

    task = until(deferred, "a triggerer has taken wait_for_endpoint")
    assert task is not None
    assert task["trigger"]["classpath"] == _TRIGGER
    assert task["triggerer_job"]["job_type"] == "TriggererJob"
    assert rig.describe()["EndpointStatus"] == "Creating"

    gate.touch()
    run = rig.end(run_id)
    assert (run.state, run.outcome) == ("success", "released"), run
    assert rig.predict() == [2.0, 3.0, 4.0]
    resumed = rig.task(run_id, "wait_for_endpoint")
    # Resumed, not tried again.
    assert (resumed["state"], resumed["try_number"]) == ("success", 1)


def test_a_rollback_waits_for_the_release_that_holds_the_endpoint(
    deployment: Callable[..., LiveRig],
) -> None:
    rig = deployment(endpoint=_PATIENT, run={"retries": 20, "retry_delay_seconds": 1})
    release, gate = held(rig)
    rollback = rig.start("rollback", release=1)
    until(
        lambda: rig.task(rollback, "plan", "rollback")["state"] == "up_for_retry",
        "the rollback waits for the lock",
    )
    gate.touch()
    released, after = rig.end(release), rig.end(rollback, "rollback")
    assert (released.state, released.outcome) == ("success", "released"), released
    # What the rollback had waited for was there when it planned.
    assert (after.state, after.outcome) == ("success", "nothing_to_do"), after
    assert rig.task(rollback, "plan", "rollback")["try_number"] > 1
    said = rig.log(rollback, "plan", "rollback")
    assert f"is being changed by run {release} of {rig.dag_id()}" in said


def test_a_rollback_that_may_not_wait_stops_with_its_reason(deployment: Callable[..., LiveRig]) -> None:
    rig = deployment(endpoint=_PATIENT, run={"retries": 0})
    release, gate = held(rig)
    stopped = rig.run("rollback", release=1)
    assert (stopped.state, stopped.outcome) == ("failed", "failed"), stopped
    assert f"is being changed by run {release} of {rig.dag_id()}" in stopped.result["reason"]
    assert (stopped.tasks["apply_endpoint"], stopped.tasks["roll_back"]) == ("upstream_failed", "skipped")
    gate.touch()
    assert rig.end(release).outcome == "released"
    assert rig.predict() == [2.0, 3.0, 4.0]


def held(rig: LiveRig) -> tuple[str, Path]:
    """A release that holds the endpoint's lock, and goes on once the file is there."""
    artifact, gate = rig.gated(bias=1)
    release = rig.start(artifact=artifact)
    until(lambda: rig.task(release, "plan")["state"] == "success", "the release holds the lock")
    return release, gate


def test_release_and_rollback_started_together_do_not_interleave(
    deployment: Callable[..., LiveRig],
) -> None:
    rig = deployment(run={"retries": 20, "retry_delay_seconds": 1})
    for bias in (1, 2):
        assert rig.deploy(bias=bias).outcome == "released"
    artifact = rig.artifact(bias=3)
    release, rollback = rig.start(artifact=artifact), rig.start("rollback")
    assert rig.end(release).outcome == "released"
    assert rig.end(rollback, "rollback").outcome == "released"
    ours, theirs = changed(rig, release, "deploy"), changed(rig, rollback, "rollback")
    if ours[0] < theirs[0]:
        assert ours[1] < theirs[0]
        assert rig.predict() == [3.0, 4.0, 5.0]  # release 3 was live, the last good one before it is 2
    else:
        assert theirs[1] < ours[0]
        assert rig.predict() == [4.0, 5.0, 6.0]


def changed(rig: LiveRig, run_id: str, kind: str) -> tuple[datetime, datetime]:
    """When a run began to change the endpoint, and when it had ended."""
    last = "retire_champion" if kind == "deploy" else "smoke_test"
    begin, end = rig.task(run_id, "apply_endpoint", kind), rig.task(run_id, last, kind)
    return datetime.fromisoformat(begin["start_date"]), datetime.fromisoformat(end["end_date"])

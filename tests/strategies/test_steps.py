"""A release in steps, under steady traffic: by alarms and time alone."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, Rig, Run
from tests.deploy.test_around_a_release import put_alarm
from tests.strategies.models import upload
from tests.strategies.traffic import Record, Traffic, check_share, failed

pytestmark = AS_IN_PRODUCTION

_QUICK = {"least_seconds": 2, "most_seconds": 60, "look_seconds": 0.5}


def stages(rig: Rig, task: str = "shift_traffic") -> list[dict[str, Any]]:
    """What the newest record says of a task's stages."""
    return list(rig.ledger()[-1]["evidence"][task]["stages"])


def candidates(run: Run) -> str:
    """The name of the candidate's only variant."""
    assert run.plan
    return str(run.plan["proves"][0])


def between(records: list[Record], stage: dict[str, Any]) -> list[Record]:
    """The requests of a stage's time."""
    began, ended = (datetime.fromisoformat(stage[key]).timestamp() for key in ("began", "ended"))
    return [record for record in records if began <= record.sent <= ended]


@contextmanager
def once(condition: Callable[[], bool], then: Callable[[], None]) -> Iterator[None]:
    """Do something beside the block as soon as a condition holds, which it must before the block ends."""
    over = threading.Event()

    def wait() -> None:
        while not over.wait(0.1):
            if condition():
                then()
                return
        raise AssertionError("the condition never held")

    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(wait)
        try:
            yield
        finally:
            over.set()
    waiting.result()


def test_a_good_release_takes_all_the_traffic_step_by_step_and_loses_no_request(
    rig: Rig, traffic: Callable[..., Traffic]
) -> None:
    rig.spec(
        release={
            "strategy": "staged",
            "steps": [10, 50],
            "step": _QUICK,
            "watch": {"seconds": 2, "look_seconds": 0.5},
        }
    )
    rig.run("deploy", artifact=upload(rig, "good", 1))
    with traffic() as asking:
        run = rig.run("deploy", artifact=upload(rig, "good", 2))
        asking.wait_for(20)
    assert (run.state, run.outcome) == ("success", "released"), run
    assert run.tasks["watch"] == "success"
    records = asking.records()
    assert failed(records) == []
    assert all(record.right for record in records)
    assert [record.release for record in records[-20:]] == [2] * 20
    seen = stages(rig)
    assert [(stage["name"], stage["outcome"]) for stage in seen] == [
        ("10-percent", "passed"),
        ("50-percent", "passed"),
        ("100-percent", "passed"),
    ]
    for stage in seen[:2]:
        asked = between(records, stage)
        assert asked
        check_share(asked, candidates(run), stage["percent"])
    (watched,) = stages(rig, "watch")
    assert (watched["outcome"], watched["percent"]) == ("passed", 100)
    assert {record.release for record in between(records, watched)} == {2}


def weights(rig: Rig) -> dict[str, float]:
    return {v["VariantName"]: v["DesiredWeight"] for v in rig.describe()["ProductionVariants"]}


def share_of_newest(rig: Rig) -> float:
    """The share of the traffic that the last of two variants gets; 0 where there is one."""
    found = list(weights(rig).values())
    return found[-1] / sum(found) if len(found) == 2 else 0.0


def watching(rig: Rig) -> bool:
    """Whether the task `watch` of a release has kept a stage."""
    prefix = f"{rig.store}/stages/{rig.endpoint}/"
    found = rig.clients("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return any("/watch" in item["Key"] for item in found)


@pytest.mark.parametrize("stage", ["50-percent", "watch"])
def test_an_alarm_at_a_step_or_in_the_watch_takes_the_release_back_by_weights(
    rig: Rig, traffic: Callable[..., Traffic], stage: str
) -> None:
    alarm = f"{rig.name}-errors"
    put_alarm(rig, alarm, "OK")
    slow = {"least_seconds": 300, "most_seconds": 600, "look_seconds": 0.5}
    watch = {"seconds": 300, "look_seconds": 0.5}
    percent, step = (50, slow) if stage == "50-percent" else (100, _QUICK)
    rig.spec(alarms=[alarm], release={"strategy": "staged", "steps": [50], "step": step, "watch": watch})
    first = rig.run("deploy", artifact=upload(rig, "good", 1))
    before = weights(rig)

    def is_reached() -> bool:
        # The step to 100 % looks at the alarm as well: the watch has begun once its own document is there.
        return share_of_newest(rig) == percent / 100 and (stage != "watch" or watching(rig))

    with traffic() as asking, once(is_reached, lambda: put_alarm(rig, alarm, "ALARM")):
        bad = rig.run("deploy", artifact=upload(rig, "good", 2))
        asking.wait_for(20)
    assert (bad.state, bad.outcome) == ("failed", "rolled_back"), bad
    assert f"{alarm} went to ALARM with {percent} % of the traffic on the candidate" in bad.result["reason"]
    assert "the traffic was back after" in bad.result["reason"]
    assert (rig.describe()["EndpointConfigName"], weights(rig)) == (first.result["config_after"], before)
    assert failed(asking.records()) == []
    evidence = stages(rig, "watch" if stage == "watch" else "shift_traffic")[-1]
    assert (evidence["name"], evidence["outcome"]) == (stage, "failed")
    assert alarm in evidence["reason"]
    check_share(asking.records(), candidates(bad), percent)


def test_a_direct_release_is_watched_too(rig: Rig) -> None:
    alarm = f"{rig.name}-errors"
    put_alarm(rig, alarm, "OK")
    watch = {"seconds": 300, "look_seconds": 0.5}
    rig.spec(alarms=[alarm], release={"strategy": "direct", "watch": watch})
    first = rig.run("deploy", artifact=upload(rig, "good", 1))
    assert first.tasks["watch"] == "skipped"  # there is nothing to go back to

    def is_live() -> bool:
        seen = rig.describe()
        return (
            seen["EndpointStatus"] == "InService"
            and seen["EndpointConfigName"] != first.result["config_after"]
        )

    with once(is_live, lambda: put_alarm(rig, alarm, "ALARM")):
        bad = rig.run("deploy", artifact=upload(rig, "good", 2))
    assert (bad.state, bad.outcome) == ("failed", "rolled_back"), bad
    assert bad.tasks["watch"] == "failed"
    assert rig.describe()["EndpointConfigName"] == first.result["config_after"]


def test_the_alarms_that_guarded_the_update_are_watched_for_as_long_as_they_are_there(rig: Rig) -> None:
    rig.spec(
        release={
            "strategy": "direct",
            "guard": {"error_rate": 0.05},
            "watch": {"seconds": 300, "look_seconds": 0.5},
        }
    )
    first = rig.run("deploy", artifact=upload(rig, "good", 1))
    cloudwatch = rig.clients("cloudwatch")

    def is_live() -> bool:
        seen = rig.describe()
        return (
            seen["EndpointStatus"] == "InService"
            and seen["EndpointConfigName"] != first.result["config_after"]
        )

    def ring() -> None:
        # Again and again: without data CloudWatch takes it back to OK. The run removes it in the end.
        while found := cloudwatch.describe_alarms(AlarmNamePrefix=rig.endpoint)["MetricAlarms"]:
            try:
                cloudwatch.set_alarm_state(
                    AlarmName=found[0]["AlarmName"], StateValue="ALARM", StateReason="a test"
                )
            except cloudwatch.exceptions.ResourceNotFound:
                return

    with once(is_live, ring):
        bad = rig.run("deploy", artifact=upload(rig, "good", 2))
    assert (bad.state, bad.outcome) == ("failed", "rolled_back"), bad
    assert bad.tasks["watch"] == "failed"
    assert "Invocation5XXErrors went to ALARM with 100 % of the traffic" in bad.result["reason"]
    assert rig.describe()["EndpointConfigName"] == first.result["config_after"]

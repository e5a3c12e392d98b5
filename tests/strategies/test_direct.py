"""Direct releases with SageMaker's guardrails, under steady traffic: good ones, and bad ones in every way."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, Rig, Run
from tests.soak import in_soak
from tests.strategies.models import upload
from tests.strategies.traffic import Record, Traffic, failed, most_by_chance

pytestmark = AS_IN_PRODUCTION

LONG = 2400  # seconds of the service's, a twentieth of that here: what a fault ends, and no test waits for
SHORT = 120
ONE = {"type": "instance_count", "value": 1}
THIRD = {"type": "capacity_percent", "value": 34}
# Well above what a good model takes on a busy machine, well below what a slow one does.
GUARD = {"error_rate": 0.05, "model_latency_ms": 700}
LATE = 1.5


def routing(kind: str, wait: int) -> dict[str, Any]:
    if kind == "all_at_once":
        return {"type": kind, "termination_wait_seconds": wait}
    size = {
        "canary": {"canary_size": ONE},
        "linear": {"linear_step_size": THIRD},
        "rolling": {"maximum_batch_size": ONE},
    }
    return {"type": kind, **size[kind], "wait_seconds": wait}


# Instances of a fleet, and the percentage of the traffic that its first step may get.
FLEETS = {"all_at_once": (1, 100), "canary": (2, 50), "linear": (3, 34), "rolling": (2, 50)}


def write(rig: Rig, kind: str, wait: int, **more: Any) -> None:
    """The spec, with waits of so many of the service's seconds."""
    rig.spec(
        endpoint={
            "variants": [{"instance_type": "ml.m5.large", "count": FLEETS[kind][0]}],
            "wait": {"poll_seconds": 0.2, "timeout_seconds": 20_000},
        },
        release={
            "strategy": "direct",
            "routing": routing(kind, wait),
            "guard": GUARD,
            **more.pop("release", {}),
        },
        # A machine under load answers late: it is the guard that is to find a slow model.
        smoke_tests=[{"name": "numbers", "payload": "numbers.json", "latency_budget_ms": 30_000}],
        **more,
    )


def alarms(rig: Rig) -> list[str]:
    found = rig.clients("cloudwatch").describe_alarms(AlarmNamePrefix=rig.endpoint)["MetricAlarms"]
    return [alarm["AlarmName"] for alarm in found]


def bad(records: list[Record], release: int) -> list[Record]:
    """Those that met a release, answered or not: beside it only good ones serve."""
    return [record for record in records if record.release == release or record.status != 200]


def taken_back(rig: Rig, run: Run, live: str) -> None:
    """SageMaker's alarm has taken it back, we have noticed, and it is proved."""
    assert (run.state, run.outcome) == ("failed", "rolled_back"), run
    assert run.tasks["wait_for_endpoint"] == "failed"
    assert "SageMaker rolled the update back" in run.result["reason"]
    described = rig.describe()
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", live)
    record = rig.ledger()[-1]
    assert record["outcome"] == "rolled_back"
    assert record["evidence"]["roll_back"]["proof"]["requests"] >= 1
    assert alarms(rig) == []


WAYS: dict[str, dict[str, Any]] = {
    "raises": {},
    "slow": {"late_seconds": LATE},
    "dies": {"after_requests": 10, "after_seconds": 1.0},
}


@pytest.mark.parametrize(
    ("kind", "ways"),
    [
        pytest.param("all_at_once", ("raises", "dies"), marks=in_soak),
        ("canary", ("raises", "slow", "dies")),
        pytest.param("linear", ("slow",), marks=in_soak),
        ("rolling", ("raises", "dies")),
    ],
)
def test_bad_releases_are_taken_back_by_their_alarms_and_a_good_one_takes_over(
    rig: Rig, traffic: Callable[..., Traffic], kind: str, ways: tuple[str, ...]
) -> None:
    write(rig, kind, LONG)
    assert rig.run(artifact=upload(rig, "good", 1)).outcome == "released"
    live = rig.describe()["EndpointConfigName"]
    with traffic(per_second=10, workers=16) as asking:
        for release, goes in enumerate(ways, start=2):
            before = len(asking.records())
            run = rig.run(artifact=upload(rig, goes, release, **WAYS[goes]))
            taken_back(rig, run, live)
            met = bad(asking.records()[before:], release)
            assert met, goes
            between = [r for r in asking.records() if met[0].sent <= r.sent <= met[-1].sent]
            bound = most_by_chance(len(between), FLEETS[kind][1] / 100) + 2
            assert len(met) <= bound, f"{goes}: {len(met)} of {len(between)} met it, expected {bound} at most"
            asking.wait_for(10)
            assert all(record.right for record in asking.records()[-5:])
        write(rig, kind, SHORT)
        before = len(asking.records())
        run = rig.run(artifact=upload(rig, "good", 9))
        assert (run.state, run.outcome) == ("success", "released"), run
        asking.wait_for(20)
        after = asking.records()[before:]
    assert failed(after) == []
    assert all(record.right for record in after)
    assert {record.release for record in after} == {1, 9}
    assert [record.release for record in after[-10:]] == [9] * 10
    assert alarms(rig) == []
    assert "LastDeploymentConfig" in rig.describe()


def test_wrong_predictions_with_status_200_are_found_by_the_smoke_test(
    rig: Rig, traffic: Callable[..., Traffic]
) -> None:
    """No alarm of SageMaker's sees them: the proof after the update does, and the pipeline takes it back."""
    write(rig, "canary", SHORT)
    assert rig.run(artifact=upload(rig, "good", 1)).outcome == "released"
    live = rig.describe()["EndpointConfigName"]
    expect_right_answers(rig)
    with traffic(per_second=10, workers=16) as asking:
        run = rig.run(artifact=upload(rig, "wrong", 2))
        asking.wait_for(20)
        records = asking.records()
    assert (run.state, run.outcome) == ("failed", "rolled_back"), run
    assert run.tasks["wait_for_endpoint"] == "success"
    assert run.tasks["smoke_test"] == "failed"
    assert rig.describe()["EndpointConfigName"] == live
    assert failed(records) == []
    assert all(record.right for record in records[-10:])
    assert alarms(rig) == []


def expect_right_answers(rig: Rig) -> None:
    """Give the spec a smoke test as clients ask, whose answer is known."""
    suite = {
        "name": "right",
        "expectations": [
            {
                "type": "expect_column_values_to_be_between",
                "kwargs": {"column": "absolute_error", "max_value": 0.001},
            }
        ],
    }
    test = {
        "name": "known",
        "payload": "known.json",
        "expected": "known.expected.json",
        "expectations": "right.json",
        "latency_budget_ms": 30_000,
    }
    for name, content in (("known", [100.0, 150.0]), ("known.expected", [101.0, 151.0]), ("right", suite)):
        (rig.specs / f"{name}.json").write_text(json.dumps(content))
    import yaml

    body = yaml.safe_load(rig.file.read_text())
    rig.file.write_text(yaml.safe_dump({**body, "smoke_tests": [test]}, sort_keys=False))


@contextmanager
def reporting_wrong_answers(rig: Rig, asking: Traffic) -> Iterator[str]:
    """Clients that count the wrong answers they get in a metric of their own; its alarm's name."""
    cloudwatch, name, over = rig.clients("cloudwatch"), f"{rig.name}-wrong-answers", threading.Event()
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=f"Clients/{rig.name}",
        MetricName="WrongAnswers",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )

    def report() -> None:
        counted = 0
        while not over.wait(0.2):
            records = asking.records()
            wrong = sum(not record.right for record in records[counted:])
            counted = len(records)
            cloudwatch.put_metric_data(
                Namespace=f"Clients/{rig.name}",
                MetricData=[{"MetricName": "WrongAnswers", "Value": float(wrong)}],
            )

    reporter = threading.Thread(target=report)
    reporter.start()
    yield name
    over.set()
    reporter.join()


def test_an_alarm_of_the_clients_takes_wrong_predictions_back(
    rig: Rig, traffic: Callable[..., Traffic]
) -> None:
    write(rig, "canary", LONG)
    assert rig.run(artifact=upload(rig, "good", 1)).outcome == "released"
    live = rig.describe()["EndpointConfigName"]
    with traffic(per_second=10, workers=16) as asking, reporting_wrong_answers(rig, asking) as alarm:
        write(rig, "canary", LONG, alarms=[alarm])
        run = rig.run(artifact=upload(rig, "wrong", 2))
        taken_back(rig, run, live)
        assert alarm in run.result["reason"]
        records = asking.records()
    met = [record for record in records if record.release == 2]
    assert met
    between = [record for record in records if met[0].sent <= record.sent <= met[-1].sent]
    assert len(met) <= most_by_chance(len(between), 0.5) + 2
    assert failed(records) == []

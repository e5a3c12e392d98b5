"""A person who is asked at a step, where the analysis proves neither good nor bad, through Airflow's API."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from local_stack.stack import Stack
from tests.deploy.rig import BUCKET
from tests.deploy.test_around_a_release import put_alarm
from tests.e2e.conftest import side_by_side
from tests.e2e.live import LiveRig, until
from tests.e2e.people import READING_SECONDS, answer, question
from tests.soak import SOAK, in_soak

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

_TASK = "shift_traffic"
_LINES = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
_PATIENCE = 600.0
_FEW = ("promote", "nobody")
_CASES = (*_FEW, "roll back", "more samples", "alarm") if SOAK else _FEW


def spec(ask_seconds: int = 3600) -> dict[str, Any]:
    """A release in a step whose analysis has too few requests ever to prove anything."""
    metric = {"kind": "disagreement", "of": "numbers", "absolute": 500, "least": 50, "samples": 100}
    payloads = [{"payload": "few.jsonl", "lines": True}]
    return {
        "smoke_tests": [{"name": "numbers", "payload": "numbers.json"}],
        "run": {"retries": 6, "retry_delay_seconds": 0},
        "release": {
            "strategy": "staged",
            "steps": [50],
            "step": {"least_seconds": 1, "most_seconds": 600, "look_seconds": 1, "ask_seconds": ask_seconds},
        },
        "analysis": {
            "metrics": [metric],
            "replay": {"smoke_tests": False, "payloads": payloads, "requests_per_look": 3},
            "on_inconclusive": "ask",
        },
    }


class Asked:
    """A deployment with a release by now serving, and the run of the next one, which is to ask."""

    def __init__(self, rig: LiveRig) -> None:
        self.rig = rig
        self.first = rig.start(artifact=rig.artifact(bias=1))
        self.run_id = ""

    def begin(self) -> None:
        first = self.rig.end(self.first)
        assert first.outcome == "released", first
        self.run_id = self.rig.start(artifact=self.rig.artifact(bias=2))

    def stages(self) -> list[dict[str, Any]]:
        """What the run's task has kept of its stages."""
        s3, prefix = self.rig.clients("s3"), f"{self.rig.store}/stages/{self.rig.endpoint}/"
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        kept = [json.loads(s3.get_object(Bucket=BUCKET, Key=o["Key"])["Body"].read()) for o in found]
        return [stage for stages in kept for stage in stages if stage["name"] == "50-percent"]

    def chosen(self) -> list[str]:
        """What persons have answered by what the task has kept."""
        return [said["verdict"] for stage in self.stages() for said in stage["said"] if said["by"]]

    def decide(self, option: str) -> None:
        """Answer, and see that the task takes it: a try that was lost asks again, and is answered again."""
        before = len(self.chosen())
        question(self.rig, self.run_id)

        def taken() -> bool:
            if len(self.chosen()) > before:
                return True
            task = self.rig.task(self.run_id, _TASK)
            state = task["state"]
            ended = state in {"failed", "success"} and len(self.chosen()) == before
            assert not ended, self.rig.end(self.run_id)
            if state == "deferred" and _has_waited(task):
                said = answer(self.rig, self.run_id, option, task=_TASK).status_code
                assert said in {httpx.codes.OK, httpx.codes.CONFLICT}
            return False

        until(taken, f"{_TASK} takes the answer {option}", seconds=_PATIENCE)

    def check(self, outcome: str, bias: int) -> dict[str, Any]:
        """How the run ended, what serves, and what the ledger's record says of the step."""
        run = self.rig.end(self.run_id)
        assert run.outcome == outcome, run
        assert run.state == ("success" if outcome == "released" else "failed"), run
        assert self.rig.predict() == [1.0 + bias, 2.0 + bias, 3.0 + bias]
        record = self.rig.ledger()[-1]
        assert (record["outcome"], record["run"]["run_id"]) == (outcome, self.run_id)
        assert record["config_after"] == self.rig.describe()["EndpointConfigName"]
        assert self.rig.locks() == []
        step = record["evidence"][_TASK]["stages"][0]
        assert step["outcome"] == ("passed" if outcome == "released" else "failed")
        return {**step, "whole": run.result["reason"]}


def _has_waited(task: dict[str, Any]) -> bool:
    """Whether a task waits for as long as a person needs to read: Airflow takes one woken sooner for lost."""
    began = datetime.fromisoformat(task["trigger"]["created_date"])
    return (datetime.now(UTC) - began).total_seconds() >= READING_SECONDS


@pytest.fixture(scope="module")
def asked(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Asked]]:
    """All cases at work beside each other: most of the time they wait."""
    (stack.specs_dir / "few.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in _LINES))
    specs = {case: spec(10 if case == "nobody" else 3600) for case in _CASES}
    rigs = side_by_side(stack, tmp_path_factory.mktemp("gates"), specs, patience=_PATIENCE)
    if (alarmed := rigs.get("alarm")) is not None:
        put_alarm(alarmed, f"{alarmed.name}-errors", "OK")
        alarmed.spec(**specs["alarm"], alarms=[f"{alarmed.name}-errors"])
    cases = {case: Asked(rig) for case, rig in rigs.items()}
    for case in cases.values():
        case.begin()
    yield cases
    for rig in rigs.values():
        rig.end_of_life()


def test_what_a_person_promotes_is_released(asked: dict[str, Asked]) -> None:
    case = asked["promote"]
    said = question(case.rig, case.run_id)
    assert said["options"] == ["Promote", "Roll back", "Take more samples"]
    assert "50 % of the traffic" in said["body"]
    assert "more samples cannot be had" in said["body"]
    assert case.rig.locks(), "the endpoint is nobody else's meanwhile"
    assert answer(case.rig, case.run_id, "Promote", user="viewer", task=_TASK).status_code == (
        httpx.codes.FORBIDDEN
    )
    case.decide("Promote")
    step = case.check("released", bias=2)
    assert step["reason"] == "admin has decided in Airflow: Promote"
    assert [(each["verdict"], each["by"]) for each in step["said"]] == [
        ("inconclusive", None),
        ("Promote", "admin"),
    ]


@in_soak
def test_what_a_person_rolls_back_is_taken_back(asked: dict[str, Asked]) -> None:
    case = asked["roll back"]
    case.decide("Roll back")
    step = case.check("rolled_back", bias=1)
    assert "admin has decided in Airflow: Roll back" in step["whole"]
    assert step["said"][-1]["by"] == "admin"


@in_soak
def test_more_samples_are_taken_and_then_it_is_asked_again(asked: dict[str, Asked]) -> None:
    case = asked["more samples"]
    case.decide("Take more samples")
    case.decide("Promote")
    step = case.check("released", bias=2)
    assert [(each["verdict"], each["by"]) for each in step["said"]] == [
        ("inconclusive", None),
        ("Take more samples", "admin"),
        ("inconclusive", None),
        ("Promote", "admin"),
    ]
    assert step["comparison"]["number"] == 2
    assert step["comparison"]["since"] > step["began"]


def test_nobody_s_answer_takes_the_release_back(asked: dict[str, Asked]) -> None:
    step = asked["nobody"].check("rolled_back", bias=1)
    assert "nobody has answered within 10 s whether to promote the release" in step["whole"]
    assert [each["by"] for each in step["said"]] == [None]


@in_soak
def test_an_alarm_is_heard_while_a_person_thinks(asked: dict[str, Asked]) -> None:
    case = asked["alarm"]
    question(case.rig, case.run_id)
    put_alarm(case.rig, f"{case.rig.name}-errors", "ALARM")
    step = case.check("rolled_back", bias=1)
    assert f"{case.rig.name}-errors went to ALARM" in step["whole"]
    assert [each["by"] for each in step["said"]] == [None]

"""An A/B test without a winner asks a person, through Airflow's own required actions."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.deploy.rig import BUCKET
from tests.e2e.live import LiveRig, until
from tests.e2e.people import answer, decide, question
from tests.soak import in_soak

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

TASK = "shift_traffic"


def ab_test(ask_seconds: int) -> dict[str, Any]:
    """Nobody publishes its metric: it is over, without a winner, after a second."""
    return {
        "strategy": "ab_test",
        "metric": {"namespace": "Shop", "name": "Converted", "least_difference": 10, "delay_seconds": 0},
        "least_seconds": 0,
        "most_seconds": 1,
        "look_seconds": 0.5,
        "on_inconclusive": "ask",
        "ask_seconds": ask_seconds,
    }


def kept(rig: LiveRig) -> dict[str, Any]:
    """The test as it stands in the store."""
    s3 = rig.clients("s3")
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{rig.store}/stages/").get("Contents", [])
    stages = [json.loads(s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()) for item in found]
    return next((stage[0]["test"] for stage in stages if stage[0].get("test")), {})


def test_a_person_gives_it_more_time_and_then_promotes_the_candidate(
    deployment: Callable[..., LiveRig],
) -> None:
    rig = deployment(release=ab_test(600))
    assert rig.run(artifact=rig.artifact(bias=1)).outcome == "released"
    run_id = rig.start(artifact=rig.artifact(bias=2))
    asked = question(rig, run_id)
    assert asked["options"] == ["Promote", "Roll back", "Take more samples"]
    assert "the A/B test has no winner; promote it?" in asked["subject"]
    assert "no data: Shop Converted has no sample of either side" in asked["body"]

    def extended() -> bool:
        if kept(rig).get("extended") != 1:
            said = answer(rig, run_id, "Take more samples", task=TASK).status_code
            assert said in {httpx.codes.OK, httpx.codes.CONFLICT}
        return kept(rig).get("extended") == 1

    until(extended, "the test is given more time")
    question(rig, run_id)
    decide(rig, run_id, "Promote", task=TASK)
    run = rig.end(run_id)
    assert (run.state, run.outcome) == ("success", "released"), run
    assert "admin has decided in Airflow: Promote" in run.result["reason"]
    assert rig.predict() == [3.0, 4.0, 5.0]


@in_soak
def test_without_an_answer_the_champion_is_kept(deployment: Callable[..., LiveRig]) -> None:
    rig = deployment(release=ab_test(10))
    assert rig.run(artifact=rig.artifact(bias=1)).outcome == "released"
    run = rig.run(artifact=rig.artifact(bias=2))
    assert (run.state, run.outcome) == ("failed", "rolled_back"), run
    assert "nobody has answered within 10 s" in run.result["reason"]
    assert rig.predict() == [2.0, 3.0, 4.0]

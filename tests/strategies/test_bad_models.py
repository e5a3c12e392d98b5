"""Releases in steps under steady traffic and analysis: the good one arrives, each bad one is taken back."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, Rig, ensure_bucket
from tests.soak import some_of
from tests.strategies.analysed import judged
from tests.strategies.models import BAD, upload
from tests.strategies.traffic import Traffic, check_share, failed

pytestmark = AS_IN_PRODUCTION

_STEP = 10  # the first one's percentage: what is bad everywhere gets no further


@pytest.fixture(scope="module")
def champion(
    tmp_path_factory: pytest.TempPathFactory, local_sagemaker: Any, airflow_db: str
) -> Iterator[Rig]:
    """A good release, which the releases of the bad models leave as it is."""
    ensure_bucket(local_sagemaker.client("s3"))
    specs = tmp_path_factory.mktemp("specs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENDPOINT_DEPLOY_SPECS", str(specs))
        rig = Rig(specs=specs, clients=local_sagemaker.client)
        judged(rig, [_STEP, 50])
        run = rig.run("deploy", artifact=upload(rig, "good", 1))
        assert run.outcome == "released", run
        yield rig
    rig.sagemaker.delete_endpoint(EndpointName=rig.endpoint)


@pytest.fixture
def rig(champion: Rig) -> Rig:
    """The module's deployment."""
    return champion


@pytest.mark.parametrize("goes", some_of(BAD, always=("raises", "slow")))
def test_a_bad_model_is_taken_back_at_its_first_step(
    rig: Rig, traffic: Callable[..., Traffic], goes: str
) -> None:
    before = rig.describe()
    late = {"dies": {"after_requests": 5}}.get(goes, {})
    with traffic() as asking:
        bad = rig.run("deploy", artifact=upload(rig, goes, 2, late_seconds=1.0, **late))
        asking.wait_for(40)
    assert (bad.state, bad.outcome) == ("failed", "rolled_back"), bad
    assert bad.tasks["smoke_test"] == "success"  # at weight 0 nothing is wrong with it
    assert bad.tasks["shift_traffic"] == "failed"
    assert f"the analysis, with {_STEP} % of the traffic on the candidate" in bad.result["reason"]
    assert "the traffic was back after" in bad.result["reason"]
    after = rig.describe()
    assert after["EndpointConfigName"] == before["EndpointConfigName"]
    assert [v["DesiredWeight"] for v in after["ProductionVariants"]] == [1.0]

    (stage,) = rig.ledger()[-1]["evidence"]["shift_traffic"]["stages"]
    assert {each["metric"] for each in stage["analysis"]["metrics"]} >= {"error_rate", "disagreement"}
    assert (stage["name"], stage["outcome"]) == (f"{_STEP}-percent", "failed")
    assert stage["said"][-1]["verdict"] == "fail"

    assert bad.plan
    (candidate,) = bad.plan["proves"]
    records = asking.records()
    check_share(records, candidate, _STEP)
    # What went wrong, went wrong for those who met the candidate.
    assert all(record.right for record in records if record.variant not in {candidate, None})
    assert failed(records[-20:]) == []
    assert all(record.right for record in records[-20:])


def test_a_good_model_passes_every_step_and_the_watch(rig: Rig, traffic: Callable[..., Traffic]) -> None:
    """Last of the module: it replaces the champion."""
    judged(rig, [_STEP, 50], watch=5)
    with traffic() as asking:
        run = rig.run("deploy", artifact=upload(rig, "good", 3))
        asking.wait_for(20)
    assert (run.state, run.outcome) == ("success", "released"), run
    records = asking.records()
    assert failed(records) == []
    assert all(record.right for record in records)
    assert {record.release for record in records[-20:]} == {3}
    evidence = rig.ledger()[-1]["evidence"]
    steps = evidence["shift_traffic"]["stages"]
    assert [(s["percent"], s["outcome"]) for s in steps] == [
        (_STEP, "passed"),
        (50, "passed"),
        (100, "passed"),
    ]
    assert [s["said"][-1]["verdict"] for s in steps[:2]] == ["pass", "pass"]
    (watched,) = evidence["watch"]["stages"]
    assert watched["outcome"] == "passed"
    assert watched["said"]

"""A/B tests under steady traffic: the team's own metric names the winner, and a bad candidate is stopped."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, Rig, Run, ensure_bucket
from tests.deploy.test_around_a_release import put_alarm
from tests.soak import some_of
from tests.strategies.analysed import ANALYSIS, write_requests
from tests.strategies.converting import NAME, NAMESPACE, Conversions
from tests.strategies.models import BAD, upload
from tests.strategies.test_steps import once
from tests.strategies.traffic import Traffic, check_share, failed

pytestmark = AS_IN_PRODUCTION

SPLIT = 20
# Few samples decide between rates that are so far apart.
METRIC = {
    "namespace": NAMESPACE,
    "name": NAME,
    "least_difference": 40,
    "least_samples": 20,
    "delay_seconds": 0,
}
LONG = 5  # percentage points: more samples than any of these tests has


def write(
    rig: Rig, *, split: int = 50, least_difference: float = 40, name: str = NAME, **changes: Any
) -> None:
    """Write the spec of an A/B test."""
    write_requests(rig)
    beside = {key: changes.pop(key) for key in ("analysis", "alarms") if key in changes}
    rig.spec(
        release={
            "strategy": "ab_test",
            "split_percent": split,
            "metric": {**METRIC, "name": name, "least_difference": least_difference},
            "least_seconds": 2,
            "most_seconds": 300,
            "look_seconds": 0.5,
            **changes,
        },
        **beside,
    )


@pytest.fixture(scope="module")
def champion(
    tmp_path_factory: pytest.TempPathFactory, local_sagemaker: Any, airflow_db: str
) -> Iterator[Rig]:
    """A good release, which the tests that it wins leave as it is."""
    ensure_bucket(local_sagemaker.client("s3"))
    specs = tmp_path_factory.mktemp("specs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENDPOINT_DEPLOY_SPECS", str(specs))
        rig = Rig(specs=specs, clients=local_sagemaker.client)
        write(rig)
        run = rig.run("deploy", artifact=upload(rig, "good", 1))
        assert run.outcome == "released", run
        assert run.plan
        assert run.plan["test"] is None
        assert any("there is no champion yet" in warning for warning in run.plan["warnings"])
        yield rig
    rig.sagemaker.delete_endpoint(EndpointName=rig.endpoint)


@pytest.fixture
def rig(champion: Rig) -> Rig:
    """The module's deployment."""
    return champion


def released(rig: Rig, asking: Traffic, artifact: str, rates: dict[int, float]) -> Run:
    """Release while the team publishes its metric."""
    with Conversions(rig.clients("cloudwatch"), rig.endpoint, asking, rates):
        return rig.run("deploy", artifact=artifact)


def the_test(rig: Rig) -> dict[str, Any]:
    """The stage of the newest record that is the A/B test."""
    stage: dict[str, Any] = rig.ledger()[-1]["evidence"]["shift_traffic"]["stages"][0]
    assert stage["test"]
    return stage


def check_back(rig: Rig, run: Run, before: dict[str, Any]) -> str:
    """Assert that the champion serves as before; returns the candidate's variant."""
    assert (run.state, run.outcome) == ("failed", "rolled_back"), run
    after = rig.describe()
    assert after["EndpointConfigName"] == before["EndpointConfigName"]
    assert [v["DesiredWeight"] for v in after["ProductionVariants"]] == [1.0]
    assert run.plan
    (candidate,) = run.plan["proves"]
    return str(candidate)


@pytest.mark.parametrize("goes", some_of(BAD, always=("wrong", "dies")))
def test_a_bad_model_is_stopped_long_before_the_metric_would(
    rig: Rig, traffic: Callable[..., Traffic], goes: str
) -> None:
    write(rig, split=SPLIT, least_difference=LONG, analysis=ANALYSIS)
    before = rig.describe()
    # The one that dies has passed the analysis once by then.
    late = {"dies": {"after_requests": 60, "after_seconds": 6}}.get(goes, {})
    with traffic() as asking:
        run = released(rig, asking, upload(rig, goes, 2, late_seconds=1.0, **late), {1: 0.5, 2: 0.5})
        asking.wait_for(40)
    candidate = check_back(rig, run, before)
    assert run.tasks["smoke_test"] == "success"  # at weight 0 nothing is wrong with it
    assert f"the analysis, with {SPLIT} % of the traffic on the candidate" in run.result["reason"]
    records = asking.records()
    assert check_share(records, candidate, SPLIT)
    assert all(record.right for record in records if record.variant not in {candidate, None})
    assert failed(records[-20:]) == []
    assert all(record.right for record in records[-20:])


def test_an_alarm_ends_the_test(rig: Rig, traffic: Callable[..., Traffic]) -> None:
    alarm = f"{rig.name}-errors"
    put_alarm(rig, alarm, "OK")
    write(rig, split=SPLIT, least_difference=LONG, alarms=[alarm])
    before = rig.describe()

    def is_split() -> bool:
        weights = [variant["DesiredWeight"] for variant in rig.describe()["ProductionVariants"]]
        return len(weights) == 2 and weights[-1] > 0

    with traffic() as asking, once(is_split, lambda: put_alarm(rig, alarm, "ALARM")):
        run = released(rig, asking, upload(rig, "good", 2), {1: 0.5, 2: 0.5})
    candidate = check_back(rig, run, before)
    assert f"{alarm} went to ALARM with {SPLIT} % of the traffic on the candidate" in run.result["reason"]
    records = asking.records()
    assert check_share(records, candidate, SPLIT)
    assert failed(records) == []


def test_what_converts_less_loses_by_name_and_numbers(rig: Rig, traffic: Callable[..., Traffic]) -> None:
    """Wrong answers with status 200, and no analysis: nothing but the metric shows it."""
    write(rig)
    before = rig.describe()
    with traffic() as asking:
        run = released(rig, asking, upload(rig, "wrong", 2), {1: 0.5, 2: 0.5})
        asking.wait_for(20)
    candidate = check_back(rig, run, before)
    assert "the champion wins" in run.result["reason"]
    assert f"{NAMESPACE} {NAME}: candidate 0.00% (0.00% to " in run.result["reason"]
    records = asking.records()
    assert check_share(records, candidate, 50)
    assert failed(records) == []
    stage = the_test(rig)
    assert (stage["name"], stage["outcome"]) == ("50-percent", "failed")
    numbers = stage["test"]["evidence"]["metrics"][0]["numbers"]
    assert numbers["candidate"]["rate"] < numbers["champion"]["low"]
    assert stage["test"]["standing"]["winner"] == "champion"
    assert [said["verdict"] for said in stage["said"]] == ["champion wins"]


def test_without_a_winner_the_champion_is_kept(rig: Rig, traffic: Callable[..., Traffic]) -> None:
    write(rig, least_difference=LONG, most_seconds=6)
    before = rig.describe()
    with traffic() as asking:
        run = released(rig, asking, upload(rig, "good", 2), {1: 0.5, 2: 0.5})
    check_back(rig, run, before)
    assert "release.on_inconclusive is keep, the champion is kept: inconclusive" in run.result["reason"]
    assert failed(asking.records()) == []


@pytest.mark.parametrize("ends", ["keep", "promote"])
def test_a_metric_without_data_promotes_nobody_and_ends(rig: Rig, ends: str) -> None:
    write(rig, most_seconds=3, on_inconclusive=ends, name="Nobody publishes it")
    before = rig.describe()
    run = rig.run("deploy", artifact=upload(rig, "good", 2))
    check_back(rig, run, before)
    assert "no data" in run.result["reason"]
    assert run.plan
    assert any("has no data of the champion" in warning for warning in run.plan["warnings"])


def test_a_metric_that_is_not_of_zeros_and_ones_is_refused(rig: Rig) -> None:
    name = "Revenue"
    write(rig, most_seconds=3, name=name)
    before = rig.describe()
    (variant,) = (v["VariantName"] for v in before["ProductionVariants"])
    dimensions = [
        {"Name": "EndpointName", "Value": rig.endpoint},
        {"Name": "VariantName", "Value": variant},
    ]
    datum = {"MetricName": name, "Dimensions": dimensions, "Value": 12.5}
    rig.clients("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=[datum])
    run = rig.run("deploy", artifact=upload(rig, "good", 2))
    check_back(rig, run, before)
    assert run.plan
    assert any("expected 0 or 1 for each trial" in warning for warning in run.plan["warnings"])


def test_without_a_winner_the_candidate_is_promoted_where_the_spec_says_so(
    rig: Rig, traffic: Callable[..., Traffic]
) -> None:
    write(rig, least_difference=LONG, most_seconds=6, on_inconclusive="promote")
    with traffic() as asking:
        run = released(rig, asking, upload(rig, "good", 4), {1: 0.5, 4: 0.5})
        asking.wait_for(20)
    assert (run.state, run.outcome) == ("success", "released"), run
    assert "release.on_inconclusive is promote: inconclusive" in run.result["reason"]
    assert {record.release for record in asking.records()[-10:]} == {4}


def test_what_converts_more_wins_and_gets_everything(rig: Rig, traffic: Callable[..., Traffic]) -> None:
    write(rig, analysis=ANALYSIS, watch={"seconds": 3, "look_seconds": 0.5})
    with traffic() as asking:
        run = released(rig, asking, upload(rig, "good", 3), {1: 0.15, 4: 0.15, 3: 0.85})
        asking.wait_for(20)
    assert (run.state, run.outcome) == ("success", "released"), run
    assert "the candidate wins, proven better than the champion" in run.result["reason"]
    assert run.plan
    assert run.plan["test"]["percent"] == 50
    records = asking.records()
    assert failed(records) == []
    assert all(record.right for record in records)
    assert {record.release for record in records[-20:]} == {3}
    steps = rig.ledger()[-1]["evidence"]["shift_traffic"]["stages"]
    assert [(s["percent"], s["outcome"]) for s in steps] == [(50, "passed"), (100, "passed")]
    standing = steps[0]["test"]["standing"]
    assert standing["winner"] == "candidate"
    assert standing["low"] > 0
    (variant,) = rig.describe()["ProductionVariants"]
    assert variant["CurrentWeight"] == 1.0

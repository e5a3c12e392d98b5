"""Back to a release in the ledger, from every state in which the endpoint can be found."""

import pytest

from endpoint_deploy.core.observed import Observed, ObservedConfig
from endpoint_deploy.core.plan import EndpointChange, Live, RollBackTo, Shift, VariantTarget
from endpoint_deploy.core.record import RunRef
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.restore import make_restore_plan
from endpoint_deploy.core.rollback import Delete, next_step
from endpoint_deploy.errors import NotAsPlanned, TryAgain
from tests.core.builders import (
    ENDPOINT,
    candidate,
    endpoint_on,
    final_config,
    foreign_config,
    hung,
    live,
    spec,
    staged,
    variant,
)

TWO = spec(variant("big", count=2, weight=0.7), variant("small", weight=0.3))
THEN, NOW = final_config(TWO, candidate("a")), final_config(TWO, candidate("b"))
BIG, SMALL = (body["VariantName"] for body in THEN.variants)
TARGETS = (VariantTarget(name=BIG, count=2, weight=0.7), VariantTarget(name=SMALL, count=1, weight=0.3))
RELEASE = Release(
    sequence=3,
    kind="deploy",
    deployment="churn__prod",
    endpoint=ENDPOINT,
    outcome="released",
    artifact="s3://models/churn/model.tar.gz",
    artifact_sha256="a" * 64,
    config_after=THEN.name,
    run=RunRef(dag_id="deploy__churn__prod", run_id="manual", run_type="manual"),
    started_at="2026-01-01T00:00:00Z",
    finished_at="2026-01-01T00:05:00Z",
    seconds=300,
)


def test_an_older_release_comes_back_by_one_update() -> None:
    plan = make_restore_plan(RELEASE, THEN, live(NOW))
    assert plan.action == "restore"
    assert plan.models == ()
    assert plan.config
    assert plan.config.exists
    assert plan.change == EndpointChange(operation="update", config=THEN.name, variants=TARGETS)
    assert (plan.joint, plan.shift, plan.retire) == (None, None, None)
    assert plan.expects == Live(status="InService", config=NOW.name)
    assert plan.proves == (BIG, SMALL)
    assert plan.roll_back_to
    assert plan.roll_back_to.config == NOW.name
    assert plan.live_after == RollBackTo(config=THEN.name, variants=TARGETS)
    assert plan.artifact_sha256 == "a" * 64
    assert plan.warnings == ()
    assert plan.executes


def test_an_absent_endpoint_is_created_and_taken_away_again_if_that_fails() -> None:
    plan = make_restore_plan(RELEASE, THEN, Observed())
    assert plan.change
    assert plan.change.operation == "create"
    assert plan.expects == Live(status=None, config=None)
    assert plan.roll_back_to is None
    assert next_step(plan, endpoint_on(THEN, "Failed")) == Delete()


@pytest.mark.parametrize("status", ["Failed", "OutOfService"])
def test_a_broken_endpoint_is_created_again(status: str) -> None:
    good = final_config(TWO, candidate("c"))
    plan = make_restore_plan(RELEASE, THEN, live(NOW, status, last_good=good))
    assert plan.change
    assert plan.change.operation == "recreate"
    assert plan.roll_back_to
    assert plan.roll_back_to.config == good.name
    same = make_restore_plan(RELEASE, THEN, live(THEN, status, last_good=THEN))
    assert same.action == "restore"
    assert same.roll_back_to is None


def test_a_mix_is_made_whole() -> None:
    plan = make_restore_plan(RELEASE, THEN, live(NOW, "UpdateRollbackFailed", counts={BIG: 1}))
    assert plan.change
    assert plan.change.operation == "update"
    assert plan.roll_back_to
    assert [v.count for v in plan.roll_back_to.variants] == [2, 1]


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"])
def test_nothing_is_planned_while_the_service_changes_the_endpoint(status: str) -> None:
    with pytest.raises(TryAgain, match=status):
        make_restore_plan(RELEASE, THEN, live(NOW, status))


def test_what_is_live_already_is_nothing_to_do() -> None:
    plan = make_restore_plan(RELEASE, THEN, live(THEN, counts={BIG: 5}))
    assert plan.action == "nothing"
    assert not plan.executes
    assert plan.live_after
    assert [v.count for v in plan.live_after.variants] == [5, 1]


def test_what_is_live_with_other_weights_is_reweighed() -> None:
    plan = make_restore_plan(RELEASE, THEN, live(THEN, weights={BIG: 0.0}, counts={BIG: 5}))
    assert plan.action == "reweigh"
    assert plan.change is None
    assert plan.shift == Shift(weights={BIG: 0.7, SMALL: 0.3})
    assert plan.roll_back_to
    assert [v.weight for v in plan.roll_back_to.variants] == [0.0, 0.3]
    assert plan.live_after
    assert [(v.count, v.weight) for v in plan.live_after.variants] == [(5, 0.7), (1, 0.3)]


@pytest.mark.parametrize("shifted", [False, True])
def test_a_release_that_hung_is_left_for_its_champion_if_the_restore_fails(shifted: bool) -> None:
    champion, first = staged(TWO, before="b", after="c")
    plan = make_restore_plan(RELEASE, THEN, hung(first, champion, shifted=shifted))
    assert plan.roll_back_to == first.roll_back_to


def test_a_release_whose_configuration_is_gone_says_how_to_release_it_again() -> None:
    with pytest.raises(NotAsPlanned, match=rf"{THEN.name} of release 3 .*trigger the deploy DAG with s3://"):
        make_restore_plan(RELEASE, None, live(NOW))


def test_an_endpoint_whose_configuration_is_gone_cannot_be_updated() -> None:
    with pytest.raises(NotAsPlanned, match="has been deleted"):
        make_restore_plan(RELEASE, THEN, live(NOW, config=None, champion=None))


@pytest.mark.parametrize(("config", "counts"), [(NOW, {}), (foreign_config(), {"AllTraffic": 7})])
def test_fewer_instances_than_serve_now_are_a_warning(config: ObservedConfig, counts: dict[str, int]) -> None:
    warnings = make_restore_plan(RELEASE, THEN, live(config, counts=counts)).warnings
    expected = ("7 instances serve now, and 3 afterwards, as the old release declares",) if counts else ()
    assert warnings == expected

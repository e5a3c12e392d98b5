"""The way back from wherever a release stopped, walked on a simulated service."""

from typing import Any

import pytest

from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.observed import Observed, ObservedConfig, ObservedEndpoint
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.rollback import Adjust, Create, Delete, Done, Stuck, Update, Wait, next_step
from endpoint_deploy.core.scaling import ScalingPlan
from endpoint_deploy.core.spec import DeploymentSpec
from tests.core.builders import (
    candidate,
    endpoint_on,
    final_config,
    foreign_config,
    hung,
    live,
    planned_config,
    spec,
    staged,
    variant,
    wanted,
)
from tests.core.simulated_service import Service, never_stops_serving, walk_back

ONE = spec()
DIRECT = spec(strategy="direct")
OLD, NEW, OTHER = candidate("a"), candidate("b"), candidate("c")
SETTLED = ("InService", "Failed", "OutOfService", "UpdateRollbackFailed")


def _service(plan: Plan, *configs: ObservedConfig | None, on: ObservedEndpoint | None) -> Service:
    planned = [planned_config(c) for c in (plan.config, plan.joint) if c and c.body]
    return Service({c.name: c for c in (*configs, *planned) if c}, on)


def _name(its_spec: DeploymentSpec = ONE, its_candidate: Candidate = OLD) -> str:
    return wanted(its_spec, its_candidate).variants[0].name


# Where the release changed nothing, or the service took it back by itself


@pytest.mark.parametrize("its_spec", [ONE, DIRECT], ids=["staged", "direct"])
def test_nothing_was_changed_so_nothing_is(its_spec: DeploymentSpec) -> None:
    champion, plan = staged(its_spec)
    taken, end = walk_back(plan, _service(plan, champion, on=endpoint_on(champion)))
    assert taken == []
    assert isinstance(end, Done)


def test_instances_that_autoscaling_added_since_the_plan_are_left_to_it() -> None:
    champion, plan = staged(ONE)
    grown = endpoint_on(champion, counts={_name(): 9})
    scaled = plan.model_copy(update={"scaling": ScalingPlan()})
    assert isinstance(next_step(scaled, grown), Done)
    assert next_step(plan, grown) == Adjust(weights={_name(): 1.0}, counts={_name(): 1})


def test_the_service_is_waited_for() -> None:
    champion, plan = staged(ONE)
    for status in ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"):
        assert isinstance(next_step(plan, endpoint_on(champion, status)), Wait)


# Staged


def test_with_the_champion_warm_the_traffic_comes_first_and_the_instances_after() -> None:
    champion, plan = staged(ONE, counts={_name(): 4})
    service = _service(plan, champion, on=endpoint_on(champion, counts={_name(): 4}))
    assert plan.change
    assert plan.shift
    service.apply(plan.change)
    service.adjust(plan.shift.weights, {})
    taken, end = walk_back(plan, service)
    assert taken == [
        Adjust(weights={_name(): 1.0, _name(its_candidate=NEW): 0.0}),
        Update(config=champion.name, retain=("DesiredWeight",)),
    ]
    assert isinstance(end, Done)
    assert service.endpoint == endpoint_on(champion, counts={_name(): 4})


def test_before_any_traffic_was_shifted_the_candidate_is_only_removed() -> None:
    champion, plan = staged(ONE)
    service = _service(plan, champion, on=endpoint_on(champion))
    assert plan.change
    service.apply(plan.change)
    taken, _ = walk_back(plan, service)
    assert [step.do for step in taken] == ["update"]


def test_with_the_champion_retired_its_configuration_counts_and_weights_come_back() -> None:
    two = spec(variant("big", weight=0.7), variant("small", weight=0.3))
    big, small = (v.name for v in wanted(two, OLD).variants)
    before: dict[str, Any] = {"counts": {big: 5, small: 3}, "weights": {big: 0.5, small: 0.5}}
    champion, plan = staged(two, **before)
    service = _service(plan, champion, on=endpoint_on(champion, **before))
    assert plan.change
    assert plan.shift
    assert plan.retire
    service.apply(plan.change)
    service.adjust(plan.shift.weights, {})
    service.apply(plan.retire)
    taken, end = walk_back(plan, service)
    weights = {big: 0.5, small: 0.5}
    assert taken == [
        Update(config=champion.name),
        Adjust(weights=weights),
        Adjust(weights=weights, counts={big: 5}),
        Adjust(weights=weights, counts={small: 3}),
    ]
    assert isinstance(end, Done)
    assert service.endpoint == endpoint_on(champion, **before)


def test_a_resumed_release_that_fails_takes_the_traffic_back_in_seconds_too() -> None:
    champion, first = staged(ONE)
    seen = hung(first, champion, shifted=True)
    plan = make_plan(ONE, NEW, seen)
    taken, end = walk_back(plan, _service(plan, champion, seen.config, on=seen.endpoint))
    assert [step.do for step in taken] == ["adjust", "update"]
    assert isinstance(end, Done)


@pytest.mark.parametrize("shifted", [False, True])
def test_a_release_over_one_that_hung_leads_back_to_the_champion_of_both(shifted: bool) -> None:
    champion, first = staged(ONE)
    seen = hung(first, champion, shifted=shifted)
    plan = make_plan(ONE, OTHER, seen)
    service = _service(plan, champion, seen.config, on=seen.endpoint)
    taken, end = walk_back(plan, service)
    assert [step.do for step in taken] == ["adjust", "update"][0 if shifted else 1 :]
    assert isinstance(end, Done)
    assert service.endpoint == endpoint_on(champion)


def test_where_the_champions_configuration_is_gone_only_the_traffic_goes_back() -> None:
    _, first = staged(ONE)
    seen = hung(first, None, shifted=True)
    plan = make_plan(ONE, NEW, seen)
    taken, end = walk_back(plan, _service(plan, seen.config, on=seen.endpoint))
    assert taken == [Adjust(weights={_name(): 1.0, _name(its_candidate=NEW): 0.0})]
    assert isinstance(end, Done)


# Direct


def test_direct_goes_back_by_one_update_that_keeps_what_autoscaling_set() -> None:
    champion, plan = staged(DIRECT, counts={"primary": 6})
    service = _service(plan, champion, on=endpoint_on(champion, counts={"primary": 6}))
    assert plan.change
    service.apply(plan.change)
    taken, _ = walk_back(plan, service)
    assert taken == [Update(config=champion.name, retain=("DesiredWeight",))]
    assert service.endpoint == endpoint_on(champion, counts={"primary": 6})


def test_a_count_that_the_candidate_s_spec_has_raised_comes_back_down() -> None:
    # Found by the properties: the update back retained the candidate's count, and it was called as before.
    champion = final_config(spec(variant(count=1), strategy="direct"), OLD)
    plan = make_plan(spec(variant(count=2), strategy="direct"), NEW, live(champion))
    assert plan.config
    service = _service(plan, champion, on=endpoint_on(planned_config(plan.config), counts={"primary": 2}))
    taken, end = walk_back(plan, service)
    assert [step.do for step in taken] == ["update", "adjust"]
    assert isinstance(end, Done)
    assert service.endpoint == endpoint_on(champion, counts={"primary": 1})


def test_the_candidates_fleet_is_not_reweighed_on_the_way_back() -> None:
    champion = final_config(DIRECT, OLD)
    wider = spec(variant(), variant("extra"), strategy="direct")
    plan = make_plan(wider, NEW, live(champion))
    service = _service(plan, champion, on=endpoint_on(champion))
    assert plan.change
    service.apply(plan.change)
    taken, _ = walk_back(plan, service)
    assert [step.do for step in taken] == ["update"]


def test_without_a_way_back_a_proved_wrong_update_is_left_to_a_person() -> None:
    mixed = final_config(ONE, OLD)
    plan = make_plan(ONE, NEW, live(mixed, "UpdateRollbackFailed", champion=None))
    assert plan.roll_back_to is None
    assert isinstance(next_step(plan, endpoint_on(final_config(ONE, NEW))), Stuck)
    assert isinstance(next_step(plan, endpoint_on(mixed, "UpdateRollbackFailed")), Done)


# First releases


@pytest.mark.parametrize("status", SETTLED)
def test_a_first_release_that_fails_leaves_nothing_behind(status: str) -> None:
    plan = make_plan(ONE, NEW, Observed())
    created = endpoint_on(planned_config(plan.config), status)
    taken, end = walk_back(plan, _service(plan, on=created))
    assert taken == [Delete()]
    assert end == Done(reason="there is no endpoint, as before")


def test_an_endpoint_that_somebody_made_meanwhile_is_not_deleted() -> None:
    plan = make_plan(ONE, NEW, Observed())
    for status in SETTLED:
        assert isinstance(next_step(plan, endpoint_on(foreign_config(), status)), Stuck)


# Broken endpoints


@pytest.mark.parametrize("status", ["Failed", "OutOfService"])
def test_a_recreated_endpoint_goes_back_to_the_last_good_configuration(status: str) -> None:
    good = final_config(ONE, OTHER)
    plan = make_plan(ONE, NEW, live(final_config(ONE, OLD), status, last_good=good))
    for stopped_on in (
        endpoint_on(final_config(ONE, OLD), status),
        endpoint_on(planned_config(plan.config), "Failed"),
    ):
        service = _service(plan, good, on=stopped_on)
        taken, end = walk_back(plan, service)
        assert taken == [Delete(), Create(config=good.name)]
        assert isinstance(end, Done)
        assert service.endpoint == endpoint_on(good)


def test_deleted_and_not_yet_created_is_created_on_the_last_good_configuration() -> None:
    good = final_config(ONE, OTHER)
    plan = make_plan(ONE, NEW, live(final_config(ONE, OLD), "Failed", last_good=good))
    taken, _ = walk_back(plan, _service(plan, good, on=None))
    assert taken == [Create(config=good.name)]


def test_an_old_release_that_cannot_be_created_either_is_not_tried_for_ever() -> None:
    good = final_config(ONE, OTHER)
    plan = make_plan(ONE, NEW, live(final_config(ONE, OLD), "Failed", last_good=good))
    service = Service({good.name: good}, None, broken=frozenset({good.name}))
    taken, end = walk_back(plan, service)
    assert [step.do for step in taken] == ["create", "delete", "create"]
    assert isinstance(end, Stuck)
    assert f"is Failed on {good.name} after 2 times the step 'create'" in end.reason


def test_an_update_that_the_service_takes_back_again_and_again_ends() -> None:
    champion, plan = staged(DIRECT)
    service = _service(plan, champion, on=endpoint_on(final_config(DIRECT, NEW)))
    service.broken = frozenset({champion.name})
    taken, end = walk_back(plan, service)
    assert [step.do for step in taken] == ["update", "update"]
    assert isinstance(end, Stuck)
    assert "look at the endpoint" in end.reason


def test_weights_that_will_not_move_do_not_hold_the_old_configuration_up() -> None:
    _, plan = staged(ONE)
    assert plan.shift
    stuck_weights = endpoint_on(planned_config(plan.joint), weights=plan.shift.weights)
    adjust = next_step(plan, stuck_weights)
    assert isinstance(adjust, Adjust)
    assert next_step(plan, stuck_weights, [adjust]) == adjust
    assert isinstance(next_step(plan, stuck_weights, [adjust, adjust]), Update)


def test_failed_on_the_wanted_configuration_without_a_last_good_is_left_as_it_was() -> None:
    failed = final_config(ONE, NEW)
    plan = make_plan(ONE, NEW, live(failed, "Failed", last_good=failed))
    assert isinstance(next_step(plan, endpoint_on(failed, "Failed")), Done)
    assert isinstance(next_step(plan, endpoint_on(failed)), Done)
    gone = next_step(plan, None)
    assert isinstance(gone, Done)
    assert "Failed before, is deleted" in gone.reason


def test_an_endpoint_that_served_and_does_not_is_never_called_as_before() -> None:
    champion, plan = staged(ONE)
    without = plan.model_copy(update={"roll_back_to": None})
    assert isinstance(next_step(without, endpoint_on(champion)), Done)
    assert isinstance(next_step(without, endpoint_on(champion, "Failed")), Stuck)


@pytest.mark.parametrize("status", SETTLED)
def test_a_configuration_that_nobody_planned_is_left_to_a_person(status: str) -> None:
    champion, plan = staged(ONE)
    step = next_step(plan, endpoint_on(foreign_config(), status))
    assert isinstance(step, Stuck)
    assert f"{status} on by-hand" in step.reason
    assert champion.name in step.reason


def test_an_endpoint_that_somebody_deleted_is_created_again() -> None:
    champion, plan = staged(ONE, counts={_name(): 3})
    service = _service(plan, champion, on=None)
    taken, end = walk_back(plan, service)
    assert [step.do for step in taken] == ["create", "adjust"]
    assert isinstance(end, Done)
    assert service.endpoint == endpoint_on(champion, counts={_name(): 3})


def test_the_simulated_service_notices_a_gap() -> None:
    champion = final_config(ONE, OLD)
    dark = endpoint_on(champion, weights={_name(): 0.0})
    assert never_stops_serving([None, endpoint_on(champion), endpoint_on(champion, "Updating")])
    assert not never_stops_serving([endpoint_on(champion), dark])
    assert not never_stops_serving([endpoint_on(champion), None, endpoint_on(champion)])

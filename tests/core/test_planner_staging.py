"""Staged releases where it is not plain: autoscaled counts, full endpoints, releases that hung."""

from typing import Any

import pytest

from endpoint_deploy.core import requests
from endpoint_deploy.core.observed import ObservedConfig
from endpoint_deploy.core.plan import Plan, RollBackTo, VariantTarget
from endpoint_deploy.core.planner import make_plan
from tests.core.builders import (
    candidate,
    described_config,
    final_config,
    foreign_config,
    hung,
    live,
    serverless,
    spec,
    staged,
    variant,
    wanted,
)

ONE = spec()
OLD, NEW, OTHER = candidate("a"), candidate("b"), candidate("c")


def _name(its_candidate: Any, its_spec: Any = ONE) -> str:
    return wanted(its_spec, its_candidate).variants[0].name


def _counts(variants: tuple[VariantTarget, ...]) -> dict[str, int | None]:
    return {v.name: v.count for v in variants}


def _joint_counts(plan: Plan) -> dict[str, int]:
    assert plan.joint
    return {v["VariantName"]: v["InitialInstanceCount"] for v in plan.joint.body["ProductionVariants"]}


# Autoscaled counts


def test_the_candidate_starts_with_the_counts_that_autoscaling_gave_the_champion() -> None:
    old, new = _name(OLD), _name(NEW)
    _, plan = staged(ONE, counts={old: 6})
    assert _joint_counts(plan) == {old: 6, new: 6}
    assert plan.change
    assert plan.retire
    assert plan.roll_back_to
    assert plan.live_after
    assert _counts(plan.change.variants) == {old: 6, new: 6}
    assert _counts(plan.retire.variants) == {new: 6}
    assert _counts(plan.roll_back_to.variants) == {old: 6}
    assert _counts(plan.live_after.variants) == {new: 6}
    assert plan.warnings == (
        f"variant {new} starts with 6 instances, as the champion runs now, not the spec's",
    )


@pytest.mark.parametrize(
    ("before", "running", "after", "start"),
    [
        (1, 1, 4, 4),  # nothing was scaled: the spec's change counts
        (4, 2, 4, 2),  # scaled in: the candidate is as small
        (1, 4, 10, 10),  # scaled out, and the spec asks for still more
        (4, 8, 2, 8),  # scaled out, while the spec asks for less: capacity first
        (1, 4, 4, 4),  # scaled to what the spec now says
    ],
)
def test_the_spec_and_autoscaling_both_moved_the_count(
    before: int, running: int, after: int, start: int
) -> None:
    champion = final_config(spec(variant(count=before)), OLD)
    old = champion.variants[0]["VariantName"]
    plan = make_plan(spec(variant(count=after)), NEW, live(champion, counts={old: running}))
    assert plan.joint
    assert [v["InitialInstanceCount"] for v in plan.joint.body["ProductionVariants"]] == [running, start]
    assert bool(plan.warnings) is (start != after)


def test_a_direct_update_lets_the_service_retain_autoscaled_counts_but_not_weights() -> None:
    direct = spec(strategy="direct")
    plan = make_plan(direct, NEW, live(final_config(direct, OLD), counts={"primary": 6}))
    assert plan.change
    assert _counts(plan.change.variants) == {"primary": 6}
    assert plan.change.retain == ("DesiredWeight",)
    assert plan.warnings == (
        "variant primary starts with 6 instances, as the champion runs now, not the spec's",
    )


def test_a_direct_update_that_changes_data_capture_does_not_retain_it() -> None:
    direct = spec(strategy="direct")
    capturing = spec(strategy="direct", endpoint={"data_capture": {"destination": "s3://models/capture"}})
    plan = make_plan(capturing, NEW, live(final_config(direct, OLD), counts={"primary": 6}))
    assert plan.change
    assert plan.change.retain == ("DesiredWeight", "DataCaptureConfig")


def test_a_direct_update_that_changes_a_count_resets_the_autoscaled_ones_and_says_so() -> None:
    before = spec(variant("big"), variant("small"), strategy="direct")
    after = spec(variant("big", count=2), variant("small"), strategy="direct")
    plan = make_plan(after, NEW, live(final_config(before, OLD), counts={"small": 5}))
    assert plan.change
    assert plan.change.retain is None
    assert _counts(plan.change.variants) == {"big": 2, "small": 1}
    assert plan.warnings == ("the update resets the autoscaled counts of small to the spec's",)


def test_counts_cannot_be_retained_under_other_names_and_the_plan_says_so() -> None:
    champion = final_config(ONE, OLD)
    plan = make_plan(spec(strategy="direct"), NEW, live(champion, counts={_name(OLD): 6}))
    assert plan.change
    assert plan.change.retain is None
    assert _counts(plan.change.variants) == {"primary": 1}
    assert plan.warnings == ("the update resets the autoscaled counts of primary to the spec's",)


# What cannot be staged


def _many(count: int) -> ObservedConfig:
    body = foreign_config().variants[0]
    variants = [{**body, "VariantName": f"v{index}"} for index in range(count)]
    return described_config({"EndpointConfigName": "by-hand", "ProductionVariants": variants})


def test_nine_live_variants_leave_room_for_one() -> None:
    plan = make_plan(ONE, NEW, live(_many(9)))
    assert plan.action == "stage"
    assert plan.joint
    assert len(plan.joint.body["ProductionVariants"]) == 10


def _with_feature(feature: str, value: Any) -> ObservedConfig:
    body = {"EndpointConfigName": "by-hand", "ProductionVariants": list(foreign_config().variants)}
    return described_config(body | {feature: value})


SAME_NAMES = final_config(ONE, NEW).model_copy(update={"name": "copied-by-hand"})


@pytest.mark.parametrize(
    ("champion", "counts", "obstacle"),
    [
        (_many(10), {}, "10 live variants leave no room; an endpoint takes 10"),
        (final_config(spec(serverless(), strategy="direct"), OLD), {}, "the live endpoint is serverless"),
        (foreign_config(InstancePools=[{}]), {}, "a variant without a fixed instance count"),
        (foreign_config(), {"AllTraffic": 0}, "a variant without instances"),
        (_with_feature("AsyncInferenceConfig", {"OutputConfig": {}}), {}, "has AsyncInferenceConfig"),
        (_with_feature("ShadowProductionVariants", [{}]), {}, "has ShadowProductionVariants"),
        (SAME_NAMES, {}, "variants of the candidate's names"),
    ],
)
def test_what_cannot_stand_side_by_side_is_one_update_with_a_warning(
    champion: ObservedConfig, counts: dict[str, int], obstacle: str
) -> None:
    plan = make_plan(ONE, NEW, live(champion, counts=counts))
    assert plan.action == "direct"
    assert (plan.joint, plan.shift, plan.retire) == (None, None, None)
    assert plan.change
    assert plan.change.config == wanted(ONE, NEW).config
    assert plan.roll_back_to
    assert plan.roll_back_to.config == champion.name
    assert any("cannot be staged" in w and obstacle in w for w in plan.warnings)


def test_an_empty_feature_is_no_obstacle() -> None:
    assert make_plan(ONE, NEW, live(_with_feature("EnableNetworkIsolation", False))).action == "stage"


# Releases that hung


@pytest.mark.parametrize(
    "weights", [{}, {_name(OLD): 0.5, _name(NEW): 0.5}, {_name(OLD): 0.0, _name(NEW): 1.0}]
)
def test_the_same_release_is_resumed_wherever_its_weights_were_left(weights: dict[str, float]) -> None:
    champion, first = staged(ONE)
    plan = make_plan(ONE, NEW, hung(first, champion, weights=weights))
    old, new = _name(OLD), _name(NEW)
    assert plan.action == "resume"
    assert (plan.joint, plan.change) == (None, None)
    assert plan.shift
    assert plan.shift.weights == {old: 0.0, new: 1.0}
    assert plan.retire == first.retire
    assert plan.proves == (new,)
    assert plan.roll_back_to == first.roll_back_to
    assert plan.live_after == first.live_after


def test_a_resumed_release_leads_back_to_the_weights_and_counts_before_it() -> None:
    two = spec(variant("big", weight=0.7), variant("small", weight=0.3))
    big, small = (v.name for v in wanted(two, OLD).variants)
    champion, first = staged(two, weights={big: 0.9, small: 0.1}, counts={big: 4})
    plan = make_plan(two, NEW, hung(first, champion, shifted=True, counts={big: 5}))
    back = (VariantTarget(name=big, count=5, weight=0.9), VariantTarget(name=small, count=1, weight=0.1))
    assert plan.roll_back_to == RollBackTo(config=champion.name, variants=back)


@pytest.mark.parametrize("shifted", [False, True])
def test_another_candidate_takes_the_place_of_the_one_that_hung(shifted: bool) -> None:
    champion, first = staged(ONE)
    seen = hung(first, champion, shifted=shifted)
    plan = make_plan(ONE, OTHER, seen)
    old, hanging, new = _name(OLD), _name(NEW), _name(OTHER)
    assert plan.action == "stage"
    assert _joint_counts(plan) == {old: 1, new: 1}
    assert hanging not in _joint_counts(plan)
    assert plan.joint
    assert [v["InitialVariantWeight"] for v in plan.joint.body["ProductionVariants"]] == [1.0, 0.0]
    assert plan.roll_back_to == RollBackTo(
        config=champion.name, variants=(VariantTarget(name=old, count=1, weight=1.0),)
    )
    assert seen.endpoint
    assert plan.expects.config == seen.endpoint.config


def test_counts_beside_a_release_that_hung_are_the_champions() -> None:
    champion, first = staged(ONE, counts={_name(OLD): 6})
    plan = make_plan(ONE, OTHER, hung(first, champion, counts={_name(NEW): 2}))
    assert _joint_counts(plan) == {_name(OLD): 6, _name(OTHER): 6}


@pytest.mark.parametrize("shifted", [False, True])
def test_the_champion_of_a_release_that_hung_is_resumed_in_its_place(shifted: bool) -> None:
    champion, first = staged(ONE)
    plan = make_plan(ONE, OLD, hung(first, champion, shifted=shifted))
    assert plan.action == "resume"
    assert plan.shift
    assert plan.shift.weights == {_name(OLD): 1.0, _name(NEW): 0.0}
    assert plan.retire
    assert plan.retire.config == champion.name
    assert plan.proves == (_name(OLD),)
    assert plan.roll_back_to
    assert plan.roll_back_to.config == champion.name


def test_a_hung_release_whose_champion_is_gone_resumes_with_both_side_by_side_as_its_way_back() -> None:
    _, first = staged(ONE)
    plan = make_plan(ONE, NEW, hung(first, None, shifted=True))
    assert plan.action == "resume"
    assert first.joint
    assert plan.roll_back_to == RollBackTo(
        config=first.joint.name,
        variants=(
            VariantTarget(name=_name(OLD), count=1, weight=1.0),
            VariantTarget(name=_name(NEW), count=1, weight=0.0),
        ),
    )


def test_another_candidate_after_a_hung_release_whose_champion_is_gone_is_one_update() -> None:
    _, first = staged(ONE)
    plan = make_plan(ONE, OTHER, hung(first, None))
    assert plan.action == "direct"
    assert first.joint
    assert plan.roll_back_to
    assert plan.roll_back_to.config == first.joint.name
    assert any("cannot be staged" in warning for warning in plan.warnings)


def test_direct_after_a_release_that_hung_leads_back_to_its_champion() -> None:
    champion, first = staged(ONE)
    plan = make_plan(spec(strategy="direct"), NEW, hung(first, champion, shifted=True))
    assert plan.action == "direct"
    assert plan.roll_back_to == first.roll_back_to


def test_the_service_would_take_every_joint_configuration() -> None:
    champion, plan = staged(spec(variant("big", weight=0.7), variant("small", weight=0.3)))
    assert plan.joint
    bodies = plan.joint.body["ProductionVariants"]
    assert len({v["VariantName"] for v in bodies}) == len(bodies)
    assert sum(v["InitialVariantWeight"] for v in bodies) > 0
    names = [plan.joint.name, *(v["VariantName"] for v in bodies), *(v["ModelName"] for v in bodies)]
    assert all(len(name) <= 63 for name in names)
    assert plan.joint.name != requests.desired(ONE, NEW).config
    assert list(champion.variants) == bodies[:2]

"""Shadow releases: the candidate beside the champion without answering anybody, then alone."""

import pytest

from endpoint_deploy.core import tags
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.rollback import Update, next_step
from endpoint_deploy.core.spec import DeploymentSpec
from tests.core.builders import (
    Body,
    candidate,
    endpoint_on,
    final_config,
    foreign_config,
    live,
    planned_config,
    serverless,
    spec,
    variant,
)

OLD, NEW = candidate("a"), candidate("b")


def shadow(*variants: Body, **release: object) -> DeploymentSpec:
    return spec(*(variants or (variant(count=2),)), release={"strategy": "shadow", **release})


def test_the_candidate_is_the_champions_shadow_and_then_alone() -> None:
    its_spec = shadow(sampling_percent=50, observe_seconds=600, least_requests=7)
    champion = final_config(its_spec, OLD)
    plan = make_plan(its_spec, NEW, live(champion))
    assert plan.joint
    assert plan.change
    assert plan.retire
    assert plan.config
    assert (plan.action, plan.shift, plan.warnings) == ("shadow", None, ())
    (production,), (copy,) = (
        plan.joint.body["ProductionVariants"],
        plan.joint.body["ShadowProductionVariants"],
    )
    assert production == champion.variants[0]
    assert (copy["InitialVariantWeight"], copy["InitialInstanceCount"]) == (0.5, 2)
    assert plan.joint.tags[tags.CHAMPION_CONFIG] == champion.name
    assert (plan.change.config, plan.retire.config) == (plan.joint.name, plan.config.name)
    # Nobody but the champion answers: its variant is all that the change is to end with.
    assert [v.name for v in plan.change.variants] == [production["VariantName"]]
    assert plan.observe
    assert (plan.observe.shadow, plan.observe.seconds) == (copy["VariantName"], 600)
    assert plan.proves == (copy["VariantName"],)
    (alarm,) = plan.alarms
    watched = {each["Name"]: each["Value"] for each in alarm.body["Dimensions"]}
    assert (watched["VariantName"], watched["EndpointConfigName"]) == (copy["VariantName"], plan.joint.name)
    assert plan.costs[0] == (
        "beside what runs 2 ml.m5.large more while the shadow is observed, for at least 10 minutes: 0.33 "
        "instance-hours"
    )


def test_the_shadow_starts_with_the_champions_count() -> None:
    its_spec = shadow()
    champion = final_config(its_spec, OLD)
    name = champion.variants[0]["VariantName"]
    plan = make_plan(its_spec, NEW, live(champion, counts={name: 5}))
    assert plan.joint
    assert plan.joint.body["ShadowProductionVariants"][0]["InitialInstanceCount"] == 5
    assert plan.joint.body["ProductionVariants"][0]["InitialInstanceCount"] == 5


def test_a_release_that_hung_finds_its_shadow_standing() -> None:
    its_spec = shadow()
    champion = final_config(its_spec, OLD)
    first = make_plan(its_spec, NEW, live(champion))
    again = make_plan(its_spec, NEW, live(planned_config(first.joint), champion=champion))
    assert (again.action, again.change, again.retire) == ("shadow", None, first.retire)
    assert again.roll_back_to
    assert again.roll_back_to.config == champion.name
    assert again.joint == first.joint


def test_the_way_back_is_one_update_that_keeps_the_champion() -> None:
    its_spec = shadow()
    champion = final_config(its_spec, OLD)
    plan = make_plan(its_spec, NEW, live(champion))
    standing = endpoint_on(planned_config(plan.joint))
    assert next_step(plan, standing) == Update(config=champion.name, retain=("DesiredWeight",))


@pytest.mark.parametrize(
    ("champion", "why"),
    [
        (final_config(spec(serverless(), strategy="direct"), OLD), "the live endpoint is serverless"),
        (final_config(spec(variant("a"), variant("b")), OLD), "the live endpoint has several variants"),
        (foreign_config(InitialVariantWeight=0.0), "the live variant has no weight"),
    ],
)
def test_what_cannot_have_a_shadow_is_updated_and_the_plan_says_so(champion: object, why: str) -> None:
    plan: Plan = make_plan(shadow(), NEW, live(champion))  # type: ignore[arg-type]
    assert plan.action == "direct"
    assert any(w.startswith(f"this release cannot be a shadow first: {why}") for w in plan.warnings)

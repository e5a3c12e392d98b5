"""What is the same scaling, what goes over to a variant of another name, and what a plan does with it."""

from typing import Any

from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.scaling import POLICY, Policy, Scaling, ScheduledAction, renamed
from tests.core.builders import candidate, final_config, live, spec, variant

SECTION: dict[str, Any] = {"min": 2, "max": 6, "target_tracking": ({"target": 70.0},)}
BY_HAND = Scaling(
    minimum=1,
    maximum=3,
    policies=(
        Policy(
            name="busy",
            kind="StepScaling",
            config={"AdjustmentType": "ChangeInCapacity"},
            alarms=(
                {
                    "AlarmName": "busy-old",
                    "AlarmActions": [POLICY],
                    "Dimensions": [{"Name": "VariantName", "Value": "old"}, {"Name": "Zone", "Value": "old"}],
                },
            ),
        ),
    ),
)


def test_another_variants_name_stands_where_the_old_one_named_the_variant() -> None:
    (alarm,) = renamed(BY_HAND, "old", "new").policies[0].alarms
    assert alarm["AlarmName"] == "busy-new"
    assert alarm["Dimensions"] == [{"Name": "VariantName", "Value": "new"}, {"Name": "Zone", "Value": "old"}]


def test_bounds_that_a_scheduled_action_has_set_are_no_difference() -> None:
    morning = ScheduledAction(name="morning", schedule="rate(1 day)", action={"MinCapacity": 4})
    wanted = Scaling(minimum=1, maximum=6, scheduled=(morning,))
    assert wanted.same(wanted.model_copy(update={"minimum": 4}))
    assert not wanted.same(wanted.model_copy(update={"minimum": 3}))


def test_what_is_the_services_default_is_no_difference() -> None:
    said = Policy(name="p", kind="TargetTrackingScaling", config={"TargetValue": 70, "ScaleInCooldown": 300})
    assert said.same(said.model_copy(update={"config": {"TargetValue": 70.0}}))
    assert not said.same(said.model_copy(update={"config": {"TargetValue": 70.0, "DisableScaleIn": True}}))


def test_a_section_is_planned_for_the_candidate_and_what_was_live_for_the_way_back() -> None:
    its_spec = spec(variant(count=2, autoscaling=SECTION))
    champion = final_config(its_spec, candidate("a"))
    name = champion.variants[0]["VariantName"]
    plan = make_plan(its_spec, candidate("b"), live(champion, counts={name: 5}, scaling={name: BY_HAND}))
    assert plan.scaling
    assert plan.scaling.before == {name: BY_HAND}
    assert plan.scaling.dropped == (name,)
    ((after, scaling),) = plan.scaling.after.items()
    assert after != name
    assert (scaling.minimum, scaling.maximum) == (2, 6)
    assert plan.scaling.floors == {after: 5}


def test_without_a_section_what_is_live_goes_over_with_a_warning() -> None:
    champion = final_config(spec(), candidate("a"))
    name = champion.variants[0]["VariantName"]
    plan = make_plan(spec(), candidate("b"), live(champion, scaling={name: BY_HAND}))
    assert plan.scaling
    ((after, scaling),) = plan.scaling.after.items()
    assert scaling == renamed(BY_HAND, name, after)
    assert any("no section for" in warning for warning in plan.warnings)


def test_only_what_differs_is_something_to_do() -> None:
    its_spec = spec(variant(count=2, autoscaling=SECTION))
    champion = final_config(its_spec, candidate("a"))
    missing = make_plan(its_spec, candidate("a"), live(champion))
    assert (missing.action, missing.change, missing.shift) == ("rescale", None, None)
    assert missing.scaling
    there = make_plan(its_spec, candidate("a"), live(champion, scaling=missing.scaling.after))
    assert there.action == "nothing"
    held = {name: each.model_copy(update={"held": True}) for name, each in missing.scaling.after.items()}
    resumed = make_plan(its_spec, candidate("a"), live(champion, scaling=held))
    assert resumed.action == "rescale"
    assert "an interrupted release suspended" in resumed.summary

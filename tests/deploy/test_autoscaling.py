"""Scalable targets of an endpoint: registered, kept through a release, restored on the way back."""

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, Rig
from tests.deploy.scaler import SECTION, TRACKING, Scaler, captures, only, with_autoscaling
from tests.soak import some_of

pytestmark = AS_IN_PRODUCTION


@pytest.fixture
def scaler(rig: Rig) -> Scaler:
    return Scaler(rig)


@pytest.mark.parametrize("strategy", some_of(("staged", "direct"), always=("direct",)))
def test_counts_targets_and_capture_survive_an_update_and_a_failed_one(
    rig: Rig, scaler: Scaler, strategy: str
) -> None:
    with_autoscaling(rig, release={"strategy": strategy})
    first = rig.deploy(bias=1)
    assert first.outcome == "released", first
    assert first.tasks["register_scaling"] == "success"
    before = scaler.all_of(only(rig)["VariantName"])
    assert before["bounds"] == (1, 4)
    assert before["tags"]["endpoint-deploy:endpoint"] == rig.endpoint
    assert [a["ScheduledActionName"] for a in before["actions"]] == ["morning"]
    scaler.grow(3)

    second = rig.deploy(bias=2)
    assert second.outcome == "released", second
    assert rig.predict() == [3.0, 4.0, 5.0]
    assert (only(rig)["CurrentInstanceCount"], only(rig)["CurrentWeight"]) == (3, 1.0)
    assert list(scaler.targets()) == [only(rig)["VariantName"]]
    assert scaler.all_of(only(rig)["VariantName"]) == before
    assert captures(rig)

    bad = rig.deploy("raises", bias=3)
    assert bad.outcome == "rolled_back", bad
    assert rig.predict() == [3.0, 4.0, 5.0]
    assert (only(rig)["CurrentInstanceCount"], only(rig)["CurrentWeight"]) == (3, 1.0)
    assert list(scaler.targets()) == [only(rig)["VariantName"]]
    assert scaler.all_of(only(rig)["VariantName"]) == before
    assert captures(rig)


@pytest.mark.parametrize("kind", ["good", "raises"])
def test_scale_in_is_suspended_on_both_sides_while_a_release_lasts(
    rig: Rig, scaler: Scaler, kind: str
) -> None:
    with_autoscaling(rig)
    rig.deploy(bias=1)
    champion = only(rig)["VariantName"]
    with scaler.watched() as seen:
        run = rig.deploy(kind, bias=2)
    assert run.outcome == ("released" if kind == "good" else "rolled_back"), run
    suspended = {name for name, on in seen if on}
    assert champion in suspended
    assert len(suspended) == 2, seen
    (target,) = scaler.targets().values()
    assert not any(target["SuspendedState"].values())


def test_the_rollback_dag_brings_back_the_scaling_and_keeps_the_capacity(rig: Rig, scaler: Scaler) -> None:
    with_autoscaling(rig)
    rig.deploy(bias=1)
    before = scaler.all_of(only(rig)["VariantName"])
    with_autoscaling(rig, {"min": 2, "max": 4, "target_tracking": [{**TRACKING, "target": 50_000}]})
    rig.deploy(bias=2)
    scaler.settle()
    assert scaler.all_of(only(rig)["VariantName"])["bounds"] == (2, 4)
    scaler.grow(4)
    run = rig.run("rollback")
    assert run.outcome == "released", run
    assert rig.predict() == [2.0, 3.0, 4.0]
    assert only(rig)["CurrentInstanceCount"] == 4
    assert scaler.all_of(only(rig)["VariantName"]) == before


def test_a_target_made_by_hand_goes_over_to_the_candidate_and_back(rig: Rig, scaler: Scaler) -> None:
    with_autoscaling(rig, None)
    rig.deploy(bias=1)
    champion = only(rig)["VariantName"]
    scaler.make_by_hand(champion)
    made = scaler.all_of(champion)

    bad = rig.deploy("raises", bias=2)
    assert bad.outcome == "rolled_back", bad
    assert scaler.all_of(champion) == made
    assert list(scaler.targets()) == [champion]
    assert len(scaler.alarms()) == 1

    good = rig.deploy(bias=3)
    assert good.outcome == "released", good
    assert good.plan
    assert "the spec has no section for" in " ".join(good.plan["warnings"])
    candidate = only(rig)["VariantName"]
    assert scaler.all_of(candidate) == made
    (policy,) = scaler.api.describe_scaling_policies(**scaler.named(candidate))["ScalingPolicies"]
    alarm = scaler.alarms()[f"{rig.name}-busy-{candidate}"]
    assert alarm["AlarmActions"] == [policy["PolicyARN"]]
    assert {d["Value"] for d in alarm["Dimensions"]} == {rig.endpoint, candidate}


def test_only_the_scaling_changed_and_only_it_is_changed(rig: Rig, scaler: Scaler) -> None:
    with_autoscaling(rig)
    first = rig.deploy(bias=1)
    with_autoscaling(rig, {**SECTION, "max": 6, "scheduled": []})
    run = rig.deploy(bias=1)
    assert run.outcome == "released", run
    assert run.plan
    assert run.plan["action"] == "rescale"
    changed = {d["path"] for d in run.plan["differences"]}
    assert changed == {
        "variant primary autoscaling max",
        "variant primary autoscaling scheduled action morning",
    }
    assert rig.describe()["EndpointConfigName"] == first.result["config_after"]
    found = scaler.all_of(only(rig)["VariantName"])
    assert (found["bounds"], found["actions"]) == ((1, 6), [])
    assert rig.deploy(bias=1).outcome == "nothing_to_do"
    scaler.api.deregister_scalable_target(**scaler.named(only(rig)["VariantName"]))
    assert rig.deploy(bias=1).outcome == "released"
    assert scaler.all_of(only(rig)["VariantName"]) == found


def test_another_instance_type_is_deregistered_for_and_registered_after(rig: Rig, scaler: Scaler) -> None:
    with_autoscaling(rig, release={"strategy": "direct"})
    rig.deploy(bias=1)
    before = scaler.all_of("primary")
    with_autoscaling(rig, release={"strategy": "direct"}, instance_type="ml.m5.xlarge")
    bad = rig.deploy("raises", bias=2)
    assert bad.outcome == "rolled_back", bad
    assert scaler.all_of("primary") == before
    good = rig.deploy(bias=3)
    assert good.outcome == "released", good
    assert scaler.all_of("primary") == before


def test_what_a_lost_run_has_held_is_given_back_by_the_next(rig: Rig, scaler: Scaler) -> None:
    with_autoscaling(rig)
    rig.deploy(bias=1)
    variant = only(rig)["VariantName"]
    before = scaler.all_of(variant)
    arn = scaler.targets()[variant]["ScalableTargetARN"]
    # As a worker leaves it that is killed between the two calls that hold, and the two that give back.
    scaler.api.tag_resource(ResourceARN=arn, Tags={"endpoint-deploy:scale-in-held": "1/1"})
    scaler.api.register_scalable_target(
        **scaler.named(variant), SuspendedState={"DynamicScalingInSuspended": True}
    )
    run = rig.deploy(bias=1)
    assert run.outcome == "released", run
    assert "which an interrupted release suspended" in run.plan["summary"] if run.plan else False
    assert scaler.all_of(variant) == before


def test_a_suspension_by_hand_stays_through_a_release(rig: Rig, scaler: Scaler) -> None:
    with_autoscaling(rig, None)
    rig.deploy(bias=1)
    scaler.api.register_scalable_target(
        **scaler.named(only(rig)["VariantName"]), MinCapacity=1, MaxCapacity=2,
        SuspendedState={"DynamicScalingInSuspended": True},
    )  # fmt: skip
    assert rig.deploy(bias=2).outcome == "released"
    (target,) = scaler.targets().values()
    assert target["SuspendedState"]["DynamicScalingInSuspended"]


def test_steps_have_their_alarm_and_teardown_leaves_neither(rig: Rig, scaler: Scaler) -> None:
    step = {
        "name": "busy",
        "alarm": {
            "metric": {"namespace": "AWS/SageMaker", "name": "InvocationsPerInstance", "statistic": "Sum"},
            "threshold": 1_000_000,
        },
        "steps": [{"lower": 0, "upper": 10, "adjustment": 1}, {"lower": 10, "adjustment": 2}],
    }
    with_autoscaling(rig, {"max": 3, "step": [step]})
    rig.deploy(bias=1)
    first = only(rig)["VariantName"]
    assert list(scaler.alarms()) == [f"{rig.endpoint}/{first}/busy"]
    assert rig.deploy(bias=1).outcome == "nothing_to_do"
    rig.deploy(bias=2)
    assert list(scaler.alarms()) == [f"{rig.endpoint}/{only(rig)['VariantName']}/busy"]
    assert rig.run("teardown", confirm=rig.endpoint).state == "success"
    assert (scaler.alarms(), scaler.targets()) == ({}, {})

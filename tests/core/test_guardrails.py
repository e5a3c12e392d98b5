"""Guardrails of a direct release: what UpdateEndpoint is asked for, and where they are not in force."""

from typing import Any

import pytest

from endpoint_deploy.core.guardrails import planned_alarms
from endpoint_deploy.core.observed import Observed, ObservedConfig
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.plan_cautions import with_alarms
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.requests import desired
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.errors import NotAsPlanned, ReleaseFailed
from tests.core.builders import (
    Body,
    candidate,
    described_config,
    final_config,
    foreign_config,
    live,
    serverless,
    spec,
    variant,
)

OLD, NEW = candidate("a"), candidate("b")
GUARD = {"error_rate": 0.05, "model_latency_ms": 500}


def percent(value: int) -> Body:
    return {"type": "capacity_percent", "value": value}


def instances(value: int) -> Body:
    return {"type": "instance_count", "value": value}


def direct(
    *variants: Body, routing: Body | None = None, guard: Body | None = None, **more: Any
) -> DeploymentSpec:
    release: Body = {"strategy": "direct"}
    release |= {"routing": routing} if routing else {}
    release |= {"guard": guard} if guard else {}
    return spec(*(variants or (variant(count=4),)), release=release, **more)


def planned(its_spec: DeploymentSpec, observed: Observed | None = None) -> Plan:
    return make_plan(its_spec, NEW, observed or live(final_config(its_spec, OLD)))


def deployment(plan: Plan) -> Any:
    assert plan.change
    return plan.change.deployment


def test_without_guardrails_nothing_is_asked_for() -> None:
    plan = planned(direct())
    assert (deployment(plan), plan.alarms, plan.warnings) == (None, (), ())


@pytest.mark.parametrize(
    ("routing", "policy"),
    [
        (
            {"type": "all_at_once", "termination_wait_seconds": 300},
            {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
                    "TerminationWaitInSeconds": 300,
                }
            },
        ),
        (
            {
                "type": "canary",
                "canary_size": percent(25),
                "wait_seconds": 120,
                "termination_wait_seconds": 60,
                "maximum_execution_timeout_seconds": 1800,
            },
            {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": {
                        "Type": "CANARY",
                        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 25},
                        "WaitIntervalInSeconds": 120,
                    },
                    "TerminationWaitInSeconds": 60,
                    "MaximumExecutionTimeoutInSeconds": 1800,
                }
            },
        ),
        (
            {"type": "linear", "linear_step_size": instances(1), "wait_seconds": 60},
            {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": {
                        "Type": "LINEAR",
                        "LinearStepSize": {"Type": "INSTANCE_COUNT", "Value": 1},
                        "WaitIntervalInSeconds": 60,
                    }
                }
            },
        ),
        (
            {
                "type": "rolling",
                "maximum_batch_size": instances(2),
                "rollback_maximum_batch_size": percent(100),
                "wait_seconds": 60,
            },
            {
                "RollingUpdatePolicy": {
                    "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 2},
                    "RollbackMaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 100},
                    "WaitIntervalInSeconds": 60,
                }
            },
        ),
    ],
)
def test_each_routing_is_the_policy_of_the_api(routing: Body, policy: Body) -> None:
    plan = planned(direct(routing=routing, alarms=["mine"]))
    assert deployment(plan) == {**policy, "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "mine"}]}}
    assert plan.warnings == ()


def test_the_guard_watches_the_candidates_fleet_alone() -> None:
    routing = {"type": "all_at_once", "termination_wait_seconds": 300}
    its_spec = direct(routing=routing, guard={**GUARD, "latency_statistic": "p95"}, alarms=["mine"])
    plan = planned(its_spec)
    want = desired(its_spec, NEW)
    errors, latency = plan.alarms
    dimensions = [
        {"Name": "EndpointName", "Value": "churn-prod"},
        {"Name": "VariantName", "Value": "primary"},
        {"Name": "EndpointConfigName", "Value": want.config},
    ]
    assert errors.body["Dimensions"] == latency.body["Dimensions"] == dimensions
    assert (errors.body["MetricName"], errors.body["Statistic"]) == ("Invocation5XXErrors", "Average")
    assert errors.body["Threshold"] == 0.05
    assert (latency.body["ExtendedStatistic"], latency.body["Threshold"]) == ("p95", 500_000)
    assert {body["TreatMissingData"] for body in (errors.body, latency.body)} == {"notBreaching"}
    names = ["mine", errors.name, latency.name]
    assert deployment(plan)["AutoRollbackConfiguration"]["Alarms"] == [{"AlarmName": n} for n in names]
    assert errors.tags["endpoint-deploy:endpoint"] == "churn-prod"


def test_alarms_are_named_by_their_content() -> None:
    its_spec = direct(guard=GUARD)
    names = {a.name for a in planned_alarms(its_spec, desired(its_spec, NEW), "new")}
    assert names == {a.name for a in planned_alarms(its_spec, desired(its_spec, NEW), "new")}
    assert not names & {a.name for a in planned_alarms(its_spec, desired(its_spec, OLD), "old")}
    stricter = direct(guard={**GUARD, "error_rate": 0.01})
    assert len(names & {a.name for a in planned_alarms(stricter, desired(stricter, NEW), "new")}) == 1


def excluded(config: ObservedConfig | None, its_spec: DeploymentSpec, *, status: str = "InService") -> Plan:
    return planned(its_spec, live(config, status) if config else Observed())


CANARY = {"type": "canary", "canary_size": percent(25), "wait_seconds": 600}


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (excluded(None, direct(routing=CANARY)), "they are for updates of an endpoint that is in service"),
        (
            excluded(final_config(direct(), OLD), direct(routing=CANARY), status="UpdateRollbackFailed"),
            "they are for updates of an endpoint that is in service",
        ),
        (
            excluded(foreign_config(), direct(routing=CANARY)),
            "the variants' names change from AllTraffic to primary",
        ),
        (
            excluded(final_config(direct(serverless()), OLD), direct(routing=CANARY)),
            "a variant is serverless",
        ),
        (
            excluded(
                final_config(direct(variant(count=4, instance_type="ml.inf1.xlarge")), OLD),
                direct(routing=CANARY),
            ),
            "ml.inf1.xlarge is excluded from them",
        ),
    ],
)
def test_where_guardrails_are_not_in_force_the_plan_says_so(plan: Plan, why: str) -> None:
    assert deployment(plan) is None
    assert plan.alarms == ()
    said = [each for each in plan.warnings if "guardrails" in each]
    beginning = f"without SageMaker's guardrails (canary routing): {why}; "
    assert said == [f"{beginning}all traffic moves at once, and no alarm is watched meanwhile"]


@pytest.mark.parametrize(
    ("its_spec", "caution"),
    [
        (
            direct(alarms=["mine"]),
            "the alarms guard nothing: SageMaker watches them during waits, and routing has none",
        ),
        (direct(routing=CANARY), "the waits of 600 seconds guard nothing: no alarm is watched during them"),
        (
            direct(routing=CANARY, guard={**GUARD, "evaluation_periods": 11}),
            "guard looks back 660 seconds, and the waits are 600 together: it may ring too late",
        ),
        (
            direct(variant(count=1), routing=CANARY, guard=GUARD),
            "canary_size of 25 % is the whole fleet of one instance: all traffic moves at once",
        ),
    ],
)
def test_what_guards_nothing_is_said(its_spec: DeploymentSpec, caution: str) -> None:
    assert planned(its_spec).warnings == (caution,)


def test_a_size_that_does_not_fit_the_autoscaled_count_is_refused() -> None:
    its_spec = direct(routing={"type": "linear", "linear_step_size": instances(1), "wait_seconds": 60})
    champion = final_config(its_spec, OLD)
    with pytest.raises(NotAsPlanned, match="1 instance of the 12 that variant primary starts with"):
        planned(its_spec, live(champion, counts={"primary": 12}))


def test_what_the_update_resets_or_drops_is_said() -> None:
    capture = {"destination": "s3://models/captured"}
    variants = (variant("a", count=2), variant("b", count=2))
    before = final_config(direct(*variants, endpoint={"data_capture": capture}), OLD)
    shadowed = described_config(
        {
            "EndpointConfigName": before.name,
            "ProductionVariants": list(before.variants),
            "DataCaptureConfig": before.data_capture,
            "ShadowProductionVariants": [{"VariantName": "shadow"}],
        }
    )
    plan = planned(direct(*variants), live(shadowed, weights={"a": 3.0, "b": 1.0}))
    assert plan.warnings == (
        "the update drops ShadowProductionVariants, which the live configuration has",
        "the update ends data capture, which the live configuration has and the spec has not",
        "the update resets a's weight of 3 to the spec's 1",
    )


@pytest.mark.parametrize(
    ("routing", "during"),
    [
        (None, "4 ml.m5.large more, until the old ones have stopped"),
        (
            {"type": "linear", "linear_step_size": percent(25), "wait_seconds": 600},
            "4 ml.m5.large more, for at least 30 minutes of waiting: 2 instance-hours, 0.23",
        ),
        (
            {"type": "rolling", "maximum_batch_size": instances(1), "wait_seconds": 600},
            "1 ml.m5.large more, for at least 40 minutes of waiting: 0.67 instance-hours, 0.08",
        ),
    ],
)
def test_the_plan_says_what_the_instances_cost(routing: Body | None, during: str) -> None:
    plan = planned(direct(routing=routing, prices={"ml.m5.large": 0.115}))
    priced = " at the spec's prices" if routing else ""
    assert plan.costs == (
        f"during the update {during}{priced}",
        "afterwards 4 ml.m5.large, a day: 96 instance-hours, 11.04 at the spec's prices",
    )


def test_alarms_that_ring_or_are_not_there_stop_the_release() -> None:
    its_spec = direct(alarms=["here", "there"])
    plan = planned(its_spec)
    with pytest.raises(ReleaseFailed, match="there is in ALARM before the release"):
        with_alarms(plan, its_spec, {"here": "OK", "there": "ALARM"})
    with pytest.raises(ReleaseFailed, match="alarm there does not exist, and SageMaker refuses"):
        with_alarms(plan, its_spec, {"here": "OK"})
    said = with_alarms(plan, its_spec, {"here": "OK", "there": "INSUFFICIENT_DATA"}).warnings
    assert said[-1] == "alarm there has no data (INSUFFICIENT_DATA) and guards nothing until it has"


def test_a_first_release_needs_no_alarm() -> None:
    its_spec = direct(alarms=["there"])
    plan = with_alarms(planned(its_spec, Observed()), its_spec, {})
    assert plan.warnings[-1] == "alarm there does not exist and guards nothing"

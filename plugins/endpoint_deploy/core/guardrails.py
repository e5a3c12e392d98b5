"""From a spec's guardrails to UpdateEndpoint's DeploymentConfig, and to the alarms that it watches."""

from typing import Any

from endpoint_deploy.core import naming, requests, tags
from endpoint_deploy.core.guardrail_spec import (
    AllAtOnce,
    Canary,
    CapacitySize,
    Linear,
    Rolling,
    Routing,
    bounds,
)
from endpoint_deploy.core.observed import Observed
from endpoint_deploy.core.plan import PlannedAlarm, VariantTarget
from endpoint_deploy.core.release_spec import SIDE_BY_SIDE, DirectRelease
from endpoint_deploy.core.requests import Body, Desired
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.errors import NotAsPlanned

_NAMESPACE = "AWS/SageMaker"
_ERRORS, _LATENCY = "Invocation5XXErrors", "ModelLatency"  # the latter in microseconds (the metrics' guide)
# "Endpoints that use Inf1 (Inferentia-based) instances" (the guide's Exclusions).
_EXCLUDED_INSTANCES = "ml.inf1."


class Guarded(Strict):
    """How an update is guarded: UpdateEndpoint's DeploymentConfig, None for none; and the alarms to make."""

    deployment: dict[str, Any] | None = None
    alarms: tuple[PlannedAlarm, ...] = ()


def guard_update(
    spec: DeploymentSpec, want: Desired, seen: Observed, targets: tuple[VariantTarget, ...]
) -> Guarded:
    """Guard the update from what is live to what is wanted; nothing where the service could not.

    targets: the counts that the update starts with. Raises NotAsPlanned where a size does not fit these,
    since UpdateEndpoint would refuse it.
    """
    if excluded(want, seen, spec) is not None:
        return Guarded()
    release = spec.release
    routing = release.routing if isinstance(release, DirectRelease) else AllAtOnce()
    _check_sizes(routing, targets)
    alarms = planned_alarms(spec, want, want.config) if isinstance(release, DirectRelease) else ()
    names = [*spec.alarms, *(alarm.name for alarm in alarms)]
    if routing == AllAtOnce() and not names:
        return Guarded()
    rollback = (
        {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in names]}} if names else {}
    )
    return Guarded(deployment={**_policy(routing), **rollback}, alarms=alarms)


def excluded(want: Desired, seen: Observed, spec: DeploymentSpec) -> str | None:
    """Say why SageMaker's guardrails would not be in force; None where they are.

    Excluded endpoints fall back to all at once without a baking period, and nothing says so ("Exclusions" in
    the guide to deployment guardrails). Marketplace containers are excluded too: a spec does not show them.
    """
    endpoint = seen.endpoint
    if endpoint is None or endpoint.status != "InService":
        return "they are for updates of an endpoint that is in service"
    old, new = set(endpoint.weights), {v.name for v in want.variants}
    if old != new:
        return f"the variants' names change from {_names(old)} to {_names(new)}"
    if spec.endpoint.is_serverless or (seen.config and seen.config.serverless):
        return "a variant is serverless"
    types = [v.instance_type for v in spec.endpoint.variants]
    types += [v.get("InstanceType") for v in (seen.config.variants if seen.config else ())]
    inferentia = next((t for t in types if t and t.startswith(_EXCLUDED_INSTANCES)), None)
    return f"{inferentia} is excluded from them" if inferentia else None


def planned_alarms(spec: DeploymentSpec, want: Desired, config: str) -> tuple[PlannedAlarm, ...]:
    """The alarms of the spec's guard, on the candidate's fleet: it is told from the old one by its
    configuration's name ("Auto-Rollback Configuration and Monitoring" in the guide).
    """
    guard = None if isinstance(spec.release, SIDE_BY_SIDE) else spec.release.guard
    if guard is None:
        return ()
    watched: list[tuple[str, Body]] = []
    if guard.error_rate is not None:
        # A request that failed counts 1 and any other 0: the average is the rate (the metrics' guide).
        watched.append((_ERRORS, {"Statistic": "Average", "Threshold": guard.error_rate}))
    if guard.model_latency_ms is not None:
        statistic = guard.latency_statistic
        kind = "Statistic" if statistic == "Average" else "ExtendedStatistic"
        watched.append((_LATENCY, {kind: statistic, "Threshold": guard.model_latency_ms * 1000}))
    common = {
        "Namespace": _NAMESPACE,
        "Period": guard.period_seconds,
        "EvaluationPeriods": guard.evaluation_periods,
        "DatapointsToAlarm": guard.datapoints_to_alarm or guard.evaluation_periods,
        "ComparisonOperator": "GreaterThanThreshold",
        # No request, no fault: a fleet that waits for its traffic must not ring.
        "TreatMissingData": "notBreaching",
    }
    return tuple(
        _alarm(spec, {"MetricName": metric, **content, **common}, config, variant.name)
        for variant in want.variants
        for metric, content in watched
    )


def _alarm(spec: DeploymentSpec, content: Body, config: str, variant: str) -> PlannedAlarm:
    dimensions = {"EndpointName": spec.endpoint_name, "VariantName": variant, "EndpointConfigName": config}
    body = {
        **content,
        "AlarmDescription": f"Guards the update of endpoint {spec.endpoint_name} to {config}; goes with it.",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }
    name = f"{naming.resource_name(spec.endpoint_name, body)}-{content['MetricName']}"
    return PlannedAlarm(
        name=name,
        body={"AlarmName": name, **body},
        tags={**requests.base_tags(spec), tags.FINAL_CONFIG: config},
    )


def _policy(routing: Routing) -> Body:
    limit = {"MaximumExecutionTimeoutInSeconds": routing.maximum_execution_timeout_seconds}
    if isinstance(routing, Rolling):
        back = routing.rollback_maximum_batch_size
        return {
            "RollingUpdatePolicy": requests.without_none(
                MaximumBatchSize=_size(routing.maximum_batch_size),
                WaitIntervalInSeconds=routing.wait_seconds,
                RollbackMaximumBatchSize=_size(back) if back else None,
                **limit,
            )
        }
    traffic: Body = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    if isinstance(routing, Canary):
        traffic = {"Type": "CANARY", "CanarySize": _size(routing.canary_size)}
        traffic["WaitIntervalInSeconds"] = routing.wait_seconds
    elif isinstance(routing, Linear):
        traffic = {"Type": "LINEAR", "LinearStepSize": _size(routing.linear_step_size)}
        traffic["WaitIntervalInSeconds"] = routing.wait_seconds
    termination = getattr(routing, "termination_wait_seconds", 0)
    return {
        "BlueGreenUpdatePolicy": requests.without_none(
            TrafficRoutingConfiguration=traffic, TerminationWaitInSeconds=termination or None, **limit
        )
    }


def _size(size: CapacitySize) -> Body:
    return {"Type": size.type.upper(), "Value": size.value}


def _check_sizes(routing: Routing, targets: tuple[VariantTarget, ...]) -> None:
    for target in targets:
        for key, size, low, high in routing.bounded():
            if target.count is not None and not size.within(target.count, low, high):
                raise NotAsPlanned(
                    f"release.routing.{key} is {size.words} of the {target.count} that variant {target.name} "
                    f"starts with, expected {bounds(low, high)}: UpdateEndpoint would refuse it. Give a "
                    "capacity_percent, which fits any count, then clear from `plan`"
                )


def _names(names: set[str]) -> str:
    return " and ".join(sorted(names))

"""From a spec's autoscaling section to what is registered for a variant."""

from typing import Any

from endpoint_deploy.core.autoscaling_spec import (
    AutoscalingSpec,
    CustomMetric,
    ScheduledScaling,
    StepScaling,
    TargetTracking,
)
from endpoint_deploy.core.requests import without_none
from endpoint_deploy.core.scaling import POLICY, Policy, Scaling, ScheduledAction

Body = dict[str, Any]


def scaling_of(section: AutoscalingSpec, endpoint: str, variant: str, tags: dict[str, str]) -> Scaling:
    """The scalable target of a variant, by its name in the service."""
    return Scaling(
        minimum=section.min,
        maximum=section.max,
        policies=(
            *(_tracking(each, endpoint, variant) for each in section.target_tracking),
            *(_step(each, endpoint, variant) for each in section.step),
        ),
        scheduled=tuple(_scheduled(each) for each in section.scheduled),
        tags=tags,
    )


def _tracking(policy: TargetTracking, endpoint: str, variant: str) -> Policy:
    if policy.custom:
        metric: Body = {"CustomizedMetricSpecification": _metric(policy.custom, endpoint, variant)}
    else:
        metric = {"PredefinedMetricSpecification": {"PredefinedMetricType": policy.predefined}}
    return Policy(
        name=policy.name,
        kind="TargetTrackingScaling",
        config={
            "TargetValue": policy.target,
            "ScaleInCooldown": policy.scale_in_cooldown,
            "ScaleOutCooldown": policy.scale_out_cooldown,
            "DisableScaleIn": policy.disable_scale_in,
            **metric,
        },
    )


def _step(policy: StepScaling, endpoint: str, variant: str) -> Policy:
    config = without_none(
        AdjustmentType=policy.adjustment_type,
        StepAdjustments=[
            without_none(
                MetricIntervalLowerBound=step.lower,
                MetricIntervalUpperBound=step.upper,
                ScalingAdjustment=step.adjustment,
            )
            for step in policy.steps
        ],
        MinAdjustmentMagnitude=policy.min_adjustment,
        Cooldown=policy.cooldown,
        MetricAggregationType=policy.aggregation,
    )
    alarm = {
        "AlarmName": f"{endpoint}/{variant}/{policy.name}",
        "AlarmActions": [POLICY],
        **_metric(policy.alarm.metric, endpoint, variant),
        "Period": policy.alarm.period_seconds,
        "EvaluationPeriods": policy.alarm.periods,
        "Threshold": policy.alarm.threshold,
        "ComparisonOperator": policy.alarm.comparison,
    }
    return Policy(name=policy.name, kind="StepScaling", config=config, alarms=(alarm,))


def _metric(metric: CustomMetric, endpoint: str, variant: str) -> Body:
    own = {"EndpointName": endpoint, "VariantName": variant}
    dimensions = own if metric.dimensions is None else metric.dimensions
    return without_none(
        Namespace=metric.namespace,
        MetricName=metric.name,
        Statistic=metric.statistic,
        Unit=metric.unit,
        Dimensions=[{"Name": name, "Value": value} for name, value in sorted(dimensions.items())],
    )


def _scheduled(action: ScheduledScaling) -> ScheduledAction:
    return ScheduledAction(
        name=action.name,
        schedule=action.schedule,
        timezone=action.timezone,
        action=without_none(MinCapacity=action.min, MaxCapacity=action.max),
    )

"""Application Auto Scaling's and CloudWatch's answers as what can be registered again."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from endpoint_deploy.core import tags
from endpoint_deploy.core.scaling import POLICY, Policy, PolicyKind, Scaling, ScheduledAction

Answer = Mapping[str, Any]
SCALE_IN = "DynamicScalingInSuspended"
_CONFIGS: dict[PolicyKind, str] = {
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
    "StepScaling": "StepScalingPolicyConfiguration",
}
_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
# Of DescribeAlarms' answer: what PutMetricAlarm takes.
_ALARM = (
    "AlarmName", "AlarmDescription", "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period",
    "Unit", "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator",
    "EvaluateLowSampleCountPercentile", "Metrics", "ThresholdMetricId",
)  # fmt: skip


def config_member(kind: PolicyKind) -> str:
    """The member of PutScalingPolicy that holds a policy's configuration."""
    return _CONFIGS[kind]


def held_value(before: int, floor: int) -> str:
    """A hold tag's value: the least capacity before, and while it is held."""
    return f"{before}/{floor}"


def scaling_view(
    target: Answer, its_tags: Mapping[str, str], policies: tuple[Policy, ...], scheduled: tuple[Any, ...]
) -> Scaling:
    """From DescribeScalableTargets' answer: as it was before a release held it, where one does."""
    minimum = int(target["MinCapacity"])
    suspended = {name: bool(on) for name, on in target.get("SuspendedState", {}).items()}
    held = its_tags.get(tags.SCALE_IN_HELD)
    if held is not None:
        suspended[SCALE_IN] = False
        before, _, floor = held.partition("/")
        # A scheduled action may have set another minimum meanwhile: that one stays.
        minimum = int(before) if before.isdigit() and str(minimum) == floor else minimum
    return Scaling(
        minimum=minimum,
        maximum=int(target["MaxCapacity"]),
        suspended={name: on for name, on in suspended.items() if on},
        policies=policies,
        scheduled=scheduled,
        tags={key: value for key, value in its_tags.items() if key != tags.SCALE_IN_HELD},
        held=held is not None,
    )


def policy_view(answer: Answer, alarms: Mapping[str, Answer]) -> Policy | None:
    """From DescribeScalingPolicies' answer; None for a kind that endpoint variants do not have.

    alarms: DescribeAlarms' answers by name. Target tracking's own are the service's to make.
    """
    kind = cast("PolicyKind", answer["PolicyType"])
    if kind not in _CONFIGS:
        return None
    own = [alarms[a["AlarmName"]] for a in answer.get("Alarms", []) if a["AlarmName"] in alarms]
    return Policy(
        name=answer["PolicyName"],
        kind=kind,
        config=dict(answer[_CONFIGS[kind]]),
        alarms=tuple(_alarm(alarm, answer["PolicyARN"]) for alarm in own) if kind == "StepScaling" else (),
    )


def _alarm(answer: Answer, policy_arn: str) -> dict[str, Any]:
    """PutMetricAlarm's body, without what is the service's default."""
    body = {key: answer[key] for key in _ALARM if answer.get(key) not in (None, [], "")}
    if dimensions := answer.get("Dimensions"):
        body["Dimensions"] = sorted(dimensions, key=lambda each: str(each["Name"]))
    if answer.get("TreatMissingData", "missing") != "missing":
        body["TreatMissingData"] = answer["TreatMissingData"]
    if answer.get("ActionsEnabled") is False:
        body["ActionsEnabled"] = False
    for kind in _ACTIONS:
        if answer.get(kind):
            body[kind] = [POLICY if action.startswith(policy_arn) else action for action in answer[kind]]
    return body


def alarm_body(alarm: Mapping[str, Any], policy_arn: str) -> dict[str, Any]:
    """The body with the policy's ARN in its actions."""
    actions = {
        kind: [policy_arn if action == POLICY else action for action in alarm[kind]]
        for kind in _ACTIONS
        if kind in alarm
    }
    return {**alarm, **actions}


def scheduled_view(answer: Answer, now: datetime) -> ScheduledAction | None:
    """From DescribeScheduledActions' answer; None for one that never runs again: it cannot be put anew."""
    zone = ZoneInfo(answer.get("Timezone") or "UTC")
    end, schedule = answer.get("EndTime"), str(answer["Schedule"])
    if end is not None and end <= now:
        return None
    if schedule.startswith("at("):
        at = datetime.fromisoformat(schedule.removeprefix("at(").removesuffix(")")).replace(tzinfo=zone)
        if at <= now:
            return None
    return ScheduledAction(
        name=answer["ScheduledActionName"],
        schedule=schedule,
        timezone=answer.get("Timezone"),
        start=_iso(answer.get("StartTime")),
        end=_iso(end),
        action={key: int(value) for key, value in answer.get("ScalableTargetAction", {}).items()},
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()

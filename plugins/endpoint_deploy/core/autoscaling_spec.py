"""The autoscaling section of a variant: bounds, and what moves the instance count within them.

Limits are those of Application Auto Scaling: its API model in botocore and its guide's quotas. A variant
served in real time has one instance at least: only inference components and asynchronous endpoints scale to
zero (the hosting guide, endpoint-auto-scaling-zero-instances), and neither is released here.
"""

import re
from typing import Annotated, Literal, Self

from croniter import croniter
from pydantic import AfterValidator, Field, model_validator

from endpoint_deploy.core import fields as f
from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.strict import Strict

_MOST_INSTANCES = 1000
_POLICIES = 50  # a scalable target, of both kinds together (the guide's quotas)
_SCHEDULED = 200
_STEPS = 20

# `:`, `/` and `|` are not allowed in a scheduled action's name; one form for both kinds of names.
ScalingName = Annotated[
    str,
    Field(
        pattern=r"^[\w.\-]+$",
        min_length=1,
        max_length=100,
        json_schema_extra={"patternErrorMessage": "letters, digits, dots, hyphens and underscores"},
    ),
]
Instances = Annotated[int, Field(ge=1, le=_MOST_INSTANCES)]
Seconds = Annotated[int, Field(ge=0, le=86_400)]
Statistic = Literal["Average", "Minimum", "Maximum", "SampleCount", "Sum"]
MetricName = Annotated[str, Field(min_length=1, max_length=255)]
Predefined = Literal[
    "SageMakerVariantInvocationsPerInstance", "SageMakerVariantConcurrentRequestsPerModelHighResolution"
]


class CustomMetric(Strict):
    """A CloudWatch metric, by default of the variant itself: dimensions EndpointName and VariantName."""

    namespace: MetricName
    name: MetricName
    statistic: Statistic = "Average"
    unit: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    dimensions: (
        Annotated[
            dict[Annotated[str, Field(min_length=1, max_length=255)], Annotated[str, Field(max_length=1024)]],
            Field(max_length=30),
        ]
        | None
    ) = Field(None, description="EndpointName and VariantName of the variant itself by default.")


class TargetTracking(Strict):
    """Keep a metric near a value; the service makes the alarms."""

    metric: Predefined | None = Field(
        None, description="A metric of the service's; SageMakerVariantInvocationsPerInstance by default."
    )
    custom: CustomMetric | None = Field(None, description="Any other metric in CloudWatch, in place of it.")
    target: Annotated[float, Field(gt=0, le=1e9)] = Field(
        description="Value to keep the metric at; invocations are counted per instance and minute."
    )
    scale_in_cooldown: Seconds = Field(300, description="Seconds.")
    scale_out_cooldown: Seconds = Field(300, description="Seconds.")
    disable_scale_in: bool = False

    @model_validator(mode="after")
    def _one_metric(self) -> Self:
        if self.metric and self.custom:
            raise Unfit(at=("custom",), found="custom beside metric", expected="one of the two")
        return self

    @property
    def predefined(self) -> str:
        """The service's metric; of no meaning where there is a custom one."""
        return self.metric or "SageMakerVariantInvocationsPerInstance"

    @property
    def name(self) -> str:
        """The policy's name: the metric's."""
        return f"track-{self.custom.name if self.custom else self.predefined}"


class ScalingAlarm(Strict):
    """The CloudWatch alarm that sets a step policy off; made, and taken away, with the policy."""

    metric: CustomMetric
    threshold: Annotated[float, Field(ge=-1e12, le=1e12)]
    comparison: Literal[
        "GreaterThanOrEqualToThreshold",
        "GreaterThanThreshold",
        "LessThanThreshold",
        "LessThanOrEqualToThreshold",
    ] = "GreaterThanOrEqualToThreshold"
    period_seconds: Annotated[int, Field(ge=60, le=86_400, multiple_of=60)] = 60
    periods: Annotated[int, Field(ge=1, le=100)] = 3


class StepAdjustment(Strict):
    """How far to scale while the metric is so far beyond the alarm's threshold."""

    lower: float | None = Field(None, description="Distance from the threshold; none: without bound.")
    upper: float | None = Field(None, description="Distance from the threshold; none: without bound.")
    adjustment: Annotated[int, Field(ge=-1000, le=1000)]


class StepScaling(Strict):
    """Scale by steps when an alarm rings."""

    name: ScalingName
    alarm: ScalingAlarm
    adjustment_type: Literal["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"] = (
        "ChangeInCapacity"
    )
    steps: Annotated[tuple[StepAdjustment, ...], Field(min_length=1, max_length=_STEPS)]
    cooldown: Seconds = Field(300, description="Seconds.")
    min_adjustment: Instances | None = Field(None, description="Only with PercentChangeInCapacity.")
    aggregation: Literal["Average", "Minimum", "Maximum"] = "Average"

    @model_validator(mode="after")
    def _steps_join(self) -> Self:
        if self.min_adjustment is not None and self.adjustment_type != "PercentChangeInCapacity":
            raise Unfit(
                at=("min_adjustment",),
                found=f"min_adjustment with {self.adjustment_type}",
                expected="adjustment_type PercentChangeInCapacity, or none",
            )
        order = sorted(self.steps, key=lambda s: float("-inf") if s.lower is None else s.lower)
        for index, step in enumerate(order):
            end = order[index + 1].lower if index + 1 < len(order) else step.upper
            if step.upper != end or (
                step.lower is not None and step.upper is not None and step.lower >= step.upper
            ):
                raise Unfit(
                    at=("steps",),
                    found="steps that overlap or leave a gap",
                    expected="each step's upper to be the next one's lower, and above its own lower",
                )
        return self


_SCHEDULE = re.compile(r"rate\([1-9]\d* (minute|minutes|hour|hours|day|days)\)|cron\((?P<cron>.+)\)")
_CRON_FIELDS = 6


def _schedulable(schedule: str) -> str:
    found = _SCHEDULE.fullmatch(schedule)
    fields = found["cron"].replace("?", "*").split() if found and found["cron"] else []
    # AWS's years and numbered weekdays are its own; the four fields before are any cron's.
    plain = " ".join([*fields[:4], "*"])
    if not found or (fields and (len(fields) != _CRON_FIELDS or not croniter.is_valid(plain))):
        raise Unfit(
            found=repr(schedule),
            expected="rate(1 hour) or AWS's cron(minute hour day month weekday year), "
            "e.g. cron(0 8 ? * MON-FRI *)",
        )
    return schedule


class ScheduledScaling(Strict):
    """New bounds at a time of day; they stay until another action sets others."""

    name: ScalingName
    schedule: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_schedulable)] = Field(
        description="cron(…) or rate(…), as AWS writes them."
    )
    timezone: Annotated[str, Field(pattern=r"^[A-Za-z_]+(/[A-Za-z0-9_+\-]+)*$", max_length=64)] = Field(
        "UTC", description="Of a cron schedule, e.g. Europe/Berlin."
    )
    min: Instances | None = None
    max: Instances | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.min is None and self.max is None:
            raise Unfit(found="neither min nor max", expected="min, max, or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise Unfit(at=("max",), found=str(self.max), expected=f"at least min, which is {self.min}")
        return self


class AutoscalingSpec(Strict):
    """The variant as a scalable target of Application Auto Scaling."""

    min: Instances = Field(
        1, description="Least instances: 1, since real-time variants do not scale to zero."
    )
    max: Instances
    target_tracking: Annotated[tuple[TargetTracking, ...], Field(max_length=_POLICIES)] = ()
    step: Annotated[tuple[StepScaling, ...], Field(max_length=_POLICIES), f.unique("policy", "name")] = ()
    scheduled: Annotated[
        tuple[ScheduledScaling, ...], Field(max_length=_SCHEDULED), f.unique("scheduled action", "name")
    ] = ()

    @model_validator(mode="after")
    def _each_metric_once(self) -> Self:
        names = [policy.name for policy in self.target_tracking]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise Unfit(
                    at=("target_tracking", index),
                    found=f"the metric {name.removeprefix('track-')} again",
                    expected="each of them once: a policy is named by its metric",
                )
        return self

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.min > self.max:
            raise Unfit(at=("max",), found=str(self.max), expected=f"at least min, which is {self.min}")
        if len(self.target_tracking) + len(self.step) > _POLICIES:
            raise Unfit(
                at=("step",),
                found=f"{len(self.target_tracking) + len(self.step)} policies",
                expected=f"at most {_POLICIES} for a variant, of both kinds together",
            )
        if not (self.target_tracking or self.step or self.scheduled):
            raise Unfit(
                found="bounds without a policy",
                expected="target_tracking, step or scheduled: bounds alone move nothing",
            )
        return self

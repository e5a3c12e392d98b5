"""SageMaker's deployment guardrails as a spec names them: how traffic moves, and what stops it.

Limits are those of the API's BlueGreenUpdatePolicy, TrafficRoutingConfig, RollingUpdatePolicy and
CapacitySize (API reference), so that UpdateEndpoint does not refuse in the middle of a release.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.strict import Strict

MAX_ALARMS = 10  # AutoRollbackConfig
_DAY = 86_400  # CloudWatch: an alarm looks back a day at most (PutMetricAlarm's reference)
_HALF = 50
_WHOLE = 100
_MINUTE = 60

_STEP_WAIT = Field(description="How long a canary, a linear step or a rolling batch is watched.")
_LAST_WAIT = Field(
    0, description="But with rolling: how long the old fleet is kept, watched, once all traffic has moved."
)
Wait = Annotated[int, Field(ge=0, le=3600)]
ExecutionTimeout = Annotated[int, Field(ge=600, le=28_800)]


class CapacitySize(Strict):
    """A part of a fleet: so many instances, or so much of its capacity."""

    type: Literal["instance_count", "capacity_percent"]
    value: Annotated[int, Field(ge=1, le=1000)]

    @property
    def words(self) -> str:
        """As a person says it."""
        if self.type == "capacity_percent":
            return f"{self.value} %"
        return f"{self.value} instance{'s' if self.value > 1 else ''}"

    def instances(self, count: int) -> int:
        """Whole instances of `count`, rounded down to one at least: the guide does not say how it is."""
        return max(1, count * self.value // _WHOLE) if self.type == "capacity_percent" else self.value

    def within(self, count: int, low: int, high: int) -> bool:
        """Whether it is from `low` to `high` percent of `count` instances, or of any capacity."""
        if self.type == "capacity_percent":
            return low <= self.value <= high
        return low * count <= self.value * _WHOLE <= high * count


class Routing(Strict):
    """What every way of moving traffic has."""

    maximum_execution_timeout_seconds: ExecutionTimeout | None = Field(
        None, description="An update that takes longer is rolled back by SageMaker."
    )

    def bounded(self) -> Iterator[tuple[str, CapacitySize, int, int]]:
        """Each size by its key, with the least and the most percent that it may be of a fleet."""
        yield from ()

    def bake_seconds(self, count: int) -> int:
        """How long alarms are watched during an update of `count` instances."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _percentages_within_bounds(self) -> Self:
        for key, size, low, high in self.bounded():
            if size.type == "capacity_percent" and not size.within(1, low, high):
                raise Unfit(at=(key, "value"), found=f"{size.value} %", expected=bounds(low, high))
        return self


class AllAtOnce(Routing):
    """The whole traffic at once, to a fleet that stands beside the old one."""

    type: Literal["all_at_once"] = "all_at_once"
    termination_wait_seconds: Wait = _LAST_WAIT

    def bake_seconds(self, count: int) -> int:
        """The one wait there is."""
        return self.termination_wait_seconds


class Canary(Routing):
    """A canary first, then the rest."""

    type: Literal["canary"]
    canary_size: CapacitySize = Field(description="With canary: at most half of the fleet.")
    wait_seconds: Wait = _STEP_WAIT
    termination_wait_seconds: Wait = _LAST_WAIT

    def bounded(self) -> Iterator[tuple[str, CapacitySize, int, int]]:
        """The canary."""
        yield "canary_size", self.canary_size, 0, _HALF

    def bake_seconds(self, count: int) -> int:
        """The canary's wait and the last one."""
        return self.wait_seconds + self.termination_wait_seconds


class Linear(Routing):
    """Steps of the same size, each watched."""

    type: Literal["linear"]
    linear_step_size: CapacitySize = Field(description="With linear: from a tenth to half of the fleet.")
    wait_seconds: Wait = _STEP_WAIT
    termination_wait_seconds: Wait = _LAST_WAIT

    def bounded(self) -> Iterator[tuple[str, CapacitySize, int, int]]:
        """The step."""
        yield "linear_step_size", self.linear_step_size, 10, _HALF

    def bake_seconds(self, count: int) -> int:
        """A wait after each step but the last, and the last one."""
        return (
            _batches(self.linear_step_size, count) - 1
        ) * self.wait_seconds + self.termination_wait_seconds


class Rolling(Routing):
    """Batch by batch: new instances start, take traffic, and as many old ones stop. No second fleet."""

    type: Literal["rolling"]
    maximum_batch_size: CapacitySize = Field(
        description="With rolling: from a twentieth to half of the fleet."
    )
    rollback_maximum_batch_size: CapacitySize | None = Field(
        None, description="With rolling: the batch on the way back; the whole old fleet by default."
    )
    wait_seconds: Wait = _STEP_WAIT

    def bounded(self) -> Iterator[tuple[str, CapacitySize, int, int]]:
        """The batch, and the one on the way back."""
        yield "maximum_batch_size", self.maximum_batch_size, 5, _HALF
        if self.rollback_maximum_batch_size:
            yield "rollback_maximum_batch_size", self.rollback_maximum_batch_size, 0, _WHOLE

    def bake_seconds(self, count: int) -> int:
        """A wait after each batch."""
        return _batches(self.maximum_batch_size, count) * self.wait_seconds


RoutingSpec = Annotated[AllAtOnce | Canary | Linear | Rolling, Field(discriminator="type")]


class GuardSpec(Strict):
    """Alarms that the pipeline makes for an update, on the new fleet alone, and removes when it has ended."""

    error_rate: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="More than this share of the invocations answered with 5XX rings."
    )
    model_latency_ms: Annotated[float, Field(gt=0, le=60_000)] | None = Field(
        None, description="A model that takes longer rings."
    )
    latency_statistic: Literal["Average", "p50", "p90", "p95", "p99"] = Field(
        "Average", description="What model_latency_ms is compared with."
    )
    period_seconds: Annotated[int, Field(ge=_MINUTE, le=3600, multiple_of=_MINUTE)] = Field(
        _MINUTE, description="What is measured together; SageMaker's metrics come once a minute."
    )
    evaluation_periods: Annotated[int, Field(ge=1, le=60)] = Field(
        1, description="How many of the newest periods are looked at."
    )
    datapoints_to_alarm: Annotated[int, Field(ge=1, le=60)] | None = Field(
        None, description="How many of these must be too high; all by default."
    )

    @model_validator(mode="after")
    def _guards_something(self) -> Self:
        if self.error_rate is None and self.model_latency_ms is None:
            raise Unfit(found="neither error_rate nor model_latency_ms", expected="at least one of the two")
        if self.datapoints_to_alarm and self.datapoints_to_alarm > self.evaluation_periods:
            raise Unfit(
                at=("datapoints_to_alarm",),
                found=str(self.datapoints_to_alarm),
                expected=f"at most evaluation_periods, which is {self.evaluation_periods}",
            )
        if self.span_seconds > _DAY:
            raise Unfit(
                at=("evaluation_periods",),
                found=f"{self.evaluation_periods} periods of {self.period_seconds} seconds",
                expected=f"at most {_DAY} seconds together, as an alarm looks back a day",
            )
        return self

    @property
    def metrics(self) -> int:
        """Alarms for each variant."""
        return (self.error_rate is not None) + (self.model_latency_ms is not None)

    @property
    def span_seconds(self) -> int:
        """How far an alarm looks back."""
        return self.period_seconds * self.evaluation_periods


def bounds(low: int, high: int) -> str:
    """What a size may be of a fleet."""
    return (
        f"{low} to {high} % of the variant's instances"
        if low
        else f"at most {high} % of the variant's instances"
    )


def _batches(size: CapacitySize, count: int) -> int:
    return -(-count // size.instances(count))

"""What is measured, what is tolerated, and how many samples to plan for.

Every metric has two bounds. What is *tolerated* is never a reason to fail; what is *unacceptable* must not
pass. Between them either may come out. A candidate fails when it is proven worse than tolerated, and passes
when it is proven better than unacceptable: without enough samples neither can be proven.
"""

from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, model_validator

from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.strict import Strict

Share = Annotated[float, Field(ge=0, le=1)]
Samples = Annotated[int, Field(ge=2)]


class Metric(Strict):
    """What all metrics have in common."""

    name: str = Field(min_length=1)
    dry_run: bool = Field(default=False, description="Judged and kept, but never held against the candidate.")
    must_pass: bool = Field(
        default=True,
        description="Whether a release waits until this passes; otherwise it can but fail the candidate.",
    )
    least: Samples = Field(description="Samples of each side below which nothing is said.")
    samples: Samples = Field(
        description="Samples to plan for; with as many, all of the errors allowed are spent."
    )

    @model_validator(mode="after")
    def _least_is_within_samples(self) -> Self:
        if self.least > self.samples:
            raise Unfit(
                at=("least",) if "least" in self.model_fields_set else ("samples",),
                found=f"least {self.least} and samples {self.samples} for {self.name}",
                expected="at most samples in least",
            )
        return self


M = TypeVar("M", bound=Metric)


class RatioMetric(Metric):
    """A metric of which the candidate's value is compared with the champion's by their ratio."""

    tolerated: float = Field(ge=1, description="The candidate's value by the champion's: no reason to fail.")
    unacceptable: float = Field(gt=1, description="The candidate's value by the champion's: must not pass.")

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        return _in_order(self, self.tolerated, self.unacceptable)


class ShareMetric(Metric):
    """A metric that is a share or a distance between 0 and 1, and 0 for candidates that answer alike."""

    tolerated: Share = Field(description="No reason to fail.")
    unacceptable: Share = Field(description="Must not pass.")

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        return _in_order(self, self.tolerated, self.unacceptable)


class ErrorRate(RatioMetric):
    """The share of requests that end in an error; samples are requests of each side.

    Anything that happens or not to single requests or rows will do, such as rows that Great Expectations
    finds unexpected.
    """

    kind: Literal["error_rate"] = "error_rate"
    tolerated: float = Field(default=1.2, ge=1)
    unacceptable: float = Field(default=2.0, gt=1)
    negligible: Share = Field(
        default=0.001, description="An error rate that is nobody's concern, whatever the champion's is."
    )
    stop_at: Share = Field(
        default=0.5, description="An error rate that fails at once, from `least` samples on."
    )
    least: Samples = 50
    samples: Samples = 10_000


class LatencyQuantile(RatioMetric):
    """A quantile of single requests' latencies; samples are requests of each side."""

    kind: Literal["latency_quantile"] = "latency_quantile"
    quantile: float = Field(default=0.95, gt=0, lt=1)
    tolerated: float = Field(default=1.05, ge=1)
    unacceptable: float = Field(default=1.2, gt=1)
    stop_at: float | None = Field(
        default=None, gt=0, description="A latency that fails at once, in the samples' unit."
    )
    least: Samples = 100
    samples: Samples = 2_500


class LatencyPoints(RatioMetric):
    """A latency statistic of CloudWatch, one point a period; samples are periods, not requests."""

    kind: Literal["latency_points"] = "latency_points"
    quantile: float | None = Field(default=0.95, gt=0, lt=1, description="Null for an average.")
    tolerated: float = Field(default=1.05, ge=1)
    unacceptable: float = Field(default=1.2, gt=1)
    stop_at: float | None = Field(
        default=None, gt=0, description="An average of points that fails at once, in their unit."
    )
    stop_at_ratio: float = Field(
        default=5.0,
        gt=1,
        description="A geometric mean of the points' ratios that fails at once, from `least` on.",
    )
    least: Samples = 10
    samples: Samples = 30

    @property
    def least_requests(self) -> int:
        """Requests of a side that a point must stand for: five beyond the quantile, else ten.

        The quantile of fewer is biased, and the more the fewer they are: a canary with a twentieth of the
        champion's requests would look faster than it is.
        """
        beyond = min(self.quantile, 1 - self.quantile) if self.quantile else 0.5
        return round(5 / beyond)


class Disagreement(ShareMetric):
    """The share of replayed requests which candidate and champion answer differently; samples are
    requests."""

    kind: Literal["disagreement"] = "disagreement"
    of: Literal["labels", "numbers", "either"] = Field(
        default="labels",
        description="What the answers are; `either`: numbers are compared as such unless both are whole.",
    )
    tolerated: Share = 0.01
    unacceptable: Share = 0.03
    absolute: float = Field(default=0, ge=0, description="Numbers that differ by no more than this agree.")
    relative: float = Field(default=0, ge=0, description="The same, times the champion's number.")
    least: Samples = 100
    samples: Samples = 2_500


class PredictionDrift(ShareMetric):
    """How far the distribution of answers has moved; samples are answers of each side.

    For numbers the distance of Kolmogorov and Smirnov; for labels the largest change of a label's share.
    """

    kind: Literal["prediction_drift"] = "prediction_drift"
    of: Literal["labels", "numbers"] = "labels"
    tolerated: Share = 0.05
    unacceptable: Share = 0.15
    least: Samples = 100
    samples: Samples = 2_500


AnyMetric = Annotated[
    ErrorRate | LatencyQuantile | LatencyPoints | Disagreement | PredictionDrift, Field(discriminator="kind")
]


class Limits(Strict):
    """How many judgements of one sort in a row are borne before another way is taken."""

    fails: int = Field(default=1, ge=1)
    inconclusive: int = Field(default=50, ge=1)
    errors: int = Field(default=3, ge=1)


class JudgePlan(Strict):
    """All that a release is judged by."""

    metrics: tuple[AnyMetric, ...] = Field(min_length=1)
    false_alarms: float = Field(
        default=0.05,
        gt=0,
        lt=0.5,
        description="Releases that fail although no metric is worse than tolerated, all metrics and looks "
        "together.",
    )
    missed: float = Field(
        default=0.05, gt=0, lt=0.5, description="Releases that pass although a metric is unacceptable."
    )
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _names_are_distinct(self) -> Self:
        names = [metric.name for metric in self.metrics]
        if len(set(names)) < len(names):
            raise ValueError(f"found metrics {', '.join(names)}, expected each name once")
        return self

    @property
    def false_alarms_each(self) -> float:
        """What each metric may spend of `false_alarms`; dry runs cost the others nothing."""
        return self.false_alarms / max(1, sum(not metric.dry_run for metric in self.metrics))


def _in_order(metric: M, tolerated: float, unacceptable: float) -> M:
    if tolerated >= unacceptable:
        raise Unfit(
            at=("tolerated",) if "tolerated" in metric.model_fields_set else ("unacceptable",),
            found=f"tolerated {tolerated:g} and unacceptable {unacceptable:g} for {metric.name}",
            expected="less than unacceptable in tolerated",
        )
    return metric

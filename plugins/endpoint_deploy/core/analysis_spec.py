"""The spec's section `analysis`: what a candidate is judged by, on which requests, and what follows.

Latencies are in milliseconds, whether they come from a replay or from CloudWatch.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from endpoint_deploy.core import fields as f
from endpoint_deploy.core.endpoint_spec import DataCaptureSpec
from endpoint_deploy.core.judging import (
    Disagreement,
    ErrorRate,
    JudgePlan,
    LatencyPoints,
    LatencyQuantile,
    Limits,
    PredictionDrift,
)
from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.strict import Strict

_OURS = frozenset({"source", "expectations"})  # what the judge need not know of a metric


class JudgedErrorRate(ErrorRate):
    """Requests that end in an error, or predictions that do not meet expectations."""

    name: f.TestName = "error_rate"
    source: Literal["traffic", "replay", "predictions"] = Field(
        "traffic",
        description="`traffic`: all requests, by CloudWatch; `replay`: our own alone; `predictions`: samples "
        "are the replay's predictions, errors those that a suite finds unexpected.",
    )
    expectations: f.RelativePath | None = Field(
        None, description="Great Expectations suite over predictions, relative to this file."
    )

    @model_validator(mode="after")
    def _suite_is_of_use(self) -> Self:
        if (self.source == "predictions") != (self.expectations is not None):
            raise Unfit(
                at=("expectations",) if self.expectations else ("source",),
                found=f"source {self.source} {'with' if self.expectations else 'without'} expectations",
                expected="source predictions and the suite they are judged by in expectations, or neither",
            )
        return self


class JudgedLatencyQuantile(LatencyQuantile):
    """A quantile of a replay's latencies, in milliseconds as the caller has them."""

    name: f.TestName = "latency"


class JudgedLatencyPoints(LatencyPoints):
    """CloudWatch's ModelLatency of all requests, a point a period, in milliseconds."""

    name: f.TestName = "latency_points"


class JudgedDisagreement(Disagreement):
    """Predictions of candidate and champion for the same requests of a replay, each request once."""

    name: f.TestName = "disagreement"


class JudgedPredictionDrift(PredictionDrift):
    """The distribution of a replay's predictions, each request once."""

    name: f.TestName = "prediction_drift"


JudgedMetric = Annotated[
    JudgedErrorRate
    | JudgedLatencyQuantile
    | JudgedLatencyPoints
    | JudgedDisagreement
    | JudgedPredictionDrift,
    Field(discriminator="kind"),
]
_DEFAULT: tuple[JudgedMetric, ...] = (
    JudgedErrorRate(),
    JudgedLatencyQuantile(),
    # A model trained anew may answer otherwise, and a few payloads prove nothing good: a gross change fails.
    JudgedDisagreement(
        of="either",
        tolerated=0.05,
        unacceptable=0.15,
        relative=0.1,
        absolute=0.02,
        least=5,
        samples=100,
        must_pass=False,
    ),
)


class ReplayPayload(Strict):
    """A file of requests that are sent to champion and candidate alike."""

    payload: f.RelativePath = Field(description="File to send, relative to this file.")
    content_type: f.ContentType = "application/json"
    accept: f.ContentType = "application/json"
    lines: bool = Field(False, description="Whether each line is a request of its own.")


class ReplaySpec(Strict):
    """Requests of our own: the same to champion and candidate, in turns, by TargetVariant."""

    smoke_tests: bool = Field(True, description="Send the smoke tests' payloads.")
    payloads: Annotated[tuple[ReplayPayload, ...], Field(max_length=50)] = ()
    captured: bool = Field(
        False, description="Send the newest requests that endpoint.data_capture has kept, too."
    )
    most_captured: Annotated[int, Field(ge=1, le=100_000)] = Field(
        2_500, description="Captured requests to choose from."
    )
    requests_per_look: Annotated[int, Field(ge=1, le=100_000)] = Field(
        500, description="Requests to each of the two sides before each look."
    )
    seconds_per_look: Annotated[float, Field(gt=0, le=600)] = Field(
        60.0, description="A look is taken with fewer requests where they take longer."
    )
    concurrency: Annotated[int, Field(ge=1, le=32)] = Field(
        2, description="Requests under way at a time. More of them measure the queue rather than the model."
    )

    @model_validator(mode="after")
    def _some_requests(self) -> Self:
        if not (self.smoke_tests or self.payloads or self.captured):
            raise Unfit(
                found="neither smoke_tests, payloads nor captured",
                expected="one of them, or `replay: null` for no requests of our own",
            )
        return self


class AnalysisSpec(Strict):
    """What a candidate is judged by beside the champion: at each step of its release, and while watched."""

    metrics: Annotated[
        tuple[JudgedMetric, ...], Field(min_length=1, max_length=20), f.unique("metric", "name")
    ] = Field(
        _DEFAULT,
        description="By default error_rate, latency, and disagreement, which fails but need not pass.",
    )
    false_alarms: Annotated[float, Field(gt=0, lt=0.5)] = Field(
        0.05, description="Share of good releases that may fail, over all metrics, looks and steps together."
    )
    missed: Annotated[float, Field(gt=0, lt=0.5)] = Field(
        0.05, description="Share of the releases with an unacceptable metric that may pass."
    )
    replay: ReplaySpec | None = Field(ReplaySpec(), description="Null for no requests of our own.")
    period_seconds: Annotated[int, Field(ge=60, le=3600, multiple_of=60)] = Field(
        60, description="CloudWatch's period: the window in which both sides are compared."
    )
    delay_seconds: Annotated[float, Field(ge=0, le=3600)] = Field(
        120.0, description="What is younger is left out: CloudWatch may not have all of it yet."
    )
    limits: Limits = Field(
        Limits(), description="Judgements of one sort in a row that are borne before another way is taken."
    )
    on_inconclusive: Literal["ask", "fail", "promote"] = Field(
        "ask",
        description="What follows where neither good nor bad is proven in the end. What could not even be "
        "measured is never promoted: with `promote` it is asked about.",
    )

    @model_validator(mode="after")
    def _metrics_can_be_measured(self) -> Self:
        for index, metric in enumerate(self.metrics):
            if self.replay is None and needs_replay(metric):
                raise Unfit(
                    at=("metrics", index),
                    found=f"{metric.name}, which is measured by a replay, with replay null",
                    expected="a section replay, or no such metric",
                )
        if all(metric.dry_run or not metric.must_pass for metric in self.metrics) and not all(
            metric.dry_run for metric in self.metrics
        ):
            raise Unfit(
                at=("metrics",),
                found="no metric that must pass",
                expected="at least one: a candidate would pass before anything was known of it",
            )
        return self

    def judge_plan(self, *, stages: int = 1) -> JudgePlan:
        """What the judge holds one of so many stages to; they share the false alarms that are borne."""
        return JudgePlan(
            metrics=tuple(_for_the_judge(metric) for metric in self.metrics),
            false_alarms=self.false_alarms / max(1, stages),
            missed=self.missed,
            limits=self.limits,
        )


def check_surroundings(analysis: AnalysisSpec, strategy: str, capture: DataCaptureSpec | None) -> None:
    """Raise Unfit, from the spec as a whole, where other sections leave nothing to compare or to replay."""
    if strategy == "direct":
        raise Unfit(
            at=("analysis",),
            found="analysis with release.strategy direct",
            expected="a strategy that keeps the champion beside the candidate, such as staged: after one "
            "update there is nothing left to compare with",
        )
    if strategy == "shadow":
        raise Unfit(
            at=("analysis",),
            found="analysis with release.strategy shadow",
            expected="release.guard, whose alarms judge the shadow: requests of our own do not reach it",
        )
    if not analysis.replay or not analysis.replay.captured:
        return
    if capture is None:
        raise Unfit(
            at=("analysis", "replay", "captured"),
            found="true without endpoint.data_capture",
            expected="data_capture, whose requests are replayed",
        )
    if not {"Input", "InputAndOutput"} & set(capture.capture):
        raise Unfit(
            at=("endpoint", "data_capture", "capture"),
            found="only answers, with analysis.replay.captured",
            expected="Input, too: it is requests that are replayed",
        )


def needs_replay(metric: JudgedMetric) -> bool:
    """Whether a metric is of our own requests."""
    if isinstance(metric, JudgedErrorRate):
        return metric.source != "traffic"
    return not isinstance(metric, JudgedLatencyPoints)


def _for_the_judge(
    metric: JudgedMetric,
) -> ErrorRate | LatencyQuantile | LatencyPoints | Disagreement | PredictionDrift:
    kinds = (ErrorRate, LatencyQuantile, LatencyPoints, Disagreement, PredictionDrift)
    kind = next(kind for kind in kinds if isinstance(metric, kind))
    return kind.model_validate(metric.model_dump(exclude=set(_OURS)))

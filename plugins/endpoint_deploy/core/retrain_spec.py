"""The spec's section for retraining: data, training or tuning, evaluation, feedback from production."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from endpoint_deploy.core import fields as f
from endpoint_deploy.core.evaluation_spec import EvaluationSpec
from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.core.training_spec import TrainingSpec, TuningSpec

_GIB = 1024**3


class TrainingDataSpec(Strict):
    """What a model is trained on, and what the data must be before anybody pays for a training job."""

    source: f.S3Prefix = Field(description="The files below it, in the order of their keys, are the data.")
    format: Literal["csv", "jsonlines", "parquet"] = "csv"
    window: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None,
        description="Only the last so many files, in the order of their keys, beside all files of feedback; "
        "all by default.",
    )
    target: f.ColumnName = Field(description="The column to be predicted.")
    suite: f.RelativePath = Field(
        description="Great Expectations suite over the rows, relative to this file."
    )
    comparison_suite: f.RelativePath | None = Field(
        None,
        description="Great Expectations suite over a table with a row a column: its statistics beside "
        "those of the last accepted training set.",
    )
    max_bytes: Annotated[int, Field(ge=1)] = Field(
        2 * _GIB,
        description="Of all files together, unpacked; more is refused, for the gate reads them into a "
        "worker's memory.",
    )


class FeedbackSpec(Strict):
    """Captured requests and the ground truth delivered for them, joined into new training data.

    The truth lies in Model Monitor's layout: `<ground_truth>/YYYY/MM/DD/HH/*.jsonl`.
    """

    ground_truth: f.S3Prefix
    features: Annotated[
        tuple[f.ColumnName, ...], Field(min_length=1, max_length=10_000), f.unique("feature")
    ] = Field(description="Columns of a captured request's rows, in their order.")
    suite: f.RelativePath | None = Field(
        None, description="Great Expectations suite over the joined rows, relative to this file."
    )
    least_joined: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="Share of the ground truth that must find its request."
    )
    longest_delay_hours: Annotated[int, Field(ge=1, le=8760)] = Field(
        168, description="How long before its truth a request may have been captured."
    )


class RetrainSpec(Strict):
    """A schedule, or new data, turns into a better model, and never into a worse one."""

    schedule: f.Cron | None = None
    on_new_data: bool = Field(False, description="Retrain when files appear or change under data.source.")
    poll_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        60, description="How often data.source is looked at with `on_new_data`."
    )
    data: TrainingDataSpec
    training: TrainingSpec
    tuning: TuningSpec | None = None
    evaluation: EvaluationSpec
    feedback: FeedbackSpec | None = None

    @model_validator(mode="after")
    def _tuned_by_a_known_metric(self) -> Self:
        if self.tuning and self.tuning.objective not in self.training.metrics:
            raise Unfit(
                at=("tuning", "objective"),
                found=repr(self.tuning.objective),
                expected=f"one of training.metrics: {', '.join(self.training.metrics) or 'there are none'}",
            )
        return self

    @model_validator(mode="after")
    def _feedback_fits(self) -> Self:
        if self.feedback is None:
            return self
        if self.data.target in self.feedback.features:
            raise Unfit(
                at=("feedback", "features"),
                found=f"data.target, {self.data.target}, among the features",
                expected="what a request carries: the target is what the ground truth adds",
            )
        truth, source = (f"{p.rstrip('/')}/" for p in (self.feedback.ground_truth, self.data.source))
        if truth.startswith(source):
            raise Unfit(
                at=("feedback", "ground_truth"),
                found=f"{self.feedback.ground_truth}, which is within data.source",
                expected="a prefix outside of it, or truth without features would be trained on",
            )
        return self

    @model_validator(mode="after")
    def _held_out_apart(self) -> Self:
        held_out, source = (f"{p.rstrip('/')}/" for p in (self.evaluation.data, self.data.source))
        if held_out.startswith(source) or source.startswith(held_out):
            raise Unfit(
                at=("evaluation", "data"),
                found=f"{self.evaluation.data}, which shares files with data.source",
                expected="a prefix of its own, or the model would be judged on what it was trained on",
            )
        return self

"""The part of a spec that says how candidate and champion are compared."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from endpoint_deploy.core import fields as f
from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.strict import Strict

HIGHER_IS_BETTER = frozenset({"accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc", "r2"})


class MetricGate(Strict):
    """One metric of candidate and champion, and what it must be."""

    name: Literal[
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "f1",
        "roc_auc",
        "r2",
        "log_loss",
        "mae",
        "rmse",
    ]
    at_least: float | None = None
    at_most: float | None = None
    margin: Annotated[float, Field(ge=0)] | None = Field(
        None,
        description="How much worse than the champion it may be: what is held to it is the bound of the "
        "confidence interval of their difference. Not compared where it is left out.",
    )

    @property
    def higher_is_better(self) -> bool:
        """Whether more of it is a better model."""
        return self.name in HIGHER_IS_BETTER


class EvaluationSpec(Strict):
    """Candidate and champion on the same held-out rows, by a processing job; then the gate."""

    data: f.S3Prefix = Field(description="Held-out rows: files like those of retrain.data, never trained on.")
    instance_type: f.InstanceType
    volume_gb: Annotated[int, Field(ge=1, le=16_384)] = 30
    max_runtime_seconds: Annotated[int, Field(ge=1, le=604_800)] = 3600
    script: f.RelativePath | None = Field(
        None,
        description="A script of your own that writes predictions.csv; by default each model answers "
        "by its own code/inference.py.",
    )
    content_type: Literal["text/csv", "application/json", "application/jsonlines"] = "text/csv"
    batch_rows: Annotated[int, Field(ge=1, le=100_000)] = 500
    prediction: f.ColumnName | None = Field(
        None, description="Which part of an answer is the prediction, where it has named parts."
    )
    score: f.ColumnName | None = Field(
        None, description="Which part is the probability of `positive`, for roc_auc and log_loss."
    )
    positive: str | int | float | None = Field(None, description="The positive class of a binary target.")
    metrics: Annotated[tuple[MetricGate, ...], Field(min_length=1, max_length=10), f.unique("metric", "name")]
    suite: f.RelativePath | None = Field(
        None, description="Great Expectations suite over the table of metrics, relative to this file."
    )
    confidence: Annotated[float, Field(ge=0.5, le=0.999)] = 0.95

    @model_validator(mode="after")
    def _scored_metrics_have_a_score(self) -> Self:
        for index, metric in enumerate(self.metrics):
            if metric.name in {"roc_auc", "log_loss"} and (self.score is None or self.positive is None):
                raise Unfit(
                    at=("metrics", index, "name"),
                    found=f"{metric.name} without score and positive",
                    expected="both: which part of an answer is the probability, and of which class",
                )
        return self

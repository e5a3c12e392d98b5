"""The spec's section for batch transform."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from endpoint_deploy.core import fields as f
from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.strict import Strict

_MOST_PAYLOAD_MB = 100
_MOST_BYTES = 512 * 1024**2


class BatchTransformSpec(Strict):
    """Predictions for every file under an S3 prefix, one a row, by the live model or a given release."""

    input: f.S3Prefix = Field(description="Files below it are predicted; CSV without header, or JSON Lines.")
    output: f.S3Prefix = Field(description="Predictions go here, a file for each input file.")
    instance_type: f.InstanceType
    instances: Annotated[int, Field(ge=1, le=100)] = 1
    schedule: f.Cron | None = None
    on_new_data: bool = Field(False, description="Run when files appear or change under `input`.")
    poll_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        60, description="How often `input` is looked at with `on_new_data`."
    )
    variant: f.VariantName | None = Field(
        None,
        description="Whose model predicts, of several; the one with most weight by default.",
    )
    content_type: Literal["text/csv", "application/jsonlines"] = "text/csv"
    accept: Literal["text/csv", "application/jsonlines", "application/json"] = "application/jsonlines"
    columns: Annotated[tuple[f.ColumnName, ...], Field(max_length=10_000), f.unique("column")] = Field(
        (), description="Names of a CSV file's columns in their order, for `input_suite`."
    )
    strategy: Literal["MultiRecord", "SingleRecord"] = "MultiRecord"
    max_payload_mb: Annotated[int, Field(ge=1, le=100)] = 6
    max_concurrent: Annotated[int, Field(ge=1, le=100)] = Field(
        1, description="Requests in flight on each instance."
    )
    input_suite: f.RelativePath | None = Field(
        None, description="Great Expectations suite over each input file's rows, relative to this file."
    )
    output_suite: f.RelativePath | None = Field(
        None, description="Great Expectations suite over the predictions, relative to this file."
    )
    max_bytes: Annotated[int, Field(ge=1)] = Field(
        _MOST_BYTES,
        description="A file with more is set aside where a worker reads it into memory: for a suite, and "
        "predictions in application/json.",
    )
    max_runtime_seconds: Annotated[int, Field(ge=60, le=432_000)] = 86_400

    @model_validator(mode="after")
    def _not_into_itself(self) -> Self:
        if f"{self.output.rstrip('/')}/".startswith(f"{self.input.rstrip('/')}/"):
            raise Unfit(
                at=("output",),
                found=f"{self.output}, which is within input",
                expected="a prefix outside of input, or the next run would predict predictions",
            )
        return self

    @model_validator(mode="after")
    def _within_the_service_s_memory(self) -> Self:
        # CreateTransformJob's reference: the two together may not exceed 100 MB.
        if (together := self.max_concurrent * self.max_payload_mb) > _MOST_PAYLOAD_MB:
            raise Unfit(
                at=("max_concurrent",),
                found=f"{self.max_concurrent} requests of {self.max_payload_mb} MB, {together} MB in flight",
                expected=f"max_concurrent times max_payload_mb of at most {_MOST_PAYLOAD_MB}",
            )
        return self

    @model_validator(mode="after")
    def _columns_are_those_of_csv(self) -> Self:
        is_csv = self.content_type == "text/csv"
        if self.columns and not is_csv:
            raise Unfit(
                at=("columns",),
                found=f"columns with content_type {self.content_type}",
                expected="none: a JSON object names its members itself",
            )
        if self.input_suite and is_csv and not self.columns:
            raise Unfit(
                at=("input_suite",),
                found="a suite over CSV files without columns",
                expected="columns, which the suite's expectations name",
            )
        return self

"""The spec's sections on what is served: the model, and the requests that prove it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from endpoint_deploy.core import fields as f
from endpoint_deploy.core.image import FrameworkImage, Image
from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.strict import Strict


class ModelSpec(Strict):
    """The model that is released unless a run names another artifact."""

    artifact: f.ArtifactUri | None = Field(
        None, description="model.tar.gz in S3. Needed unless registry or promotion says what is released."
    )
    sha256: f.Sha256 | None = Field(None, description="Refuse an artifact with another checksum.")
    image: Image = Field(description="A container image's URI, or framework + version.")
    environment: f.EnvironmentVariables = Field({})
    script_mode: bool | None = Field(
        None,
        description="Whether the container needs code/inference.py; by default so for framework images only.",
    )
    unknown_pickles: Literal["hold", "accept"] = Field(
        "hold", description="What to do with a pickle that cannot be proved safe or unsafe."
    )
    manifest_suite: f.RelativePath | None = Field(
        None, description="Great Expectations suite over the archive's manifest, relative to this file."
    )

    @property
    def needs_inference_code(self) -> bool:
        """Whether `code/inference.py` must be in the archive."""
        return isinstance(self.image, FrameworkImage) if self.script_mode is None else self.script_mode


class SmokeTest(Strict):
    """A real request with what its answer must be. Every payload goes to every variant."""

    name: f.TestName
    payload: f.RelativePath = Field(description="File to send, relative to this file.")
    content_type: f.ContentType = "application/json"
    accept: f.ContentType = "application/json"
    expected: f.RelativePath | None = Field(
        None, description="JSON list: the truth, a value a prediction, for the suite's `expected` column."
    )
    latency_budget_ms: Annotated[float, Field(gt=0, le=60_000)] = Field(
        1000.0, description="Longest time an answer may take, in milliseconds; the best of three counts."
    )
    expectations: f.RelativePath | None = Field(
        None, description="Great Expectations suite over the predictions, relative to this file."
    )

    @model_validator(mode="after")
    def _truth_has_a_judge(self) -> Self:
        if self.expected and not self.expectations:
            raise Unfit(
                at=("expected",),
                found="expected without expectations",
                expected="a suite in expectations that compares its column `expected`, or neither",
            )
        return self

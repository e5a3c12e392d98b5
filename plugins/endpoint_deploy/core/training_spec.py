"""The part of a spec that says how a model is trained: one training job, or a tuning job."""

from collections.abc import Iterable
from math import prod
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from endpoint_deploy.core import fields as f
from endpoint_deploy.core.image import Image
from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.strict import Strict

Hyperparameter = str | bool | int | float


class SpotSpec(Strict):
    """Managed spot training, with checkpoints in the store."""

    max_wait_seconds: Annotated[int, Field(ge=1, le=2_592_000)]


class TrainingSpec(Strict):
    """The training job: a script in a framework's container."""

    code: f.RelativePath = Field(description="Directory with the training script, relative to this file.")
    script: f.RelativePath = Field("train.py", description="The script within `code`.")
    image: Image | None = Field(None, description="model.image by default.")
    instance_type: f.InstanceType
    instances: Annotated[int, Field(ge=1, le=100)] = 1
    volume_gb: Annotated[int, Field(ge=1, le=16_384)] = 30
    max_runtime_seconds: Annotated[int, Field(ge=1, le=2_419_200)] = 86_400
    channel: f.ChannelName = "train"
    hyperparameters: Annotated[dict[f.HyperparameterName, Hyperparameter], Field(max_length=90)] = Field({})
    environment: f.EnvironmentVariables = Field({})
    metrics: Annotated[
        dict[f.TestName, Annotated[str, Field(min_length=1, max_length=500)]], Field(max_length=40)
    ] = Field({}, description="Regular expressions over the job's log, by metric.")
    spot: SpotSpec | None = None

    @property
    def longest_seconds(self) -> int:
        """How long the service lets the job go on, from the moment that it has its instances."""
        return self.spot.max_wait_seconds if self.spot else self.max_runtime_seconds

    @model_validator(mode="after")
    def _spot_waits_as_long_as_it_runs(self) -> Self:
        if self.spot and self.spot.max_wait_seconds < self.max_runtime_seconds:
            raise Unfit(
                at=("spot", "max_wait_seconds"),
                found=f"{self.spot.max_wait_seconds}",
                expected=f"at least max_runtime_seconds, {self.max_runtime_seconds}, which it includes",
            )
        return self


class RangesSpec(Strict):
    """Hyperparameters to be searched; the others are those of `training`."""

    continuous: dict[f.HyperparameterName, tuple[float, float]] = Field({})
    integer: dict[f.HyperparameterName, tuple[int, int]] = Field({})
    categorical: dict[
        f.HyperparameterName, Annotated[tuple[str, ...], Field(min_length=1, max_length=30)]
    ] = Field({})

    @property
    def names(self) -> frozenset[str]:
        """Every hyperparameter that is searched."""
        return frozenset({*self.continuous, *self.integer, *self.categorical})

    @property
    def combinations(self) -> int:
        """How many combinations of categories there are."""
        return prod(len(values) for values in self.categorical.values())

    def without(self, fixed: Iterable[str]) -> Self:
        """The ranges of all but these."""
        kept = self.names - set(fixed)
        return self.model_copy(
            update={
                kind: {name: values for name, values in getattr(self, kind).items() if name in kept}
                for kind in type(self).model_fields
            }
        )

    @model_validator(mode="after")
    def _each_searched_once(self) -> Self:
        seen: set[str] = set()
        for kind in type(self).model_fields:
            for name, values in getattr(self, kind).items():
                if name in seen:
                    raise Unfit(
                        at=(kind, name), found=f"a second range of {name}", expected="each of them once"
                    )
                seen.add(name)
                if kind != "categorical" and values[0] >= values[1]:
                    raise Unfit(
                        at=(kind, name),
                        found=f"{values[0]} to {values[1]}",
                        expected="the lower bound first, and an upper one above it",
                    )
        if not seen:
            raise Unfit(found="no range", expected="at least one hyperparameter to be searched")
        return self


class TuningSpec(Strict):
    """A hyperparameter tuning job instead of one training job; its best model is the candidate."""

    objective: f.TestName = Field(description="One of training.metrics.")
    goal: Literal["Maximize", "Minimize"]
    strategy: Literal["Bayesian", "Random", "Grid", "Hyperband"] = "Bayesian"
    max_jobs: Annotated[int, Field(ge=1, le=750)] | None = Field(None, description="Not with Grid.")
    max_parallel_jobs: Annotated[int, Field(ge=1, le=100)] = 1
    early_stopping: bool = False
    random_seed: Annotated[int, Field(ge=0, le=2_147_483_647)] | None = None
    ranges: RangesSpec

    @model_validator(mode="after")
    def _as_far_as_the_strategy_goes(self) -> Self:
        if self.strategy != "Grid":
            if self.max_jobs is None:
                raise Unfit(
                    found=f"strategy {self.strategy} without max_jobs",
                    expected="max_jobs: how many training jobs it may cost",
                )
            if self.max_parallel_jobs > self.max_jobs:
                raise Unfit(
                    at=("max_parallel_jobs",),
                    found=f"{self.max_parallel_jobs}, of {self.max_jobs} in all",
                    expected="at most max_jobs",
                )
        elif self.max_jobs is not None:
            raise Unfit(
                at=("max_jobs",),
                found="max_jobs with strategy Grid",
                expected="none: a grid is searched from end to end",
            )
        elif self.ranges.continuous or self.ranges.integer:
            raise Unfit(
                at=("ranges",),
                found="a range of numbers with strategy Grid",
                expected="categorical values only, as the service has it; numbers may be given as such",
            )
        return self

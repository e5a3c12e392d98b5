"""A tuning job's request, read once: what is searched, how far, and the training jobs it makes."""

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.jobs.tuning_space import Space, Values

OBJECTIVE_PARAMETER = "_tuning_objective_metric"  # what the service adds to the hyperparameters
_OF_DEFINITION_ONLY = (
    "DefinitionName",
    "TuningObjective",
    "HyperParameterRanges",
    "StaticHyperParameters",
    "HyperParameterTuningResourceConfig",
)
Request = dict[str, Any]


@dataclass(frozen=True)
class Definition:
    """One definition of training jobs: its fixed part, its objective and the space it searches."""

    name: str | None
    request: Mapping[str, Any]
    metric: str
    maximize: bool
    space: Space

    def training_request(self, name: str, values: Values) -> Request:
        """CreateTrainingJob's members for one combination of values."""
        fixed = {key: value for key, value in self.request.items() if key not in _OF_DEFINITION_ONLY}
        return {
            **fixed,
            "TrainingJobName": name,
            "HyperParameters": {
                **self.request.get("StaticHyperParameters", {}),
                **values,
                OBJECTIVE_PARAMETER: self.metric,
            },
        }


@dataclass(frozen=True)
class TuningPlan:
    """What a tuning job is to do; `max_jobs` is the size of the grid for the Grid strategy."""

    name: str
    grid: bool
    definitions: tuple[Definition, ...]
    max_jobs: int
    parallel: int
    max_runtime: float | None
    target: float | None
    patience: int | None
    seed: int | None
    early_stopping: bool

    def values(self, number: int, seed: int) -> tuple[Definition, Values]:
        """The definition and values of the n-th training job, counted from 0: always the same for a seed."""
        if not self.grid:
            definition = self.definitions[number % len(self.definitions)]
            chance = random.Random(f"{seed}/{number}")  # noqa: S311 - a search, nothing secret
            return definition, definition.space.sample(chance)
        for definition in self.definitions:
            if number < definition.space.grid_size:
                return definition, definition.space.cell(number)
            number -= definition.space.grid_size
        raise IndexError("the grid has no such cell")


def plan_tuning(name: str, request: Request) -> TuningPlan:
    """Read a request; what is wrong with it is for its checks to say."""
    config = request["HyperParameterTuningJobConfig"]
    limits, criteria = config["ResourceLimits"], config.get("TuningJobCompletionCriteria", {})
    definitions = tuple(_definition(each, config) for each in definitions_of(request))
    grid = config["Strategy"] == "Grid"
    total = sum(definition.space.grid_size for definition in definitions)
    return TuningPlan(
        name=name,
        grid=grid,
        definitions=definitions,
        max_jobs=total if grid else limits.get("MaxNumberOfTrainingJobs", 0),
        parallel=limits["MaxParallelTrainingJobs"],
        max_runtime=limits.get("MaxRuntimeInSeconds"),
        target=criteria.get("TargetObjectiveMetricValue"),
        patience=criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving"),
        seed=config.get("RandomSeed"),
        early_stopping=config.get("TrainingJobEarlyStoppingType") == "Auto",
    )


def definitions_of(request: Request) -> list[Request]:
    """The definitions of training jobs: one, or several that have names."""
    single = request.get("TrainingJobDefinition")
    return [single] if single else list(request.get("TrainingJobDefinitions", []))


def training_name(tuning: str, number: int) -> str:
    """The service's names: the tuning job's, a count from 1, and eight characters at random."""
    return f"{tuning}-{number + 1:03d}-{uuid.uuid4().hex[:8]}"


def _definition(given: Request, config: Request) -> Definition:
    objective = given.get("TuningObjective") or config.get("HyperParameterTuningJobObjective") or {}
    return Definition(
        name=given.get("DefinitionName"),
        request=given,
        metric=objective.get("MetricName", ""),
        maximize=objective.get("Type") == "Maximize",
        space=Space(given.get("HyperParameterRanges") or config.get("ParameterRanges") or {}),
    )

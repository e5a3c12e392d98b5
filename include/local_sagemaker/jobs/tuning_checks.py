"""What CreateHyperParameterTuningJob refuses beyond the form of a request."""

import random
from typing import Any

from local_sagemaker.api.errors import invalid
from local_sagemaker.jobs.training_checks import check_training, not_served
from local_sagemaker.jobs.tuning_plan import Definition, TuningPlan, definitions_of, plan_tuning
from local_sagemaker.s3.objects import S3Objects

Request = dict[str, Any]


def check_tuning(request: Request, s3: S3Objects, region: str) -> None:
    """Raise the service's error, or a plain one for what this server does not serve."""
    _check_served(request)
    if bool(request.get("TrainingJobDefinition")) == bool(request.get("TrainingJobDefinitions")):
        raise invalid("Specify either TrainingJobDefinition or TrainingJobDefinitions, and not both.")
    plan = plan_tuning(request["HyperParameterTuningJobName"], request)
    for definition in plan.definitions:
        _check_definition(definition, plan, s3, region)
    _check_limits(request, plan)


def _check_served(request: Request) -> None:
    config = request["HyperParameterTuningJobConfig"]
    ranges = [config.get("ParameterRanges", {})]
    ranges += [definition.get("HyperParameterRanges", {}) for definition in definitions_of(request)]
    if config["Strategy"] == "Hyperband":
        raise not_served("the Hyperband strategy; use Random, Grid or Bayesian (which draws at random here)")
    if "WarmStartConfig" in request:
        raise not_served("warm starts")
    if "Autotune" in request or any(each.get("AutoParameters") for each in ranges):
        raise not_served("Autotune")


def _check_definition(definition: Definition, plan: TuningPlan, s3: S3Objects, region: str) -> None:
    if len(plan.definitions) > 1 and definition.name is None:
        raise invalid("Each of several TrainingJobDefinitions must have a DefinitionName.")
    if not definition.metric:
        raise invalid("An objective metric must be specified.")
    metrics = definition.request["AlgorithmSpecification"].get("MetricDefinitions", [])
    if definition.metric not in [metric["Name"] for metric in metrics]:
        raise invalid(
            f"The objective metric, [{definition.metric}], is not among the MetricDefinitions of the "
            "training job definition."
        )
    definition.space.check(grid=plan.grid)
    static = definition.request.get("StaticHyperParameters", {})
    twice = [name for name in definition.space.names if name in static]
    if twice:
        raise invalid(f"Hyperparameters are both static and tuned: {', '.join(twice)}.")
    if "ResourceConfig" not in definition.request:
        raise not_served("HyperParameterTuningResourceConfig; give a ResourceConfig")
    values = definition.space.cell(0) if plan.grid else definition.space.sample(random.Random(0))  # noqa: S311
    check_training(definition.training_request("checked", values), s3, region)


def _check_limits(request: Request, plan: TuningPlan) -> None:
    given = request["HyperParameterTuningJobConfig"]["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if plan.grid and given not in (None, plan.max_jobs):
        raise invalid(
            "With the Grid strategy MaxNumberOfTrainingJobs, if it is given, must be the number of distinct "
            f"combinations, {plan.max_jobs}."
        )
    if plan.max_jobs < 1:
        raise invalid("ResourceLimits must have a MaxNumberOfTrainingJobs.")
    if plan.parallel > plan.max_jobs:
        raise invalid("MaxParallelTrainingJobs cannot be greater than MaxNumberOfTrainingJobs.")

"""What CreateTrainingJob refuses beyond the form of a request."""

from typing import Any

import regex

from local_sagemaker.api.errors import ServiceError, invalid
from local_sagemaker.jobs.inputs import S3Source, require_objects, require_place
from local_sagemaker.jobs.script_mode import ScriptError, script_of
from local_sagemaker.jobs.training_plan import OPT_ML, checkpoint_directory, hyperparameters_of
from local_sagemaker.s3.objects import S3Objects

Request = dict[str, Any]


def check_training(request: Request, s3: S3Objects, region: str) -> None:
    """Raise the service's error, or a plain one for what this server does not serve."""
    _check_algorithm(request)
    _check_resources(request)
    _check_stopping(request)
    require_place(request["OutputDataConfig"]["S3OutputPath"])
    _check_checkpoints(request)
    _check_channels(request, s3, region)


def not_served(detail: str) -> ServiceError:
    """A feature that the service has and this server has not: refused, never quietly ignored."""
    return invalid(f"This local SageMaker does not serve {detail}.")


def _check_algorithm(request: Request) -> None:
    algorithm = request.get("AlgorithmSpecification")
    if algorithm is None or request.get("ServerlessJobConfig"):
        raise not_served("serverless training jobs; give an AlgorithmSpecification")
    if ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
        raise invalid("You must specify either AlgorithmName or TrainingImage, and not both.")
    if "AlgorithmName" in algorithm:
        raise not_served("algorithm resources; give a TrainingImage")
    _check_metrics(algorithm.get("MetricDefinitions", []))
    if "ContainerEntrypoint" in algorithm:
        return
    try:
        script = script_of(hyperparameters_of(request), request.get("Environment", {}))
    except ScriptError as error:
        raise invalid(str(error)) from error
    if script is None:
        raise not_served(
            "the 'train' program of an image, since it pulls none; give the hyperparameters "
            "sagemaker_program and sagemaker_submit_directory, or AlgorithmSpecification.ContainerEntrypoint"
        )


def _check_metrics(definitions: list[dict[str, str]]) -> None:
    names = [definition["Name"] for definition in definitions]
    if len(set(names)) != len(names):
        raise invalid("MetricDefinitions must have unique names.")
    for definition in definitions:
        try:
            regex.compile(definition["Regex"])
        except regex.error as error:
            raise invalid(f"Invalid regex for metric {definition['Name']}: {error}") from error


def _check_resources(request: Request) -> None:
    resources = request.get("ResourceConfig", {})
    for member, what in (
        ("InstanceGroups", "heterogeneous clusters (InstanceGroups)"),
        ("InstancePreferences", "InstancePreferences"),
        ("TrainingPlanArn", "training plans"),
    ):
        if resources.get(member):
            raise not_served(what)
    if not resources.get("InstanceType") or not resources.get("InstanceCount"):
        raise invalid("ResourceConfig must have an InstanceType and an InstanceCount of at least 1.")


def _check_stopping(request: Request) -> None:
    stopping = request.get("StoppingCondition", {})
    spot = request.get("EnableManagedSpotTraining", False)
    longest = stopping.get("MaxWaitTimeInSeconds")
    if spot and (longest is None or longest < stopping.get("MaxRuntimeInSeconds", 0)):
        raise invalid(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds"
        )
    if longest is not None and not spot:
        raise invalid("MaxWaitTimeInSeconds can only be given when EnableManagedSpotTraining is true.")


def _check_checkpoints(request: Request) -> None:
    if "CheckpointConfig" not in request:
        return
    require_place(request["CheckpointConfig"]["S3Uri"])
    if not checkpoint_directory(request).startswith(f"{OPT_ML}/"):
        raise not_served(f"checkpoints outside {OPT_ML}")


def _check_channels(request: Request, s3: S3Objects, region: str) -> None:
    channels = request.get("InputDataConfig", [])
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) != len(names):
        raise invalid("InputDataConfig must have unique channel names.")
    default = request["AlgorithmSpecification"]["TrainingInputMode"]
    for channel in channels:
        name = channel["ChannelName"]
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            raise not_served(f"the data source of channel {name}; give an S3DataSource")
        if channel.get("InputMode", default) == "Pipe":
            raise not_served(f"Pipe mode (channel {name}); use File or FastFile")
        if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
            raise not_served(f"S3DataType {source['S3DataType']} outside Pipe mode (channel {name})")
        require_objects(s3, S3Source(source["S3Uri"], source["S3DataType"]), region, request["RoleArn"])

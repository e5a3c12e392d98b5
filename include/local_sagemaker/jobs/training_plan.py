"""A training job's request, read once: its channels, hosts, limits and places in S3."""

from dataclasses import dataclass
from typing import Any

from local_sagemaker.jobs.container import DEFAULT_MAX_RUNTIME
from local_sagemaker.jobs.inputs import S3Source

OPT_ML = "/opt/ml"
Request = dict[str, Any]


@dataclass(frozen=True)
class Channel:
    """One input channel; `config` is its entry in inputdataconfig.json."""

    name: str
    source: S3Source
    config: dict[str, str]


@dataclass(frozen=True)
class TrainingPlan:
    """What a training job is to do. Seconds are the service's; `max_wait` is None without spot."""

    name: str
    arn: str
    role_arn: str
    hosts: tuple[str, ...]
    instance_type: str
    channels: tuple[Channel, ...]
    hyperparameters: dict[str, str]
    environment: dict[str, str]
    entrypoint: tuple[str, ...] | None
    arguments: tuple[str, ...]
    output: str
    compressed: bool
    checkpoints: tuple[str, str] | None
    max_runtime: float
    max_wait: float | None
    spot: bool
    retries: int


def plan_training(name: str, arn: str, request: Request) -> TrainingPlan:
    """Read a request that has passed its checks."""
    algorithm, resources = request["AlgorithmSpecification"], request["ResourceConfig"]
    stopping, output = request.get("StoppingCondition", {}), request["OutputDataConfig"]
    entrypoint = algorithm.get("ContainerEntrypoint")
    spot = request.get("EnableManagedSpotTraining", False)
    checkpoints = request.get("CheckpointConfig")
    return TrainingPlan(
        name=name,
        arn=arn,
        role_arn=request["RoleArn"],
        hosts=tuple(f"algo-{number}" for number in range(1, resources["InstanceCount"] + 1)),
        instance_type=resources["InstanceType"],
        channels=tuple(
            _channel(channel, algorithm["TrainingInputMode"])
            for channel in request.get("InputDataConfig", [])
        ),
        hyperparameters=hyperparameters_of(request),
        environment=request.get("Environment", {}),
        entrypoint=tuple(entrypoint) if entrypoint else None,
        arguments=tuple(algorithm.get("ContainerArguments", [])),
        output=f"{output['S3OutputPath'].rstrip('/')}/{name}/output",
        compressed=output.get("CompressionType", "GZIP") == "GZIP",
        checkpoints=(checkpoints["S3Uri"], checkpoint_directory(request)) if checkpoints else None,
        max_runtime=stopping.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME),
        max_wait=stopping.get("MaxWaitTimeInSeconds") if spot else None,
        spot=spot,
        retries=request.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0),
    )


def hyperparameters_of(request: Request) -> dict[str, str]:
    """The hyperparameters, as they were sent."""
    return dict(request.get("HyperParameters") or {})


def checkpoint_directory(request: Request) -> str:
    """Where the program finds and leaves its checkpoints, as it sees them."""
    return str(request["CheckpointConfig"].get("LocalPath", f"{OPT_ML}/checkpoints")).rstrip("/")


def model_uri(request: Request, name: str) -> str:
    """Where the model goes: an archive, or a prefix when it is not to be compressed."""
    output = request["OutputDataConfig"]
    tail = "model.tar.gz" if output.get("CompressionType", "GZIP") == "GZIP" else "model/"
    return f"{output['S3OutputPath'].rstrip('/')}/{name}/output/{tail}"


def _channel(channel: Request, default_mode: str) -> Channel:
    source = channel["DataSource"]["S3DataSource"]
    distribution = source.get("S3DataDistributionType", "FullyReplicated")
    config = {
        "TrainingInputMode": channel.get("InputMode", default_mode),
        "S3DistributionType": distribution,
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    if "ContentType" in channel:
        config["ContentType"] = channel["ContentType"]
    return Channel(
        channel["ChannelName"],
        S3Source(source["S3Uri"], source["S3DataType"], sharded=distribution == "ShardedByS3Key"),
        config,
    )

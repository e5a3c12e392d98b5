"""What CreateModel checks beyond the form of the request."""

from collections.abc import Callable
from typing import Any

from local_sagemaker.api import errors
from local_sagemaker.s3.mirror import S3Mirror, split_uri

Request = dict[str, Any]

# Served in part, or not yet: refused rather than quietly ignored.
_UNSERVED_CONTAINER = ("AdditionalModelDataSources",)
_ENVIRONMENT_BYTES = 32 * 1024


def model_data_uri(container: Request) -> str | None:
    """The archive a container names, in either of the two ways there are."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    return source["S3Uri"] if source else container.get("ModelDataUrl")


def refuse_unserved(request: Request, unserved: tuple[str, ...]) -> None:
    """Raise the service's error when the request has any of these members."""
    found = [member for member in unserved if request.get(member)]
    if found:
        raise errors.unsupported(f"{', '.join(found)} is not served")


def model_check(
    s3: S3Mirror, region: str, package_containers: Callable[[str], list[Request]]
) -> Callable[[Request], None]:
    """CreateModel's: one to fifteen containers, whose archives SageMaker in `region` can read.

    A container that names a model package gets what the package says of it, by `package_containers`;
    the model is then described with it, as by the service.
    """

    def check(request: Request) -> None:
        containers = _resolved(request, package_containers)
        _check_together(request, containers)
        for container in containers:
            refuse_unserved(container, _UNSERVED_CONTAINER)
            _check_container(container)
            _check_data(s3, region, container, request.get("ExecutionRoleArn"))

    return check


def _resolved(request: Request, package_containers: Callable[[str], list[Request]]) -> list[Request]:
    """The request's containers, with what their model packages say put into the request."""
    if "PrimaryContainer" in request and request.get("Containers"):
        raise errors.invalid("PrimaryContainer and Containers cannot both be given.")
    containers = []
    for container in request.get("Containers") or [request.get("PrimaryContainer", {})]:
        if "ModelPackageName" in container:
            containers += _of_package(container, package_containers(container["ModelPackageName"]))
        else:
            containers.append(container)
    if "PrimaryContainer" in request and len(containers) == 1:
        request["PrimaryContainer"] = containers[0]
    elif request.get("Containers") or len(containers) > 1:
        request.pop("PrimaryContainer", None)
        request["Containers"] = containers
    return containers


def _of_package(declared: Request, packaged: list[Request]) -> list[Request]:
    given = [member for member in ("Image", "ModelDataUrl", "ModelDataSource") if member in declared]
    if given:
        raise errors.invalid(f"ModelPackageName cannot be given together with {', '.join(given)}.")
    return [
        {
            **container,
            **declared,
            "Environment": {**container.get("Environment", {}), **declared.get("Environment", {})},
        }
        for container in packaged
    ]


def _check_together(request: Request, containers: list[Request]) -> None:
    if not 1 <= len(containers) <= 15:  # noqa: PLR2004 - the guide's, also for what packages resolve to
        raise errors.invalid(f"A model has 1 to 15 containers, found {len(containers)}.")
    names = [container["ContainerHostname"] for container in containers if "ContainerHostname" in container]
    # "You must specify a value for the ContainerHostName parameter of every ContainerDefinition in that
    # pipeline" (ContainerDefinition's reference).
    if names and len(names) < len(containers):
        raise errors.invalid("ContainerHostname must be given for every container or for none.")
    if len(set(names)) < len(names):
        raise errors.invalid(f"Container hostnames must be unique, found: {', '.join(names)}.")
    mode = request.get("InferenceExecutionConfig", {}).get("Mode")
    if mode and len(containers) == 1:
        raise errors.invalid("InferenceExecutionConfig is for models of at least 2 containers.")
    if mode == "Direct" and not names:
        raise errors.invalid("Containers must have a ContainerHostname each to be invoked directly.")
    environment = [
        item for each in containers for pair in each.get("Environment", {}).items() for item in pair
    ]
    if sum(len(text.encode()) for text in environment) > _ENVIRONMENT_BYTES:
        raise errors.invalid(f"The containers' Environment is over {_ENVIRONMENT_BYTES} bytes in all.")


def _check_container(container: Request) -> None:
    if "Image" not in container:
        raise errors.invalid("A container must be given, with an Image or a ModelPackageName.")
    if "ModelDataUrl" in container and "ModelDataSource" in container:
        raise errors.invalid("ModelDataUrl and ModelDataSource cannot both be given.")
    if container.get("Mode") == "MultiModel":
        # "Currently you cannot use ModelDataSource in conjunction with ... multi-model endpoints"
        # (ContainerDefinition's reference).
        if "ModelDataUrl" not in container:
            raise errors.invalid("A MultiModel container must have a ModelDataUrl, the prefix of its models.")
    elif "MultiModelConfig" in container:
        raise errors.invalid("MultiModelConfig is for containers of Mode MultiModel.")
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source and (source["S3DataType"], source["CompressionType"]) != ("S3Object", "Gzip"):
        raise errors.unsupported("model data that is not one gzip archive is not served")


def _check_data(s3: S3Mirror, region: str, container: Request, role_arn: str | None) -> None:
    uri = model_data_uri(container)
    if not uri:
        return
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    bucket_region = s3.bucket_region(bucket) if uri.startswith("s3://") else None
    # The bucket must be in the model's region (the hosting guide).
    if bucket_region is not None and bucket_region != region:
        raise errors.model_data_inaccessible(uri, role_arn, region)
    if container.get("Mode") == "MultiModel":
        found = bucket_region is not None and bool(s3.keys(bucket, prefix))
    else:
        found = split_uri(uri) is not None and s3.archive(uri) is not None
    if not found:
        raise errors.model_data_not_found(uri)

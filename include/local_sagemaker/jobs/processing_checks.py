"""What CreateProcessingJob checks beyond the form of the request."""

from collections.abc import Iterator
from typing import Any

from local_sagemaker.api import errors
from local_sagemaker.s3.objects import split_prefix

Request = dict[str, Any]
_ROOT = "/opt/ml/processing/"


def processing_check(request: Request) -> None:
    """Raise the service's error for inputs and outputs that cannot be, or that are not served here."""
    if not request["AppSpecification"].get("ContainerEntrypoint"):
        raise errors.unsupported(
            "AppSpecification has no ContainerEntrypoint; images are not pulled, so theirs is not known"
        )
    cluster = request["ProcessingResources"]["ClusterConfig"]
    if "InstanceType" not in cluster or "InstanceCount" not in cluster:
        raise errors.invalid("ClusterConfig must have InstanceType and InstanceCount.")
    inputs, outputs = request.get("ProcessingInputs", []), declared_outputs(request)
    _distinct("InputName", inputs)
    _distinct("OutputName", outputs)
    for declared in inputs:
        _check_input(declared)
    for declared in outputs:
        _check_output(declared)
    paths = [path for path in _local_paths([*inputs, *outputs]) if path]
    taken = {path for path in paths if paths.count(path) > 1}
    if taken:
        raise errors.invalid(f"LocalPath must be unique, found more than once: {', '.join(sorted(taken))}.")


def declared_outputs(request: Request) -> list[Request]:
    """The outputs a request declares."""
    outputs: list[Request] = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return outputs


def _distinct(member: str, declared: list[Request]) -> None:
    names = [each[member] for each in declared]
    if len(set(names)) < len(names):
        raise errors.invalid(f"{member} must be unique, found: {', '.join(names)}.")


def _check_input(declared: Request) -> None:
    name = declared["InputName"]
    if "DatasetDefinition" in declared:
        raise errors.unsupported(f"input {name}: DatasetDefinition is not served")
    if "S3Input" not in declared:
        raise errors.invalid(f"Input {name} must have an S3Input or a DatasetDefinition.")
    source = declared["S3Input"]
    if source.get("S3InputMode") == "Pipe":
        raise errors.unsupported(f"input {name}: S3InputMode Pipe is not served")
    if source.get("S3CompressionType", "None") == "Gzip":
        # "Gzip can only be used when Pipe mode is specified" (ProcessingS3Input's reference).
        raise errors.invalid(f"Input {name}: S3CompressionType Gzip needs S3InputMode Pipe.")
    _check_place(f"Input {name}", declared, source)


def _check_output(declared: Request) -> None:
    name = declared["OutputName"]
    if "FeatureStoreOutput" in declared:
        raise errors.unsupported(f"output {name}: FeatureStoreOutput is not served")
    if "S3Output" not in declared:
        raise errors.invalid(f"Output {name} must have an S3Output.")
    _check_place(f"Output {name}", declared, declared["S3Output"])


def _check_place(what: str, declared: Request, place: Request) -> None:
    try:
        split_prefix(place["S3Uri"])
    except ValueError as error:
        raise errors.invalid(f"{what}: S3Uri: {error}.") from error
    path = place.get("LocalPath")
    if path is None and declared.get("AppManaged"):
        return
    # "LocalPath is an absolute path to the input data and must begin with /opt/ml/processing/"
    # (ProcessingS3Input's reference).
    if path is None or not path.startswith(_ROOT) or ".." in path.split("/"):
        raise errors.invalid(f"{what}: LocalPath must begin with {_ROOT}, found {path}.")


def _local_paths(declared: list[Request]) -> Iterator[str | None]:
    for each in declared:
        place = each.get("S3Input") or each.get("S3Output") or {}
        path = place.get("LocalPath")
        yield path.rstrip("/") if path else None

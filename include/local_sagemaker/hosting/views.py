"""How an endpoint looks from outside: DescribeEndpoint and ListEndpoints."""

import hashlib
from typing import Any

from local_sagemaker.hosting.lifecycle import Lifecycle
from local_sagemaker.hosting.records import IN_PROGRESS, Deployment, Variant


def summary(endpoint: Lifecycle) -> dict[str, Any]:
    """One entry of ListEndpoints."""
    record = endpoint.record
    return {
        "EndpointName": record.name,
        "EndpointArn": record.arn,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "EndpointStatus": record.status,
    }


def description(endpoint: Lifecycle) -> dict[str, Any]:
    """DescribeEndpoint's answer.

    EndpointConfigName is the old one until an update is through; what it changes to is in
    PendingDeploymentSummary. An endpoint that never was in service has no ProductionVariants.
    """
    record = endpoint.record
    answer = {**summary(endpoint), "EndpointConfigName": record.config_name}
    if record.live:
        resize = record.pending if record.pending and record.pending.in_place else None
        answer["ProductionVariants"] = _variants(endpoint, record.live, resize)
        if record.live.data_capture:
            answer["DataCaptureConfig"] = _data_capture(record.live.data_capture)
    # "Only returned when the endpoint is creating or updating with a new endpoint configuration"
    # (DescribeEndpoint's reference).
    if record.pending and not record.pending.in_place and record.status in IN_PROGRESS:
        answer["PendingDeploymentSummary"] = {
            "EndpointConfigName": record.pending.config_name,
            "ProductionVariants": [
                _variant(variant, record.pending.started, current_count=0, current_weight=0.0)
                | {
                    "InstanceType": variant.instance_type,
                    "VariantStatus": [{"Status": "Creating", "StartTime": record.pending.started}],
                }
                for variant in record.pending.variants
            ],
            "StartTime": record.pending.started,
        }
    if record.failure_reason:
        answer["FailureReason"] = record.failure_reason
    if record.deployment_config:
        answer["LastDeploymentConfig"] = record.deployment_config
    complete: dict[str, Any] = _without_nulls(answer)
    return complete


def _variants(endpoint: Lifecycle, live: Deployment, resize: Deployment | None) -> list[dict[str, Any]]:
    running = endpoint.fleet.variants if endpoint.fleet else {}
    desired = {variant.name: variant for variant in (resize or live).variants}
    views = []
    for variant in live.variants:
        fleet = running.get(variant.name)
        view = _variant(
            desired[variant.name],
            live.started,
            current_count=len(fleet.instances) if fleet else 0,
            current_weight=fleet.variant.weight if fleet else 0.0,
        )
        if resize:
            view["VariantStatus"] = [{"Status": "Updating", "StartTime": resize.started}]
        views.append(view)
    return views


def _variant(
    variant: Variant, deployed: float, *, current_count: int, current_weight: float
) -> dict[str, Any]:
    return {
        "VariantName": variant.name,
        "DeployedImages": [
            {
                "SpecifiedImage": container.image,
                "ResolvedImage": _resolved(container.image),
                "ResolutionTime": deployed,
            }
            for container in variant.containers
        ],
        "CurrentWeight": current_weight,
        "DesiredWeight": variant.weight,
        # A serverless variant has a configuration where others have counts.
        "CurrentInstanceCount": None if variant.serverless else current_count,
        "DesiredInstanceCount": None if variant.serverless else variant.count,
        "CurrentServerlessConfig": variant.serverless,
        "DesiredServerlessConfig": variant.serverless,
    }


def _resolved(image: str) -> str:
    """The image by digest. No image is pulled here: the digest is of its name, stable and distinct."""
    if "@sha256:" in image:
        return image
    repository, _, tag = image.rpartition(":")
    digest = hashlib.sha256(image.encode()).hexdigest()
    return f"{repository if repository and '/' not in tag else image}@sha256:{digest}"


def _data_capture(capture: dict[str, Any]) -> dict[str, Any]:
    enabled = capture.get("EnableCapture", True)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
        "KmsKeyId": capture.get("KmsKeyId", ""),
    }


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value

"""How an endpoint looks from outside: DescribeEndpoint and ListEndpoints."""

import hashlib
from typing import TYPE_CHECKING, Any

from local_sagemaker.hosting.records import IN_PROGRESS, Deployment, Variant

if TYPE_CHECKING:
    from local_sagemaker.hosting.lifecycle import Lifecycle

_LONGEST_REASON = 1024  # FailureReason's


def summary(endpoint: "Lifecycle") -> dict[str, Any]:
    """One entry of ListEndpoints."""
    record = endpoint.record
    return {
        "EndpointName": record.name,
        "EndpointArn": record.arn,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "EndpointStatus": record.status,
    }


def description(endpoint: "Lifecycle") -> dict[str, Any]:
    """DescribeEndpoint's answer.

    EndpointConfigName is the old one until an update is through; what it changes to is in
    PendingDeploymentSummary. An endpoint that never was in service has no ProductionVariants.
    """
    record = endpoint.record
    answer = {**summary(endpoint), "EndpointConfigName": record.config_name}
    if record.live:
        answer |= _live(endpoint, record.live)
    # "Only returned when the endpoint is creating or updating with a new endpoint configuration"
    # (DescribeEndpoint's reference).
    if record.pending and not record.pending.in_place and record.status in IN_PROGRESS:
        answer["PendingDeploymentSummary"] = _pending(endpoint, record.pending)
    if record.failure_reason:
        answer["FailureReason"] = record.failure_reason[:_LONGEST_REASON]
    if record.deployment_config:
        answer["LastDeploymentConfig"] = record.deployment_config
    complete: dict[str, Any] = _without_nulls(answer)
    return complete


def _live(endpoint: "Lifecycle", live: Deployment) -> dict[str, Any]:
    pending = endpoint.record.pending
    wanted = pending if pending and pending.in_place else live
    desired = {variant.name: variant for variant in (*wanted.variants, *wanted.shadows)}
    running = {each.variant.name: each for each in endpoint.fleet.everyone} if endpoint.fleet else {}

    def view(variant: Variant) -> dict[str, Any]:
        fleet = running.get(variant.name)
        return {
            **_variant(desired[variant.name], live.started),
            **_current(variant, len(fleet.instances) if fleet else 0, fleet.variant.weight if fleet else 0.0),
            "VariantStatus": endpoint.progress.status("old", variant.name),
        }

    return {
        "ProductionVariants": [view(variant) for variant in live.variants],
        "ShadowProductionVariants": [view(variant) for variant in live.shadows] or None,
        "DataCaptureConfig": _data_capture(live.data_capture) if live.data_capture else None,
    }


def _pending(endpoint: "Lifecycle", pending: Deployment) -> dict[str, Any]:
    running = {each.variant.name: each for each in endpoint.incoming.everyone} if endpoint.incoming else {}

    def view(variant: Variant) -> dict[str, Any]:
        # Instances count once they have traffic (the guide's event of a canary that bakes).
        taking = len(running[variant.name].taking) if variant.name in running else 0
        return {
            **_variant(variant, pending.started),
            **_current(variant, taking, variant.weight if taking else 0.0),
            "InstanceType": variant.instance_type,
            "VariantStatus": endpoint.progress.status("new", variant.name),
        }

    return {
        "EndpointConfigName": pending.config_name,
        "ProductionVariants": [view(variant) for variant in pending.variants],
        "ShadowProductionVariants": [view(variant) for variant in pending.shadows] or None,
        "StartTime": pending.started,
    }


def _variant(variant: Variant, deployed: float) -> dict[str, Any]:
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
        "DesiredWeight": variant.weight,
        # A serverless variant has a configuration where others have counts.
        "DesiredInstanceCount": None if variant.serverless else variant.count,
        "DesiredServerlessConfig": variant.serverless,
    }


def _current(variant: Variant, count: int, weight: float) -> dict[str, Any]:
    return {
        "CurrentWeight": weight,
        "CurrentInstanceCount": None if variant.serverless else count,
        "CurrentServerlessConfig": variant.serverless,
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

"""Application Auto Scaling's errors."""

from typing import Any

from local_sagemaker.api.errors import ServiceError, invalid
from local_sagemaker.autoscaling.records import DIMENSION, NAMESPACE


def not_found(message: str) -> ServiceError:
    """`ObjectNotFoundException`: no such target, policy or scheduled action."""
    return ServiceError("ObjectNotFoundException", message)


def no_target(resource_id: str) -> ServiceError:
    """The resource is not registered."""
    return not_found(
        f"No scalable target registered for service namespace: {NAMESPACE}, resource ID: {resource_id}, "
        f"scalable dimension: {DIMENSION}"
    )


def still_scaled(variant: str, how: str) -> ServiceError:
    """UpdateEndpoint meets a scalable target.

    No report has its words. These follow those of DeleteEndpoint without the right to deregister
    (awslabs/stable-diffusion-aws-extension 161).
    """
    return invalid(
        f"An Application AutoScaling scalable target exists for variant {variant} {how}. Deregister it first."
    )


def check_scalable(request: dict[str, Any]) -> None:
    """Raise the service's error for a resource of another kind than those that are scaled here."""
    if request["ServiceNamespace"] != NAMESPACE:
        raise invalid(
            f"The service namespace {request['ServiceNamespace']} is not served by the local SageMaker."
        )
    dimension = request.get("ScalableDimension", DIMENSION)
    if dimension != DIMENSION:
        raise invalid(f"The scalable dimension {dimension} is not served by the local SageMaker.")
    parts = request.get("ResourceId", "endpoint/name/variant/name").split("/")
    if len(parts) != 4 or (parts[0], parts[2]) != ("endpoint", "variant"):  # noqa: PLR2004 - two names, two kinds
        raise invalid("Unsupported service namespace, resource type or scalable dimension")

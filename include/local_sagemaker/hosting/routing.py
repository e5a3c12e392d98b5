"""Which variant, container and model a request is for, and what is refused before it gets there."""

from local_sagemaker.hosting.asked import Asked, refused
from local_sagemaker.hosting.container import Call
from local_sagemaker.hosting.records import Variant
from local_sagemaker.hosting.traffic import Traffic
from local_sagemaker.hosting.variant_fleet import VariantFleet

MAX_SERVERLESS_BODY = 4 * 1024 * 1024


def choose(asked: Asked, traffic: Traffic) -> VariantFleet:
    """The variant asked for, of whatever weight, or one by weight."""
    if asked.option("inference-component"):
        raise refused(
            f"Endpoint {asked.endpoint} does not host inference components; "
            "Inference Component Name header is not allowed."
        )
    target = asked.option("target-variant")
    fleet = traffic.choose(target)
    if fleet is None:
        found = ", ".join(f"{each.variant.name}: {each.variant.weight:g}" for each in traffic.variants())
        wanted = "one with a weight above 0" if target is None else target
        raise refused(
            f"No variant of endpoint {asked.endpoint} is {wanted}; its variants and weights: {found}."
        )
    return fleet


def call_of(asked: Asked, variant: Variant, timeout: float) -> Call:
    """What to ask of the variant's containers within `timeout` real seconds."""
    if variant.serverless is not None and len(asked.body) > MAX_SERVERLESS_BODY:
        raise refused(f"Request {asked.request_id} has oversize body.")
    return Call(asked.headers, asked.body, timeout, _hostname(asked, variant), _target_model(asked, variant))


def _target_model(asked: Asked, variant: Variant) -> str | None:
    target = asked.option("target-model")
    several = any(container.mode == "MultiModel" for container in variant.containers)
    if several and target is None:
        # As reported (aws/sagemaker-tensorflow-serving-container 166), but for its end.
        raise refused(f"Request {asked.request_id} is missing a target model header.")
    if target is not None and not several:
        # aws/amazon-sagemaker-examples 1026
        raise refused(
            f"Endpoint {asked.endpoint} is not a multi-model endpoint and does not support target model "
            "header."
        )
    return target


def _hostname(asked: Asked, variant: Variant) -> str | None:
    """The container to call alone, where the variant is for direct invocation (hosting guide, Multi-container
    endpoints: each of these is a validation error)."""
    hostname = asked.option("target-container-hostname")
    if variant.mode != "Direct":
        if hostname is not None:
            raise refused(
                f"Endpoint {asked.endpoint} is not configured for direct invocation and does not support "
                "target container hostname header."
            )
        return None
    names = [container.hostname for container in variant.containers]
    if hostname is None:
        raise refused(f"Request {asked.request_id} is missing a target container hostname header.")
    if hostname not in names:
        raise refused(
            f"Endpoint {asked.endpoint} has no container {hostname}; its containers: {', '.join(names)}."
        )
    return hostname

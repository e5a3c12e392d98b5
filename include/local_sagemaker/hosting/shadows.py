"""What CreateEndpointConfig checks of shadow variants."""

from typing import Any

from local_sagemaker.api import errors
from local_sagemaker.hosting.records import Resource

Request = dict[str, Any]
_EXCLUDED_INSTANCES = "ml.inf1."


def check_shadow(request: Request, models: dict[str, Resource]) -> None:
    """One production variant and one shadow variant, of kinds that can be shadowed.

    `models` are those of the variants, by name. Excluded are serverless and asynchronous inference,
    multi-container and multi-model endpoints, and Inf1 instances (hosting guide, Shadow variants).
    """
    shadows, variants = request["ShadowProductionVariants"], request["ProductionVariants"]
    if len(shadows) > 1 or len(variants) > 1:
        raise errors.invalid(
            "With ShadowProductionVariants, only one variant can be given for ProductionVariants and one for "
            f"ShadowProductionVariants; found {len(variants)} and {len(shadows)}."
        )
    if "AsyncInferenceConfig" in request:
        raise errors.unsupported("shadow variants with asynchronous inference")
    for variant in (*variants, *shadows):
        if "ServerlessConfig" in variant:
            raise errors.unsupported("shadow variants with serverless inference")
        if variant.get("InstanceType", "").startswith(_EXCLUDED_INSTANCES):
            raise errors.unsupported("shadow variants on Inf1 instances")
        _check_model(models[variant["ModelName"]])


def _check_model(model: Resource) -> None:
    if model.request.get("Containers"):
        raise errors.unsupported("shadow variants with multi-container endpoints")
    if model.request.get("PrimaryContainer", {}).get("Mode") == "MultiModel":
        raise errors.unsupported("shadow variants with multi-model endpoints")

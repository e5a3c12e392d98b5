"""What CreateEndpointConfig checks beyond the form of the request."""

from collections.abc import Callable
from typing import Any

from local_sagemaker.api import errors
from local_sagemaker.hosting.model_checks import refuse_unserved
from local_sagemaker.hosting.records import Resource
from local_sagemaker.hosting.shadows import check_shadow

Request = dict[str, Any]

# Served in part, or not yet: refused rather than quietly ignored.
_UNSERVED_CONFIG = ("ExplainerConfig",)
_UNSERVED_VARIANT = ("InstancePools", "ManagedInstanceScaling")


def endpoint_config_check(require_model: Callable[[str], Resource]) -> Callable[[Request], None]:
    """CreateEndpointConfig's: distinct variants, each servable; `require_model` raises for one missing."""

    def check(request: Request) -> None:
        refuse_unserved(request, _UNSERVED_CONFIG)
        shadows = request.get("ShadowProductionVariants", [])
        variants = [*request["ProductionVariants"], *shadows]
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) < len(names):
            raise errors.invalid(f"Production variant names must be unique, found: {', '.join(names)}.")
        _check_serverless(request)
        _check_async(request)
        for variant in variants:
            _check_variant(variant)
        models = {variant["ModelName"]: require_model(variant["ModelName"]) for variant in variants}
        for variant in variants:
            _check_model(variant, models[variant["ModelName"]])
        if shadows:
            check_shadow(request, models)

    return check


def _check_serverless(request: Request) -> None:
    """Serverless excludes data capture and several variants (hosting guide, Serverless Inference)."""
    if not any("ServerlessConfig" in variant for variant in request["ProductionVariants"]):
        return
    if request.get("DataCaptureConfig"):
        raise errors.unsupported("a serverless variant excludes DataCaptureConfig")
    if len(request["ProductionVariants"]) > 1:
        raise errors.unsupported("a serverless variant excludes other variants")


def _check_async(request: Request) -> None:
    config = request.get("AsyncInferenceConfig")
    if config is None:
        return
    if any("ServerlessConfig" in variant for variant in request["ProductionVariants"]):
        raise errors.unsupported("a serverless variant excludes AsyncInferenceConfig")
    output = config["OutputConfig"]
    if "S3OutputPath" not in output:
        raise errors.invalid("AsyncInferenceConfig must have an S3OutputPath in its OutputConfig.")
    for member in ("S3OutputPath", "S3FailurePath"):
        if not output.get(member, "s3://").startswith("s3://"):
            raise errors.unsupported(f"{member} must be an s3:// URI here, found {output[member]}")


def _check_model(variant: Request, model: Resource) -> None:
    """Serverless excludes pipelines and multi-model endpoints (hosting guide, Serverless Inference)."""
    if "ServerlessConfig" not in variant:
        return
    containers = model.request.get("Containers") or [model.request["PrimaryContainer"]]
    if len(containers) > 1:
        raise errors.unsupported("a serverless variant excludes models of several containers")
    if containers[0].get("Mode") == "MultiModel":
        raise errors.unsupported("a serverless variant excludes multi-model containers")


def _check_variant(variant: Request) -> None:
    name = variant["VariantName"]
    refuse_unserved(variant, _UNSERVED_VARIANT)
    if "ModelName" not in variant:
        raise errors.unsupported(
            f"production variant {name} has no ModelName; inference components are not served"
        )
    if "ServerlessConfig" in variant:
        if "InstanceType" in variant or "InitialInstanceCount" in variant:
            raise errors.invalid(
                f"Production variant {name} cannot have ServerlessConfig together with InstanceType or "
                "InitialInstanceCount."
            )
        check_concurrency(name, variant["ServerlessConfig"])
    elif "InstanceType" not in variant or "InitialInstanceCount" not in variant:
        raise errors.invalid(
            f"Production variant {name} must have InstanceType and InitialInstanceCount, or ServerlessConfig."
        )


def check_concurrency(name: str, serverless: Request) -> None:
    """ProvisionedConcurrency is at most MaxConcurrency (ProductionVariantServerlessConfig's reference)."""
    provisioned = serverless.get("ProvisionedConcurrency", 0)
    if provisioned > serverless["MaxConcurrency"]:
        raise errors.invalid(
            f"ProvisionedConcurrency of production variant {name} must be at most its MaxConcurrency of "
            f"{serverless['MaxConcurrency']}; found {provisioned}."
        )

"""What CreateModel and CreateEndpointConfig check beyond the form of the request."""

import logging
from collections.abc import Callable
from typing import Any

from local_sagemaker.api import errors
from local_sagemaker.hosting.records import Resource
from local_sagemaker.hosting.shadows import check_shadow
from local_sagemaker.s3.mirror import S3Mirror, split_uri

Request = dict[str, Any]
logger = logging.getLogger(__name__)

# Served in part, or not yet: refused rather than quietly ignored.
_UNSERVED_MODEL = ("Containers", "InferenceExecutionConfig")
_UNSERVED_CONTAINER = ("ModelPackageName", "MultiModelConfig", "AdditionalModelDataSources")
_UNSERVED_CONFIG = ("AsyncInferenceConfig", "ExplainerConfig")
_UNSERVED_VARIANT = ("InstancePools", "ManagedInstanceScaling")


def model_data_uri(container: Request) -> str | None:
    """The archive a container names, in either of the two ways there are."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    return source["S3Uri"] if source else container.get("ModelDataUrl")


def model_check(s3: S3Mirror, region: str) -> Callable[[Request], None]:
    """CreateModel's: one container, whose archive SageMaker in `region` can read."""

    def check(request: Request) -> None:
        container = request.get("PrimaryContainer", {})
        _refuse(request, _UNSERVED_MODEL)
        _refuse(container, _UNSERVED_CONTAINER)
        if container.get("Mode") == "MultiModel":
            raise errors.unsupported("multi-model containers are not served")
        if "Image" not in container:
            raise errors.invalid("PrimaryContainer must be given, with an Image.")
        if "ModelDataUrl" in container and "ModelDataSource" in container:
            raise errors.invalid("ModelDataUrl and ModelDataSource cannot both be given.")
        source = container.get("ModelDataSource", {}).get("S3DataSource")
        if source and (source["S3DataType"], source["CompressionType"]) != ("S3Object", "Gzip"):
            raise errors.unsupported("model data that is not one gzip archive is not served")
        uri = model_data_uri(container)
        if uri:
            _check_readable(s3, region, uri, request.get("ExecutionRoleArn"))

    return check


def _check_readable(s3: S3Mirror, region: str, uri: str, role_arn: str | None) -> None:
    place = split_uri(uri)
    bucket_region = s3.bucket_region(place[0]) if place else None
    # The bucket must be in the model's region (the hosting guide).
    if bucket_region is not None and bucket_region != region:
        raise errors.model_data_inaccessible(uri, role_arn, region)
    if s3.archive(uri) is None:
        raise errors.model_data_not_found(uri)


def endpoint_config_check(require_model: Callable[[str], Resource]) -> Callable[[Request], None]:
    """CreateEndpointConfig's: distinct variants, each servable; `require_model` raises for one missing."""

    def check(request: Request) -> None:
        _refuse(request, _UNSERVED_CONFIG)
        if request.get("DataCaptureConfig"):
            logger.warning(
                "endpoint configuration %s: DataCaptureConfig is kept and shown, but nothing is captured",
                request["EndpointConfigName"],
            )
        shadows = request.get("ShadowProductionVariants", [])
        variants = [*request["ProductionVariants"], *shadows]
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) < len(names):
            raise errors.invalid(f"Production variant names must be unique, found: {', '.join(names)}.")
        _check_serverless(request)
        for variant in variants:
            _check_variant(variant)
        models = {variant["ModelName"]: require_model(variant["ModelName"]) for variant in variants}
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


def _check_variant(variant: Request) -> None:
    name = variant["VariantName"]
    _refuse(variant, _UNSERVED_VARIANT)
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


def _refuse(request: Request, unserved: tuple[str, ...]) -> None:
    found = [member for member in unserved if request.get(member)]
    if found:
        raise errors.unsupported(f"{', '.join(found)} is not served")


def check_concurrency(name: str, serverless: Request) -> None:
    """ProvisionedConcurrency is at most MaxConcurrency (ProductionVariantServerlessConfig's reference)."""
    provisioned = serverless.get("ProvisionedConcurrency", 0)
    if provisioned > serverless["MaxConcurrency"]:
        raise errors.invalid(
            f"ProvisionedConcurrency of production variant {name} must be at most its MaxConcurrency of "
            f"{serverless['MaxConcurrency']}; found {provisioned}."
        )

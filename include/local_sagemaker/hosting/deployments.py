"""What an endpoint is to become, worked out from an endpoint configuration and what runs now."""

from collections.abc import Collection
from typing import Any

from local_sagemaker.api import errors
from local_sagemaker.hosting.catalog import Catalog
from local_sagemaker.hosting.checks import check_concurrency
from local_sagemaker.hosting.model_checks import model_data_uri
from local_sagemaker.hosting.records import PRIMARY, Container, Deployment, Resource, Variant

# The guide gives an upper bound (3600 s) and no default; this is long enough for any model here.
DEFAULT_STARTUP_SECONDS = 480.0


def plan_deployment(
    config: Resource,
    models: Catalog,
    now: float,
    *,
    retained: Deployment | None = None,
    excluded: Collection[str] = (),
    policy: dict[str, Any] | None = None,
) -> Deployment:
    """The deployment of `config`: its own counts and weights, unless those of `retained` are to be kept.

    Kept are the properties of variants that are in both; `excluded` names the VariantPropertyTypes
    that are not (UpdateEndpoint's RetainAllVariantProperties and ExcludeRetainedVariantProperties).
    `policy` is the DeploymentConfig it is to follow.
    """
    variants, shadows = (
        [_variant(declared, models.get(declared["ModelName"])) for declared in config.request.get(member, [])]
        for member in ("ProductionVariants", "ShadowProductionVariants")
    )
    if retained:
        _retain(variants, retained.variants, excluded)
        _retain(shadows, retained.shadows, excluded)
    capture = config.request.get("DataCaptureConfig")
    if retained and "DataCaptureConfig" not in excluded:
        capture = retained.data_capture
    return Deployment(
        config_name=config.name,
        variants=variants,
        shadows=shadows,
        data_capture=capture,
        async_inference=config.request.get("AsyncInferenceConfig"),
        started=now,
        policy=policy,
    )


def _retain(variants: list[Variant], running: list[Variant], excluded: Collection[str]) -> None:
    """Give variants the counts and weights of those of the same name and kind that run."""
    by_name = {variant.name: variant for variant in running}
    for variant in variants:
        before = by_name.get(variant.name)
        if before is None:
            continue
        with_instances = variant.serverless is None and before.serverless is None
        if "DesiredInstanceCount" not in excluded and with_instances:
            variant.count = before.count
        if "DesiredWeight" not in excluded:
            variant.weight = before.weight


def _variant(declared: dict[str, Any], model: Resource) -> Variant:
    return Variant(
        name=declared["VariantName"],
        model_name=model.name,
        containers=containers_of(model),
        mode=model.request.get("InferenceExecutionConfig", {}).get("Mode", "Serial"),
        instance_type=declared.get("InstanceType"),
        serverless=declared.get("ServerlessConfig"),
        routing=declared.get("RoutingConfig", {}).get("RoutingStrategy"),
        startup_timeout=declared.get("ContainerStartupHealthCheckTimeoutInSeconds", DEFAULT_STARTUP_SECONDS),
        weight=declared.get("InitialVariantWeight", 1.0),
        count=declared.get("InitialInstanceCount", 1),
    )


def containers_of(model: Resource) -> list[Container]:
    """The containers of a model in their order, each under a hostname of its own."""
    declared = model.request.get("Containers")
    if not declared:
        return [_container(PRIMARY, model.request["PrimaryContainer"])]
    if len(declared) == 1:
        return [_container(declared[0].get("ContainerHostname", PRIMARY), declared[0])]
    # Unnamed ones are named by their position (ContainerDefinition's reference), as in the logs.
    return [
        _container(container.get("ContainerHostname", f"container-{position}"), container)
        for position, container in enumerate(declared, start=1)
    ]


def _container(hostname: str, declared: dict[str, Any]) -> Container:
    caching = declared.get("MultiModelConfig", {}).get("ModelCacheSetting", "Enabled")
    return Container(
        hostname=hostname,
        image=declared["Image"],
        model_data_url=model_data_uri(declared),
        environment=declared.get("Environment", {}),
        mode=declared.get("Mode", "SingleModel"),
        cache_models=caching == "Enabled",
    )


def plan_resize(live: Deployment, desired: list[dict[str, Any]], now: float) -> Deployment:
    """`live` with the weights and counts of UpdateEndpointWeightsAndCapacities; what is not named stays."""
    changes: dict[str, dict[str, Any]] = {}
    for change in desired:
        name = change["VariantName"]
        if name in changes:
            raise errors.invalid(f'The variant name "{name}" was non-unique within the request.')
        changes[name] = change
    unknown = changes.keys() - {variant.name for variant in (*live.variants, *live.shadows)}
    if unknown:
        raise errors.invalid(
            f'The variant name(s) "{", ".join(sorted(unknown))}" is/are not present within endpoint '
            f'configuration "{live.config_name}".'
        )
    # Only requests that wait in a queue, and variants with inference components, do without instances
    # (hosting guide, Autoscale an asynchronous endpoint).
    least = 0 if live.async_inference else 1
    return live.model_copy(
        update={
            "variants": [
                _resized(variant, changes.get(variant.name, {}), least) for variant in live.variants
            ],
            "shadows": [_resized(variant, changes.get(variant.name, {}), 1) for variant in live.shadows],
            "started": now,
            "in_place": True,
        }
    )


def _resized(variant: Variant, change: dict[str, Any], least: int) -> Variant:
    update: dict[str, Any] = {
        "weight": change.get("DesiredWeight", variant.weight),
        "count": change.get("DesiredInstanceCount", variant.count),
    }
    scaling = change.get("ServerlessUpdateConfig", {})
    if variant.serverless is not None:
        if "DesiredInstanceCount" in change:
            raise errors.invalid(
                f"Production variant {variant.name} is serverless: it has no instance count."
            )
        update["serverless"] = {**variant.serverless, **scaling}
        check_concurrency(variant.name, update["serverless"])
    elif scaling:
        raise errors.invalid(
            f"Production variant {variant.name} is not serverless: ServerlessUpdateConfig does not apply."
        )
    elif update["count"] < least:
        raise errors.invalid(f"DesiredInstanceCount of production variant {variant.name} must be at least 1.")
    return variant.model_copy(update=update)

"""A typed view of what Describe* answered: all that planning, settling and rolling back look at."""

import math
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from endpoint_deploy.core import tags
from endpoint_deploy.core.scaling import Scaling
from endpoint_deploy.core.strict import Strict

_WEIGHT_TOLERANCE = 1e-5  # VariantWeight is a 32-bit float: 0.3 comes back as 0.30000001

# What a configuration may say that ours never do: it would be lost where ours takes the place of another.
_FEATURES = (
    "AsyncInferenceConfig",
    "CrossRegionTrafficConfig",
    "EnableNetworkIsolation",
    "ExplainerConfig",
    "ShadowProductionVariants",
    "VpcConfig",
)

IN_PROGRESS = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


class ObservedVariant(Strict):
    """Counts are None for a serverless variant."""

    name: str
    desired_count: int | None
    current_count: int | None
    desired_weight: float
    current_weight: float


class ObservedEndpoint(Strict):
    """DescribeEndpoint; `pending_config` is where a change in progress leads."""

    name: str
    status: str
    config: str
    pending_config: str | None
    variants: tuple[ObservedVariant, ...]
    failure_reason: str | None = None

    @property
    def in_progress(self) -> bool:
        """Whether the service is still changing it."""
        return self.status in IN_PROGRESS

    @property
    def weights(self) -> dict[str, float]:
        """Desired weight by variant."""
        return {variant.name: variant.desired_weight for variant in self.variants}


class ObservedConfig(Strict):
    """DescribeEndpointConfig with its tags; `variants` are the bodies that would make it again.

    `features` names what it has beside that and this pipeline does not know how to say.
    """

    name: str
    variants: tuple[dict[str, Any], ...]
    data_capture: dict[str, Any] | None
    tags: dict[str, str]
    features: tuple[str, ...] = ()
    kms_key_id: str | None = None

    @property
    def joint_final(self) -> str | None:
        """For a joint configuration of ours: the configuration that its release leads to."""
        return self.tags.get(tags.FINAL_CONFIG) if self.tags.get(tags.STAGE) == "joint" else None

    @property
    def joint_champion(self) -> str | None:
        """For a joint configuration of ours: the configuration that its release came from."""
        return self.tags.get(tags.CHAMPION_CONFIG) if self.tags.get(tags.STAGE) == "joint" else None

    @property
    def serverless(self) -> bool:
        """Whether any variant is serverless."""
        return any("ServerlessConfig" in variant for variant in self.variants)


class Observed(Strict):
    """Everything planning looks at. `existing` are the planned names that are there already.

    `champion` is the live configuration, or where that is a joint one, the one its release came from.
    `last_good` is the last released configuration in the ledger that still exists. `scaling` is that of the
    live variants that are scalable targets.
    """

    endpoint: ObservedEndpoint | None = None
    config: ObservedConfig | None = None
    champion: ObservedConfig | None = None
    last_good: ObservedConfig | None = None
    existing: frozenset[str] = frozenset()
    scaling: dict[str, Scaling] = Field(default={})


def endpoint_view(answer: Mapping[str, Any]) -> ObservedEndpoint:
    """From DescribeEndpoint's answer."""
    pending = answer.get("PendingDeploymentSummary") or {}
    return ObservedEndpoint(
        name=answer["EndpointName"],
        status=answer["EndpointStatus"],
        config=answer["EndpointConfigName"],
        pending_config=pending.get("EndpointConfigName"),
        variants=tuple(
            ObservedVariant(
                name=v["VariantName"],
                desired_count=v.get("DesiredInstanceCount"),
                current_count=v.get("CurrentInstanceCount"),
                desired_weight=v.get("DesiredWeight", 0.0),
                current_weight=v.get("CurrentWeight", 0.0),
            )
            for v in answer.get("ProductionVariants", [])
        ),
        failure_reason=answer.get("FailureReason") or None,
    )


def config_view(answer: Mapping[str, Any], its_tags: Mapping[str, str]) -> ObservedConfig:
    """From DescribeEndpointConfig's answer and ListTags'."""
    return ObservedConfig(
        name=answer["EndpointConfigName"],
        variants=tuple(answer["ProductionVariants"]),
        data_capture=answer.get("DataCaptureConfig"),
        tags=dict(its_tags),
        features=tuple(feature for feature in _FEATURES if answer.get(feature)),
        kms_key_id=answer.get("KmsKeyId"),
    )


def leads_to(seen: ObservedEndpoint, config: str) -> bool:
    """Whether the endpoint is on a configuration, or on its way there.

    During an update `EndpointConfigName` is still the old one; `PendingDeploymentSummary` names the new.
    """
    return config in {seen.config, seen.pending_config}


def same_weight(found: float, wanted: float) -> bool:
    """Whether two weights are the same to the service's precision."""
    return math.isclose(found, wanted, rel_tol=_WEIGHT_TOLERANCE, abs_tol=1e-9)


def same_weights(found: Mapping[str, float], wanted: Mapping[str, float]) -> bool:
    """Whether the same variants have the same weights."""
    return found.keys() == wanted.keys() and all(same_weight(found[name], wanted[name]) for name in wanted)

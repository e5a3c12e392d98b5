"""Where a failed release leads back to, fixed at plan time, while the old release still serves."""

from collections.abc import Iterable
from typing import Any

from endpoint_deploy.core.observed import Observed, ObservedConfig, ObservedEndpoint
from endpoint_deploy.core.plan import RollBackTo, VariantTarget


def way_back(observed: Observed, wanted: str) -> RollBackTo | None:
    """Give the configuration, counts and weights to return to when the change to `wanted` fails.

    None: there is nothing to return to. A broken endpoint never leads back to the configuration that the
    release itself tries, since it would fail there once more.
    """
    endpoint = observed.endpoint
    if endpoint is None:
        return None
    if endpoint.status in {"Failed", "OutOfService"}:
        return _first_other(wanted, observed.last_good)
    if endpoint.status == "UpdateRollbackFailed":
        # Its live counts are those of a half-done update: worth nothing, unlike the declared ones.
        return _first_other(wanted, observed.last_good, observed.champion)
    if observed.config and observed.config.joint_final:
        return _before_joint(endpoint, observed.config, observed.champion)
    return observed_target(endpoint)


def observed_target(endpoint: ObservedEndpoint) -> RollBackTo:
    """What is live, with its counts and weights."""
    return RollBackTo(
        config=endpoint.config,
        variants=tuple(
            VariantTarget(name=v.name, count=v.desired_count, weight=v.desired_weight)
            for v in endpoint.variants
        ),
    )


def declared_targets(variants: Iterable[dict[str, Any]]) -> tuple[VariantTarget, ...]:
    """The counts and weights that a configuration declares."""
    return tuple(
        VariantTarget(
            name=v["VariantName"],
            count=v.get("InitialInstanceCount"),
            weight=v.get("InitialVariantWeight", 1.0),
        )
        for v in variants
    )


def _first_other(wanted: str, *configs: ObservedConfig | None) -> RollBackTo | None:
    for config in configs:
        if config and config.name != wanted:
            return RollBackTo(config=config.name, variants=declared_targets(config.variants))
    return None


def _before_joint(
    endpoint: ObservedEndpoint, joint: ObservedConfig, champion: ObservedConfig | None
) -> RollBackTo:
    """The champion of a release that hung, as it stood before that release.

    The joint configuration declares the weights that the champion had; the live counts are its own, since
    nothing but autoscaling has moved them. Without the champion's configuration the joint one serves.
    """
    declared = {target.name: target for target in declared_targets(joint.variants)}
    live = {variant.name: variant.desired_count for variant in endpoint.variants}
    home = champion or joint
    return RollBackTo(
        config=home.name,
        variants=tuple(
            VariantTarget(
                name=own.name,
                count=live.get(own.name) or own.count,
                weight=declared.get(own.name, own).weight,
            )
            for own in declared_targets(home.variants)
        ),
    )

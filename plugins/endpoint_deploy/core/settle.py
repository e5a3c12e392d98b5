"""Is a change done, and did it end where it was meant to?

`InService` alone proves nothing: an update that fails ends `InService` on the *old* configuration, with
`FailureReason` set or empty (hashicorp/terraform-provider-aws 39099, 46663, 48997).
"""

from typing import Literal

from endpoint_deploy.core.observed import ObservedEndpoint, ObservedVariant, same_weight
from endpoint_deploy.core.plan import VariantTarget
from endpoint_deploy.core.strict import Strict

Phase = Literal["in_progress", "settled", "elsewhere", "failed"]


class Settlement(Strict):
    """A phase, and why, with what was found and what was expected."""

    phase: Phase
    reason: str


def settle(
    endpoint: ObservedEndpoint | None, *, config: str, variants: tuple[VariantTarget, ...]
) -> Settlement:
    """Judge a description against the configuration, counts and weights that were asked for."""
    if endpoint is None:
        return Settlement(phase="failed", reason="the endpoint is gone")
    if endpoint.in_progress:
        return Settlement(phase="in_progress", reason=f"{endpoint.status}, towards {config}")
    why = endpoint.failure_reason or "the service gave no reason"
    if endpoint.status != "InService":
        return Settlement(phase="failed", reason=f"the endpoint is {endpoint.status}: {why}")
    if endpoint.config != config:
        return Settlement(
            phase="elsewhere",
            reason=f"SageMaker rolled the update back: the endpoint is InService on {endpoint.config}, "
            f"expected {config}: {why}",
        )
    if short := shortfalls(endpoint, variants):
        # The service reports InService a moment before the last instances and weights are in place.
        return Settlement(phase="in_progress", reason="; ".join(short))
    return Settlement(phase="settled", reason=f"InService on {config}, every variant as planned")


def shortfalls(endpoint: ObservedEndpoint, variants: tuple[VariantTarget, ...]) -> list[str]:
    """What each variant lacks of its planned count and weight; empty where nothing does."""
    live = {variant.name: variant for variant in endpoint.variants}
    planned = {variant.name for variant in variants}
    missing = [f"variant {name} is live, and not planned" for name in live if name not in planned]
    for want in variants:
        found = live.get(want.name)
        if found is None:
            missing.append(f"variant {want.name} is missing")
            continue
        needed = _instances_needed(found, want)
        if (found.current_count or 0) < needed:
            missing.append(f"variant {want.name} has {found.current_count} of {needed} instances")
        if not (
            same_weight(found.current_weight, want.weight) and same_weight(found.desired_weight, want.weight)
        ):
            missing.append(
                f"variant {want.name} has weight {found.current_weight:g} "
                f"(desired {found.desired_weight:g}), expected {want.weight:g}"
            )
    return missing


def _instances_needed(found: ObservedVariant, want: VariantTarget) -> int:
    if want.count is None:
        return 0
    # Autoscaling may take instances away between plan and now, hours where a person approves in between:
    # what it no longer desires will never come, and waiting for it would fail a healthy release.
    return want.count if found.desired_count is None else min(want.count, found.desired_count)

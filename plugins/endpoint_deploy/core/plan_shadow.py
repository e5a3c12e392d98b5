"""The plan of a shadow: the candidate is sent copies of the requests, is observed, and takes over."""

from endpoint_deploy.core.counts import kept_counts
from endpoint_deploy.core.draft import Draft
from endpoint_deploy.core.guardrails import planned_alarms
from endpoint_deploy.core.observed import ObservedEndpoint
from endpoint_deploy.core.plan import EndpointChange, Observation, Plan
from endpoint_deploy.core.plan_direct import plan_direct
from endpoint_deploy.core.shadowing import cannot_shadow, shadow_config_body


def plan_shadow(draft: Draft, endpoint: ObservedEndpoint) -> Plan:
    """Shadow the champion by the candidate; one update, with a warning, where that cannot be."""
    release, champion, back = draft.spec.release, draft.seen.champion, draft.back
    obstacle = cannot_shadow(draft.want, champion, back)
    if draft.seen.scaling:
        obstacle = "the live variant is scaled, and targets are carried between production variants only"
    if obstacle or champion is None or back is None or release.strategy != "shadow":
        plan = plan_direct(draft, endpoint, f"no shadow: {obstacle}")
        warning = f"this release cannot be a shadow first: {obstacle}"
        return plan.model_copy(update={"warnings": (*plan.warnings, warning)})
    kept = kept_counts(draft.want, back, champion)
    joint = draft.between(shadow_config_body(draft.spec, draft.want, champion, back, kept.counts), back)
    (shadow,), (production,) = draft.want.variants, back.variants
    update = EndpointChange(operation="update", config=joint.name, variants=back.variants)
    lost = tuple(f"taking over resets the count of {name} to the spec's" for name in kept.counts)
    plan = draft.plan(
        "shadow",
        f"add {shadow.name} beside {production.name} on {endpoint.name} as its shadow, observe it for "
        f"{release.observe_seconds} seconds, let it take over",
        joint=joint,
        alarms=planned_alarms(draft.spec, draft.want, joint.name),
        # A release that hung, asked for again, finds its shadow standing.
        change=None if endpoint.config == joint.name else update,
        retire=draft.to_final("update"),
        warnings=lost,
    )
    observe = Observation(
        shadow=shadow.name,
        champion=production.name,
        seconds=release.observe_seconds,
        least_requests=release.least_requests,
    )
    return plan.model_copy(update={"observe": observe})

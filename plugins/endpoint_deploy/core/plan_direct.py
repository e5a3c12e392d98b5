"""The plan of one update, under SageMaker's own guardrails where the spec asks for them."""

from endpoint_deploy.core import requests
from endpoint_deploy.core.counts import kept_counts, retained_counts
from endpoint_deploy.core.draft import Draft
from endpoint_deploy.core.guardrails import guard_update
from endpoint_deploy.core.observed import ObservedEndpoint
from endpoint_deploy.core.plan import Plan


def plan_direct(draft: Draft, endpoint: ObservedEndpoint, why: str) -> Plan:
    """One update that keeps the live counts where it may; why: what the summary gives as the reason."""
    champion = draft.seen.champion
    if champion is None or draft.back is None:
        return plan_update(draft, endpoint, why)
    kept = retained_counts(
        draft.want, endpoint, kept_counts(draft.want, draft.back, champion), draft.seen.config or champion
    )
    return plan_update(draft, endpoint, why, counts=kept.counts, notes=kept.notes)


def plan_update(
    draft: Draft,
    endpoint: ObservedEndpoint,
    why: str,
    *,
    counts: dict[str, int] | None = None,
    notes: tuple[str, ...] = (),
) -> Plan:
    """One update to the spec's counts, or to those given."""
    change = draft.to_final("update", counts=counts, retain=_all_but_counts(draft) if counts else None)
    guarded = guard_update(draft.spec, draft.want, draft.seen, change.variants)
    return draft.plan(
        "direct",
        f"update endpoint {endpoint.name} to {draft.want.config} ({why})",
        change=change.model_copy(update={"deployment": guarded.deployment}),
        alarms=guarded.alarms,
        warnings=notes,
    )


def _all_but_counts(draft: Draft) -> tuple[str, ...]:
    """What an update that retains the counts must not retain: the spec's weights and capture win."""
    live = draft.seen.config.data_capture if draft.seen.config else None
    wanted = requests.final_config_body(draft.spec, draft.want).get("DataCaptureConfig")
    # The guide calls this exclusion "not currently supported", so it is sent only where it matters.
    return ("DesiredWeight",) if live == wanted else ("DesiredWeight", "DataCaptureConfig")

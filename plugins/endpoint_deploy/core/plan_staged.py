"""The plan of a staged release: the candidate joins the champion, is given its traffic, and stays alone."""

from collections.abc import Iterable

from endpoint_deploy.core.counts import kept_counts
from endpoint_deploy.core.draft import Draft, target
from endpoint_deploy.core.observed import ObservedEndpoint
from endpoint_deploy.core.plan import EndpointChange, Plan, Shift
from endpoint_deploy.core.plan_direct import plan_direct
from endpoint_deploy.core.release_spec import SIDE_BY_SIDE
from endpoint_deploy.core.requests import joint_config_body
from endpoint_deploy.core.staging import cannot_stage, champion_bodies, in_steps


def plan_staged(draft: Draft, endpoint: ObservedEndpoint) -> Plan:
    """Stage the candidate beside the champion; one update, with a warning, where that cannot be."""
    champion, back = draft.seen.champion, draft.back
    obstacle = cannot_stage(draft.want, champion, back)
    if obstacle or champion is None or back is None:
        plan = plan_direct(draft, endpoint, f"not staged: {obstacle}")
        warning = f"this release cannot be staged: {obstacle}"
        return plan.model_copy(update={"warnings": (*plan.warnings, warning)})
    kept = kept_counts(draft.want, back, champion)
    body = joint_config_body(draft.spec, draft.want, champion_bodies(champion, back), kept.counts)
    joint = draft.between(body, back)
    candidates = tuple(target(v, kept.counts, weight=0.0) for v in draft.want.variants)
    return draft.plan(
        "stage",
        f"add {_names(v.name for v in candidates)} beside {_names(v.name for v in back.variants)} on "
        f"{endpoint.name}, prove it, shift the traffic, retire the old",
        joint=joint,
        change=EndpointChange(operation="update", config=joint.name, variants=back.variants + candidates),
        shift=_shift(draft),
        retire=_retire(draft, kept.counts),
        warnings=kept.notes,
    )


def plan_resumed(draft: Draft, endpoint: ObservedEndpoint) -> Plan:
    """Go on with a staged release that hung: both sides stand already."""
    counts = {v.name: v.desired_count for v in endpoint.variants if v.desired_count}
    return draft.plan(
        "resume",
        f"candidate and champion already stand side by side on {endpoint.name}: prove, shift, retire",
        shift=_shift(draft, beside=endpoint.weights),
        retire=_retire(draft, counts),
    )


def _shift(draft: Draft, beside: Iterable[str] = ()) -> Shift:
    release = draft.spec.release
    return in_steps(
        {v.name: v.weight for v in draft.want.variants},
        {v.name: v.weight for v in draft.back.variants} if draft.back else {},
        beside=beside,
        steps=release.percents if isinstance(release, SIDE_BY_SIDE) else (),
    )


def _retire(draft: Draft, counts: dict[str, int]) -> EndpointChange:
    # Names stand in both configurations here, so the service retains the counts. The final configuration
    # declares the weights that were shifted to; data capture is the joint configuration's already.
    return draft.to_final("update", counts=counts, retain=("DesiredWeight",))


def _names(names: Iterable[str]) -> str:
    return " and ".join(names)

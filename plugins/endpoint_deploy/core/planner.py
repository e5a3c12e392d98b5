"""From what is wanted and what is live to a plan. Pure: the same input gives the same plan."""

from endpoint_deploy.core import tags
from endpoint_deploy.core.ab_plan import with_test
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.draft import Draft, live
from endpoint_deploy.core.observed import Observed, ObservedEndpoint, same_weights
from endpoint_deploy.core.plan import Plan, Shift
from endpoint_deploy.core.plan_direct import plan_direct, plan_update
from endpoint_deploy.core.plan_shadow import plan_shadow
from endpoint_deploy.core.plan_staged import plan_resumed, plan_staged
from endpoint_deploy.core.scaling_plan import with_scaling
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.way_back import observed_target
from endpoint_deploy.errors import NotAsPlanned, TryAgain


def make_plan(
    spec: DeploymentSpec, candidate: Candidate, observed: Observed, *, plan_only: bool = False
) -> Plan:
    """Decide how the endpoint gets from what is observed to the candidate.

    Raises TryAgain while the service is still changing the endpoint, and NotAsPlanned where nothing can be
    planned before a person has acted.
    """
    draft = Draft(spec, candidate, observed)
    plan = with_scaling(_from_state(draft), spec, draft.want, observed.scaling)
    plan = with_test(plan, spec)
    return plan.model_copy(update={"plan_only": plan_only})


def refuse_deleted_config(endpoint: ObservedEndpoint) -> NotAsPlanned:
    """What is wrong with an endpoint whose configuration is gone (terraform-provider-aws 40048)."""
    return NotAsPlanned(
        f"endpoint {endpoint.name} runs on configuration {endpoint.config}, which has been deleted; "
        "SageMaker refuses every update of such an endpoint. Create that configuration again, or "
        "run the teardown DAG and release anew"
    )


def _from_state(draft: Draft) -> Plan:
    endpoint = draft.seen.endpoint
    if endpoint is None:
        summary = f"create endpoint {draft.spec.endpoint_name} on {draft.want.config}"
        return draft.plan("create", summary, change=draft.to_final("create"))
    if endpoint.in_progress:
        raise TryAgain(
            f"endpoint {endpoint.name} is {endpoint.status}; expected it settled. "
            "Wait until the service is done, then clear from `plan`"
        )
    if endpoint.status in {"Failed", "OutOfService"}:
        return _recreate(draft, endpoint)
    if endpoint.status == "UpdateRollbackFailed":
        why = "the endpoint serves a mix of two configurations; one update makes it whole"
        return plan_update(draft, endpoint, why)
    return _in_service(draft, endpoint)


def _in_service(draft: Draft, endpoint: ObservedEndpoint) -> Plan:
    config = draft.seen.config
    if endpoint.config == draft.want.config:
        return _same_config(draft, endpoint)
    if config is None:
        raise refuse_deleted_config(endpoint)
    strategy = draft.spec.release.strategy
    if strategy == "direct":
        return plan_direct(draft, endpoint, "one update")
    # A release that hung, asked for again; or its champion, asked for in its place.
    both_stand = {v.name for v in draft.want.variants} <= endpoint.weights.keys()
    if both_stand and draft.want.config in {config.joint_final, config.joint_champion}:
        return plan_resumed(draft, endpoint)
    return plan_shadow(draft, endpoint) if strategy == "shadow" else plan_staged(draft, endpoint)


def _recreate(draft: Draft, endpoint: ObservedEndpoint) -> Plan:
    config = draft.seen.config
    if config is not None and not tags.ours(config.tags, draft.spec.endpoint_name):
        raise NotAsPlanned(
            f"endpoint {endpoint.name} is {endpoint.status} and can only be deleted, but its "
            f"configuration {endpoint.config} was not made by this pipeline, which deletes nothing of "
            "others. Delete the endpoint by hand, then clear from `plan`"
        )
    # Neither state can be updated into service: DeleteEndpoint is all that is of use.
    return draft.plan(
        "recreate",
        f"endpoint {endpoint.name} is {endpoint.status}: delete it and create it on {draft.want.config}",
        change=draft.to_final("recreate"),
    )


def _same_config(draft: Draft, endpoint: ObservedEndpoint) -> Plan:
    want = draft.want
    weights = {v.name: v.weight for v in want.variants}
    drifted = not same_weights(endpoint.weights, weights)
    if not drifted and draft.seen.config:
        return Plan(
            endpoint=endpoint.name,
            action="nothing",
            summary=f"nothing to do: {endpoint.name} already serves {want.config}",
            expects=live(endpoint),
            artifact_sha256=draft.candidate.sha256,
            live_after=observed_target(endpoint),
        )
    todo = [f"bring the weights of {endpoint.name} back to the spec's"] if drifted else []
    if draft.seen.config is None:
        todo.append(f"create {want.config} again, which was deleted behind the endpoint")
    return draft.plan("reweigh", "; ".join(todo), shift=Shift(weights=weights) if drifted else None)

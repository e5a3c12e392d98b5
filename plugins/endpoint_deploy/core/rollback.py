"""The next step on the way back. Asked again after each step, so a crash in between loses nothing."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from endpoint_deploy.core.observed import ObservedEndpoint, same_weights
from endpoint_deploy.core.plan import Plan, RollBackTo
from endpoint_deploy.core.strict import Strict

_TRIES = 2  # of one and the same step: capacity may be short for a moment, a broken model stays broken


class Wait(Strict):
    """The service is still changing the endpoint."""

    do: Literal["wait"] = "wait"
    reason: str


class Adjust(Strict):
    """UpdateEndpointWeightsAndCapacities, every variant warm; at most one count, as its guide asks."""

    do: Literal["adjust"] = "adjust"
    weights: dict[str, float]
    counts: dict[str, int] = Field(default={})


class Update(Strict):
    """UpdateEndpoint to the configuration of the old release; `retain` as in EndpointChange."""

    do: Literal["update"] = "update"
    config: str
    retain: tuple[str, ...] | None = None


class Create(Strict):
    """CreateEndpoint on the configuration of the old release."""

    do: Literal["create"] = "create"
    config: str


class Delete(Strict):
    """DeleteEndpoint: it cannot be updated, or was not there before."""

    do: Literal["delete"] = "delete"


class Done(Strict):
    """The endpoint is as it was before the release."""

    do: Literal["done"] = "done"
    reason: str


class Stuck(Strict):
    """Nothing the pipeline may do on its own."""

    do: Literal["stuck"] = "stuck"
    reason: str


Step = Annotated[Wait | Adjust | Update | Create | Delete | Done | Stuck, Field(discriminator="do")]


def next_step(plan: Plan, endpoint: ObservedEndpoint | None, taken: Sequence[Step] = ()) -> Step:
    """From what is live to what was live when the plan was made.

    taken: the steps taken so far, if known. One that did not help twice is not taken a third time, since
    a service that cannot start the old release either would be asked for ever.
    """
    step = _step(plan, endpoint, taken)
    # A broken endpoint is not deleted where creating it anew has failed already: its reason would be lost.
    again = Create(config=plan.roll_back_to.config) if step.do == "delete" and plan.roll_back_to else step
    if not isinstance(step, Wait | Done | Stuck) and list(taken).count(again) >= _TRIES:
        state = f"{endpoint.status} on {endpoint.config}" if endpoint else "gone"
        why = (endpoint and endpoint.failure_reason) or "the service gave no reason"
        return Stuck(
            reason=f"endpoint {plan.endpoint} is {state} after {_TRIES} times the step {again.do!r}: "
            f"{why}; look at the endpoint, then run the rollback DAG"
        )
    return step


def _step(plan: Plan, endpoint: ObservedEndpoint | None, taken: Sequence[Step]) -> Step:
    target = plan.roll_back_to
    if endpoint is None:
        return Create(config=target.config) if target else Done(reason=_none_left(plan))
    if endpoint.in_progress:
        return Wait(reason=f"endpoint {endpoint.name} is {endpoint.status}")
    if target is None:
        return _remove(plan, endpoint)
    if endpoint.config not in plan.own_configs | {plan.expects.config, target.config}:
        return _foreign(plan, endpoint)
    if endpoint.status in {"Failed", "OutOfService"}:
        return Delete()
    if endpoint.status == "UpdateRollbackFailed":
        return Update(config=target.config)
    if endpoint.config == target.config:
        return _restore_variants(endpoint, target, scaled=plan.scaling is not None)
    if _beside_others(plan, endpoint, target):
        # First the traffic, in seconds, while the champion is warm; then the candidate's instances.
        weights = {v.name: 0.0 for v in endpoint.variants} | {v.name: v.weight for v in target.variants}
        adjust = Adjust(weights=weights)
        if not same_weights(endpoint.weights, weights) and list(taken).count(adjust) < _TRIES:
            return adjust
    return Update(config=target.config, retain=_worth_retaining(endpoint, target))


def _beside_others(plan: Plan, endpoint: ObservedEndpoint, target: RollBackTo) -> bool:
    """Whether the old variants stand, with others, on a configuration that is not the release's last one.

    That one may have variants of the old names too, under `direct`, but with the candidate's model.
    """
    final = plan.config.name if plan.config else None
    return endpoint.config != final and {v.name for v in target.variants} < endpoint.weights.keys()


def _worth_retaining(endpoint: ObservedEndpoint, target: RollBackTo) -> tuple[str, ...] | None:
    """Retain what is enough already: else the update starts the old release with its declared counts."""
    live = {v.name: v for v in endpoint.variants}
    if not all(
        v.name in live and (live[v.name].desired_count or 0) >= (v.count or 0) for v in target.variants
    ):
        return None
    return ("DesiredWeight",)


def _remove(plan: Plan, endpoint: ObservedEndpoint) -> Step:
    """There is nothing to go back to: a first release that failed leaves nothing behind."""
    created = plan.change is not None and plan.change.operation in {"create", "recreate"}
    if endpoint.config == plan.expects.config:
        # What served must serve still; what did not cannot be worse than it was.
        if endpoint.status == "InService" or plan.expects.status != "InService":
            return Done(
                reason=f"endpoint {endpoint.name} is {endpoint.status} on {endpoint.config}, as before"
            )
    elif created and endpoint.config in plan.own_configs:
        return Delete()
    return _foreign(plan, endpoint)


def _none_left(plan: Plan) -> str:
    if plan.expects.status is None:
        return "there is no endpoint, as before"
    return f"the endpoint, {plan.expects.status} before, is deleted, and no release is known to go back to"


def _foreign(plan: Plan, endpoint: ObservedEndpoint) -> Stuck:
    target = plan.roll_back_to.config if plan.roll_back_to else "what was before"
    return Stuck(
        reason=f"endpoint {endpoint.name} is {endpoint.status} on {endpoint.config}, and there is no way "
        f"from there to {target} that this release planned; look at the endpoint, then run the rollback DAG"
    )


def _restore_variants(endpoint: ObservedEndpoint, target: RollBackTo, *, scaled: bool) -> Step:
    """Weights and counts exactly; where auto scaling may have made more since, at least as many."""
    weights = {v.name: v.weight for v in target.variants}
    if not same_weights(endpoint.weights, weights):
        return Adjust(weights=weights)
    live = {v.name: v.desired_count for v in endpoint.variants}
    for variant in target.variants:
        found, wanted = live.get(variant.name) or 0, variant.count
        # What an update retained may be the candidate's count, which the spec has raised.
        if wanted is not None and (found < wanted or (found > wanted and not scaled)):
            return Adjust(weights=weights, counts={variant.name: wanted})
    return Done(reason=f"endpoint {endpoint.name} serves {target.config} again, every variant as before")

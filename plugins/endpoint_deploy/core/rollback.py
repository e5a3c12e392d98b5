"""The next step on the way back. Asked again after each step, so a crash in between loses nothing."""

from typing import Annotated, Literal

from pydantic import Field

from endpoint_deploy.core.observed import ObservedEndpoint, same_weights
from endpoint_deploy.core.plan import Plan, RollBackTo
from endpoint_deploy.core.spec import Strict


class Wait(Strict):
    """The service is still changing the endpoint."""

    do: Literal["wait"] = "wait"
    reason: str


class Adjust(Strict):
    """UpdateEndpointWeightsAndCapacities: seconds, since every variant is warm. Counts by variant too."""

    do: Literal["adjust"] = "adjust"
    weights: dict[str, float]
    counts: dict[str, int] = Field(default={})


class Update(Strict):
    """UpdateEndpoint to the configuration of the old release."""

    do: Literal["update"] = "update"
    config: str


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


def next_step(plan: Plan, endpoint: ObservedEndpoint | None) -> Step:
    """From what is live to what was live when the plan was made."""
    target = plan.roll_back_to
    if endpoint is None:
        return Create(config=target.config) if target else Done(reason="there is no endpoint, as before")
    if endpoint.in_progress:
        return Wait(reason=f"endpoint {endpoint.name} is {endpoint.status}")
    if target is None:
        return _remove(plan, endpoint)
    if endpoint.status in {"Failed", "OutOfService"}:
        return Delete()
    if endpoint.status == "UpdateRollbackFailed":
        return Update(config=target.config)
    if endpoint.config == target.config:
        return _restore_variants(endpoint, target)
    if endpoint.config not in plan.own_configs | {plan.expects.config}:
        return _foreign(plan, endpoint)
    if plan.joint and endpoint.config == plan.joint.name:
        # First the traffic, in seconds, while the champion is warm; then the candidate's instances.
        weights = {v.name: 0.0 for v in endpoint.variants} | {v.name: v.weight for v in target.variants}
        if (
            not same_weights(endpoint.weights, weights)
            and {v.name for v in target.variants} <= endpoint.weights.keys()
        ):
            return Adjust(weights=weights)
    return Update(config=target.config)


def _remove(plan: Plan, endpoint: ObservedEndpoint) -> Step:
    """There is nothing to go back to: a first release that failed leaves nothing behind."""
    if endpoint.config == plan.expects.config:
        return Done(reason=f"endpoint {endpoint.name} is {endpoint.status} on {endpoint.config}, as before")
    if endpoint.config in plan.own_configs and plan.action in {"create", "recreate"}:
        return Delete()
    return _foreign(plan, endpoint)


def _foreign(plan: Plan, endpoint: ObservedEndpoint) -> Stuck:
    target = plan.roll_back_to.config if plan.roll_back_to else "no endpoint"
    return Stuck(
        reason=f"endpoint {endpoint.name} runs on {endpoint.config}, and there is no way back from there to "
        f"{target} that this release planned; look at the endpoint, then run the rollback DAG"
    )


def _restore_variants(endpoint: ObservedEndpoint, target: RollBackTo) -> Step:
    counts = {v.name: v.count for v in target.variants if v.count is not None}
    live = {v.name: v.desired_count for v in endpoint.variants if v.desired_count is not None}
    weights = {v.name: v.weight for v in target.variants}
    wrong = {name: count for name, count in counts.items() if live.get(name) != count}
    if wrong or not same_weights(endpoint.weights, weights):
        return Adjust(weights=weights, counts=wrong)
    return Done(reason=f"endpoint {endpoint.name} serves {target.config} again, every variant as before")

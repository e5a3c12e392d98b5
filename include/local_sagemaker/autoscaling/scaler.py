"""Changes the capacity of variants, and says in activities what came of it."""

import asyncio
import inspect
import logging
import uuid
from typing import Any

from local_sagemaker.api.errors import ServiceError
from local_sagemaker.autoscaling.decisions import clamped
from local_sagemaker.autoscaling.records import (
    Activity,
    ActivityStatus,
    Policy,
    Registry,
    Target,
    now,
    policy_key,
)
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.hosting.records import IN_PROGRESS, Deployment

_POLL_SECONDS = 0.05
logger = logging.getLogger(__name__)


class Scaler:
    """Carries out changes of capacity, one of a target at a time."""

    def __init__(self, registry: Registry, endpoints: Endpoints) -> None:
        self._registry = registry
        self._endpoints = endpoints
        self._changes: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """Stop watching changes; the endpoints go on with them."""
        changes = list(self._changes.values())
        for change in changes:
            change.cancel()
        await asyncio.gather(*changes, return_exceptions=True)

    def busy(self, target: Target) -> bool:
        """Whether a change of this target is under way."""
        return target.resource_id in self._changes

    def capacity(self, target: Target) -> int | None:
        """The variant's desired instances; None when there is no such variant, or no count of it."""
        endpoint = self._endpoints.find(target.endpoint)
        if endpoint is None or endpoint.record.name != target.endpoint:
            return None
        deployment = endpoint.record.live or endpoint.record.pending
        if deployment is None:
            return None
        for variant in deployment.variants:
            if variant.name == target.variant and variant.serverless is None:
                return variant.count
        return None

    def scales_to_zero(self, target: Target) -> bool:
        """Whether the variant may have no instances: asynchronous inference has a queue to wait in."""
        endpoint = self._endpoints.find(target.endpoint)
        deployment = endpoint and (endpoint.record.live or endpoint.record.pending)
        return isinstance(deployment, Deployment) and deployment.async_inference is not None

    def hold_bounds(self, target: Target, reason: str = "") -> None:
        """Bring the capacity within the target's bounds."""
        capacity = self.capacity(target)
        if capacity is None or clamped(target, capacity) == capacity:
            return
        side, bound = (
            ("minimum", target.minimum) if capacity < target.minimum else ("maximum", target.maximum)
        )
        self.begin(target, bound, f"{reason}{side} capacity was set to {bound}")

    def begin(self, target: Target, wanted: int, cause: str, policy: Policy | None = None) -> None:
        """Start to bring the variant to `wanted` instances, unless another change is under way.

        `policy` is what asked for it: its cooldown starts when the change is through.
        """
        if self.busy(target):
            return
        activity = Activity(
            identity=str(uuid.uuid4()),
            resource_id=target.resource_id,
            description=f"Setting desired instance count to {wanted}.",
            cause=cause,
            started=now(),
            status="Pending",
        )
        self._registry.note(activity)
        task = asyncio.create_task(self._perform(target, wanted, activity, policy), name=f"scale {wanted}")
        self._changes[target.resource_id] = task

    def note_not_scaled(self, target: Target, capacity: int, cause: str) -> None:
        """An alarm asked for more, or less, than the bounds allow: noted once, not every minute."""
        bound = "Max" if capacity >= target.maximum else "Min"
        reason = {"Code": f"AlreadyAt{bound}Capacity", f"{bound}Capacity": capacity}
        latest = [one for one in self._registry.activities() if one.resource_id == target.resource_id][:1]
        if latest and latest[0].not_scaled == reason:
            return
        moment = now()
        self._registry.note(
            Activity(
                identity=str(uuid.uuid4()),
                resource_id=target.resource_id,
                description="Attempting to scale due to alarm triggered",
                cause=cause,
                started=moment,
                ended=moment,
                status="Unfulfilled",
                not_scaled=reason,
            )
        )

    async def _perform(self, target: Target, wanted: int, activity: Activity, policy: Policy | None) -> None:
        before = self.capacity(target) or 0
        try:
            done = await self._carry_out(target, wanted, activity)
        except ServiceError as error:
            self._end(activity, "Failed", f"Failed to {_change(wanted)}. Reason: {error.message}")
            return
        except Exception as error:
            logger.exception("scaling %s to %d failed", target.resource_id, wanted)
            self._end(activity, "Failed", f"Failed to {_change(wanted)}. Reason: {error!r}")
            return
        finally:
            self._changes.pop(target.resource_id, None)
        if done:
            if policy is not None:
                self._cool_down(policy, before, wanted)
            # The bounds may have been changed meanwhile.
            latest = self._registry.targets.get(target.resource_id)
            if latest is not None:
                self.hold_bounds(latest)

    async def _carry_out(self, target: Target, wanted: int, activity: Activity) -> bool:
        """Have the endpoint changed and wait until it is through; returns whether it then is as wanted."""
        await self._request(target, wanted)
        accepted = f"Successfully {_change(wanted)}."
        activity.status = "InProgress"
        activity.message = f"{accepted} Waiting for change to be fulfilled by sagemaker."
        self._registry.note(activity)
        await self._settled(target)
        if self.capacity(target) != wanted:
            self._end(activity, "Unfulfilled", f"{accepted} Change was not fulfilled by sagemaker.")
            return False
        self._end(activity, "Successful", f"{accepted} Change successfully fulfilled by sagemaker.")
        return True

    async def _request(self, target: Target, wanted: int) -> None:
        request: dict[str, Any] = {
            "EndpointName": target.endpoint,
            "DesiredWeightsAndCapacities": [{"VariantName": target.variant, "DesiredInstanceCount": wanted}],
        }
        answer: Any = self._endpoints.update_weights_and_capacities(request)
        if inspect.isawaitable(answer):
            await answer

    async def _settled(self, target: Target) -> None:
        """Return when the endpoint's change is through, whatever came of it."""
        while True:
            endpoint = self._endpoints.find(target.endpoint)
            if endpoint is None or endpoint.record.status not in IN_PROGRESS:
                return
            await asyncio.sleep(_POLL_SECONDS)

    def _end(self, activity: Activity, status: ActivityStatus, message: str) -> None:
        activity.status, activity.message, activity.ended = status, message, now()
        self._registry.note(activity)

    def _cool_down(self, policy: Policy, before: int, wanted: int) -> None:
        kept = self._registry.policies.get(policy_key(policy.resource_id, policy.name))
        if kept is None:
            return
        if wanted > before:
            # A scale-out ends the cooldown of a scale-in (PutScalingPolicy's reference).
            kept.scaled_out, kept.base, kept.scaled_in = now(), before, 0.0
        else:
            kept.scaled_in = now()
        self._registry.policies.save(policy_key(kept.resource_id, kept.name), kept)


def _change(wanted: int) -> str:
    return f"set desired instance count to {wanted}"

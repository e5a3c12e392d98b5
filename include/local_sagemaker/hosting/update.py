"""UpdateEndpoint's work: a deployment carried out, and what becomes of the endpoint when it fails."""

import asyncio
from typing import TYPE_CHECKING

from local_sagemaker.hosting.bake import AlarmTripped, Bake
from local_sagemaker.hosting.fleet import Fleet, FleetError
from local_sagemaker.hosting.policy import Policy, policy_in_force
from local_sagemaker.hosting.progress import terminating
from local_sagemaker.hosting.records import Deployment
from local_sagemaker.hosting.rollout import Rolling, Rollout, at_least, rollout_for

if TYPE_CHECKING:
    from local_sagemaker.hosting.lifecycle import Lifecycle

# The maximum execution time runs through faster, the starting of processes does not.
MINIMUM_EXECUTION_SECONDS = 15.0


class Update:
    """One change of an endpoint to a new configuration."""

    def __init__(self, endpoint: "Lifecycle", target: Deployment) -> None:
        self._endpoint = endpoint
        self._target = target

    async def run(self) -> None:
        """Bring the new fleet into service as the policy says, or go back to what served before."""
        endpoint = self._endpoint
        old, mixed, before = endpoint.fleets, endpoint.incoming, endpoint.serving
        # A mix of two configurations, left by a rollback that failed, is replaced as a whole.
        whole = mixed is not None or endpoint.fleet is None
        policy = Policy() if whole else policy_in_force(self._target, endpoint.record.live)
        endpoint.incoming = Fleet(endpoint.record.name, self._target, endpoint.around.tools)
        rollout = self._rollout(policy, old[0], endpoint.incoming)
        try:
            reason = await self._forward(rollout)
        except asyncio.CancelledError:
            if mixed:
                await mixed.close(drain=False)  # the endpoint itself knows only the other two by now
            raise
        if reason is None:
            endpoint.stage("old", "Deleting", terminating(old))
            endpoint.settle_on(self._target)
            for fleet in old:
                endpoint.drain(fleet)
            return
        await self._roll_back(rollout, reason)
        if mixed and before:
            endpoint.incoming = mixed
            endpoint.route(before)

    async def _forward(self, rollout: Rollout) -> str | None:
        """Carry the deployment out; returns why it is to be rolled back, if it is."""
        limit = rollout.policy.limit
        clock = self._endpoint.clock
        real = None if limit is None else clock.limit(limit, MINIMUM_EXECUTION_SECONDS)
        try:
            async with asyncio.timeout(real):
                await rollout.forward()
        except (FleetError, AlarmTripped) as error:
            return str(error)
        except TimeoutError:
            return f"The deployment exceeded its maximum execution timeout of {limit} seconds."
        return None

    def _rollout(self, policy: Policy, old: Fleet, new: Fleet) -> Rollout:
        around, endpoint = self._endpoint.around, self._endpoint
        bake = Bake(endpoint.clock, around.alarm_states, policy.alarms)
        return rollout_for(policy)(old, new, policy, bake, endpoint, endpoint.provision)

    async def _roll_back(self, rollout: Rollout, reason: str) -> None:
        """The service's silent rollback: InService on the old configuration, with or without a reason."""
        endpoint = self._endpoint
        endpoint.save(status="RollingBack", failure_reason=endpoint.shown(reason))
        waiting = endpoint.clock.sleep(endpoint.around.provision_seconds)
        try:
            await at_least(rollout.back(), waiting)
        except FleetError as error:
            self._stay_mixed(rollout, f"{reason} The rollback failed: {error}")
            return
        endpoint.save(status=endpoint.settled, pending=None)
        endpoint.incoming = None
        endpoint.drain(rollout.new)

    def _stay_mixed(self, rollout: Rollout, reason: str) -> None:
        """Serve with what runs of both configurations (DescribeEndpoint's UpdateRollbackFailed)."""
        if isinstance(rollout, Rolling):
            rollout.mix()
        running = [
            variant.model_copy(update={"count": len(rollout.new.variants[variant.name].instances)})
            for variant in self._target.variants
        ]
        self._endpoint.save(
            status="UpdateRollbackFailed",
            failure_reason=reason,
            pending=None,
            beside=self._target.model_copy(update={"variants": running, "policy": None}),
        )

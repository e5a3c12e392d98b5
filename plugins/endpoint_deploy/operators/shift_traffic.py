"""Move the traffic from champion to candidate by their weights."""

from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException
from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.core.observed import same_weights
from endpoint_deploy.core.plan import VariantTarget
from endpoint_deploy.errors import NotAsPlanned, ReleaseFailed
from endpoint_deploy.task_base import ReleaseTask


class ShiftTrafficOperator(ReleaseTask):
    """UpdateEndpointWeightsAndCapacities, then wait until the weights are live. Returns them."""

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Shift; raises ReleaseFailed where an alarm rings afterwards."""
        plan = self.plan_of(context)
        if plan.shift is None:
            raise AirflowSkipException("no traffic to shift: the change itself moved it")
        self.hold_lock(context)
        wanted = plan.shift.weights
        seen = self.hook.find_endpoint(plan.endpoint)
        self.skip_where_final(plan, seen)
        if seen is None or seen.config != plan.staged_on or seen.weights.keys() != wanted.keys():
            found = f"{', '.join(seen.weights)} on {seen.config}" if seen else "no endpoint"
            raise NotAsPlanned(
                f"the plan is stale: expected {', '.join(wanted)} on {plan.staged_on}, found {found}; "
                "clear from plan"
            )
        if seen.in_progress:
            self.defer_until_settled()
        if not same_weights(seen.weights, wanted):
            self._set(plan.endpoint, wanted)
        targets = tuple(
            VariantTarget(name=v.name, count=v.desired_count, weight=wanted[v.name]) for v in seen.variants
        )
        end = self.await_settled(seen.config, targets)
        if end.phase != "settled":
            raise ReleaseFailed(f"the traffic did not shift: {end.reason}")
        if not self.is_restore(context):
            self._check_alarms()
        return {"weights": wanted}

    def _set(self, endpoint: str, wanted: dict[str, float]) -> None:
        try:
            self.hook.set_weights(endpoint, wanted)
        except ClientError as error:
            # A lost answer tried again meets its own change; autoscaling may have come in between, too.
            if not errors.is_in_progress(error):
                raise
            self.defer_until_settled()

    def _check_alarms(self) -> None:
        states = self.hook.alarm_states(self.spec.alarms)
        ringing = [name for name, state in states.items() if state == "ALARM"]
        if ringing:
            raise ReleaseFailed(f"{', '.join(ringing)} went to ALARM after the traffic shifted; expected OK")

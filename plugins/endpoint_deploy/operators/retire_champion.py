"""Leave the candidate alone on the endpoint, and prove what then serves."""

from typing import Any

from airflow.sdk import Context
from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.scaling_steps import clear_the_way
from endpoint_deploy.core.observed import leads_to
from endpoint_deploy.core.plan import EndpointChange, Plan
from endpoint_deploy.core.slots import filled
from endpoint_deploy.errors import NotAsPlanned, ReleaseFailed, TryAgain
from endpoint_deploy.operators.run_states import check_nothing_failed
from endpoint_deploy.task_base import ReleaseTask
from endpoint_deploy.task_links import ON_THE_ENDPOINT


class RetireChampionOperator(ReleaseTask):
    """UpdateEndpoint to the final configuration, wait, and prove again: the update made new instances.

    Returns the Proof.
    """

    operator_extra_links = ON_THE_ENDPOINT

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Retire; raises ReleaseFailed where the update or the proof fails."""
        check_nothing_failed(context)
        plan = self.plan_of(context)
        retire = filled(plan.retire)
        self.hold_lock(context)
        if not resumed:
            self._update(plan, retire)
        end = self.await_settled(retire.config, retire.variants)
        if end.phase != "settled":
            raise ReleaseFailed(f"the champion could not be retired: {end.reason}")
        return self.prove(context, plan.proves)

    def _update(self, plan: Plan, retire: EndpointChange) -> None:
        seen = self.hook.find_endpoint(plan.endpoint)
        if seen is not None and leads_to(seen, retire.config):
            return
        if seen is None or seen.config != plan.staged_on:
            raise NotAsPlanned(
                f"the plan is stale: expected {plan.staged_on}, found "
                f"{seen.config if seen else 'no endpoint'}; clear from plan"
            )
        clear_the_way(self.hook, plan, retire.config)
        try:
            self.hook.update_to(plan.endpoint, retire.config, retain=retire.retain)
        except ClientError as error:
            now = self.hook.find_endpoint(plan.endpoint)
            if not errors.is_in_progress(error):
                raise
            if now is None or not leads_to(now, retire.config):
                raise TryAgain(f"endpoint {plan.endpoint} is being changed; trying again") from error

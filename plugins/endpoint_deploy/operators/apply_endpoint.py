"""CreateEndpoint or UpdateEndpoint: the first call of a release that a client could notice."""

from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerEndpointOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException
from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.core import requests, tags
from endpoint_deploy.core.observed import ObservedEndpoint, leads_to
from endpoint_deploy.core.plan import EndpointChange, Plan
from endpoint_deploy.errors import NotAsPlanned, TryAgain
from endpoint_deploy.task_base import ReleaseTask


class ApplyEndpointOperator(ReleaseTask, SageMakerEndpointOperator):
    """The provider's endpoint operator with three differences: it changes only what the plan saw, a second
    try adopts the change that the first one made, and whether the change ended well is judged elsewhere.
    """

    template_fields = ReleaseTask.template_fields

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(config={}, wait_for_completion=False, deferrable=False, **kwargs)

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Apply the plan's change. Returns `{"change": "applied" | "adopted", "config": name}`."""
        plan = self.plan_of(context)
        change = plan.change
        if change is None:
            raise AirflowSkipException(f"the endpoint already has what it needs: {plan.summary}")
        self.hold_lock(context)
        seen = self.hook.find_endpoint(plan.endpoint)
        self.skip_where_final(plan, seen)
        if seen is None and plan.expects.config is not None and change.operation != "recreate":
            raise self._stale(plan, seen)
        if seen is not None and not self._as_planned(plan, seen):
            if leads_to(seen, change.config):
                self.log.info("endpoint %s is already on its way to %s", plan.endpoint, change.config)
                return {"change": "adopted", "config": change.config}
            if seen.in_progress and (seen.config == plan.expects.config or change.operation == "recreate"):
                self.defer_until_settled()  # scaling, patching, or our own deletion: wait, then look again
            raise self._stale(plan, seen)
        if seen is not None and change.operation == "recreate":
            self.check_ours()
            self.log.info("endpoint %s is %s: deleting it", plan.endpoint, seen.status)
            self.hook.delete_endpoint_if_there(plan.endpoint)
            if not self.settles_soon(lambda now: now is None):
                self.defer_until_settled()
        self._apply(context, plan, change, seen)
        return {"change": "applied", "config": change.config}

    def _apply(
        self, context: Context, plan: Plan, change: EndpointChange, seen: ObservedEndpoint | None
    ) -> None:
        try:
            if change.operation == "update":
                alarms = self._guards(context, change, seen)
                self.hook.update_to(plan.endpoint, change.config, retain=change.retain, alarms=alarms)
            else:
                its_tags = {**requests.base_tags(self.spec), tags.CREATED_BY: self.created_by(context)}
                self.hook.create_on(plan.endpoint, change.config, its_tags)
        except ClientError as error:
            # botocore tries again where an answer was lost, and the second try meets the first one's change.
            if not (errors.is_in_progress(error) or errors.is_taken(error)):
                raise
            now = self.hook.find_endpoint(plan.endpoint)
            if now is None or not leads_to(now, change.config):
                raise self._stale(plan, now) from error

    def _guards(
        self, context: Context, change: EndpointChange, seen: ObservedEndpoint | None
    ) -> tuple[str, ...]:
        """The alarms that SageMaker shall watch during the update; UpdateEndpoint refuses missing ones."""
        # Its guardrails need the same variant names on both sides (the hosting guide). On the way back an
        # alarm that rings because of what is live would make SageMaker keep just that.
        same = seen is not None and seen.weights.keys() == {v.name for v in change.variants}
        if not same or self.is_restore(context):
            return ()
        return tuple(name for name in self.spec.alarms if name in self.hook.alarm_states(self.spec.alarms))

    @staticmethod
    def _as_planned(plan: Plan, seen: ObservedEndpoint) -> bool:
        return (seen.status, seen.config) == (plan.expects.status, plan.expects.config)

    @staticmethod
    def _stale(plan: Plan, seen: ObservedEndpoint | None) -> Exception:
        expected = f"{plan.expects.config} ({plan.expects.status})" if plan.expects.config else "no endpoint"
        found = f"{seen.config} ({seen.status})" if seen else "no endpoint"
        if seen is not None and seen.in_progress and seen.config == plan.expects.config:
            return TryAgain(f"endpoint {plan.endpoint} is {seen.status} for another reason; trying again")
        return NotAsPlanned(f"the plan is stale: expected {expected}, found {found}; clear from plan")

"""CreateEndpoint or UpdateEndpoint: the first call of a release that a client could notice."""

from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerEndpointOperator
from airflow.sdk import Context
from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.scaling_steps import clear_the_way, hold
from endpoint_deploy.core import requests, tags
from endpoint_deploy.core.observed import leads_to
from endpoint_deploy.core.plan import EndpointChange, Plan
from endpoint_deploy.core.slots import filled
from endpoint_deploy.core.stale import is_as_planned, stale
from endpoint_deploy.errors import NotAsPlanned
from endpoint_deploy.operators.run_states import check_nothing_failed
from endpoint_deploy.task_base import ReleaseTask
from endpoint_deploy.task_links import ON_THE_ENDPOINT


class ApplyEndpointOperator(ReleaseTask, SageMakerEndpointOperator):
    """The provider's endpoint operator with three differences: it changes only what the plan saw, a second
    try adopts the change that the first one made, and whether the change ended well is judged elsewhere.
    """

    operator_extra_links = ON_THE_ENDPOINT

    template_fields = ReleaseTask.template_fields

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(config={}, wait_for_completion=False, deferrable=False, **kwargs)

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Apply the plan's change. Returns `{"change": "applied" | "adopted", "config": name}`."""
        check_nothing_failed(context)
        plan = self.approved_plan_of(context)
        change = filled(plan.change)
        self.hold_lock(context)
        seen = self.hook.find_endpoint(plan.endpoint)
        self.skip_where_final(plan, seen)
        if seen is None and plan.expects.config is not None and change.operation != "recreate":
            raise stale(plan, seen)
        if seen is not None and not is_as_planned(plan, seen):
            if leads_to(seen, change.config):
                self.log.info("endpoint %s is already on its way to %s", plan.endpoint, change.config)
                return {"change": "adopted", "config": change.config}
            if seen.in_progress and (seen.config == plan.expects.config or change.operation == "recreate"):
                self.defer_until_settled()  # scaling, patching, or our own deletion: wait, then look again
            raise stale(plan, seen)
        if seen is not None and change.operation == "recreate":
            self.check_ours()
            self.log.info("endpoint %s is %s: deleting it", plan.endpoint, seen.status)
            clear_the_way(self.hook, plan, None)
            self.hook.delete_endpoint_if_there(plan.endpoint)
            if not self.settles_soon(lambda now: now is None):
                self.defer_until_settled()
        if seen is not None and change.operation == "update":
            hold(self.hook, plan)
            clear_the_way(self.hook, plan, change.config)
        self._apply(context, plan, change)
        return {"change": "applied", "config": change.config}

    def _apply(self, context: Context, plan: Plan, change: EndpointChange) -> None:
        self._check_alarms(plan)
        try:
            if change.operation == "update":
                self.hook.update_to(
                    plan.endpoint, change.config, retain=change.retain, deployment=change.deployment
                )
            else:
                its_tags = {**requests.base_tags(self.spec), tags.CREATED_BY: self.created_by(context)}
                self.hook.create_on(plan.endpoint, change.config, its_tags)
        except ClientError as error:
            # botocore tries again where an answer was lost, and the second try meets the first one's change.
            if not (errors.is_in_progress(error) or errors.is_taken(error)):
                raise
            now = self.hook.find_endpoint(plan.endpoint)
            if now is None or not leads_to(now, change.config):
                raise stale(plan, now) from error

    def _check_alarms(self, plan: Plan) -> None:
        """UpdateEndpoint refuses alarms that are not there; ours go with their run, which may be cleared."""
        names = tuple(alarm.name for alarm in plan.alarms)
        gone = sorted(set(names) - self.hook.alarm_states(names).keys())
        if gone:
            raise NotAsPlanned(f"alarm {', '.join(gone)} is gone; clear from `create_alarms`")

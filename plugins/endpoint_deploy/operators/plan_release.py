"""Describe what is live, then plan. The last task that may look before something is changed."""

from typing import Any

from airflow.sdk import Context, timezone

from endpoint_deploy.analysis.planned_test import with_rate_read
from endpoint_deploy.aws.observe import observe
from endpoint_deploy.core import requests
from endpoint_deploy.core.candidate import ReleaseRequest
from endpoint_deploy.core.comparison import with_comparison
from endpoint_deploy.core.plan_cautions import with_alarms
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.render import render_plan
from endpoint_deploy.core.standstill import with_standstill
from endpoint_deploy.operators.idle import hand_on
from endpoint_deploy.operators.pinned import check_there
from endpoint_deploy.operators.standing_still import standstill_of
from endpoint_deploy.run_context import pull
from endpoint_deploy.task_base import ReleaseTask


class PlanReleaseOperator(ReleaseTask):
    """Take the endpoint's lock and plan the release. Returns the Plan; logs it as a diff."""

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Plan; waits, deferred, where the service is still changing the endpoint."""
        candidate = self.candidate_of(context)
        request = ReleaseRequest.model_validate(pull(context, "resolve_release"))
        if not request.plan_only:
            self.hold_lock(context)
        # Housekeeping deletes under the same lock: what is there now stays there until the run gives it back,
        # and while a person thinks, by the hold that `validate_artifact` has written.
        check_there(self, candidate, pinned_by="validate_artifact")
        context["ti"].xcom_push(key="planned_at", value=timezone.utcnow().isoformat())
        want = requests.desired(self.spec, candidate)
        observed = observe(self.hook, self.kit.ledger, self.spec.endpoint_name, want)
        if observed.endpoint is not None and observed.endpoint.in_progress:
            self.log.info("endpoint %s is %s: waiting", observed.endpoint.name, observed.endpoint.status)
            self.defer_until_settled()
        plan = make_plan(self.spec, candidate, observed, plan_only=request.plan_only)
        plan = with_comparison(plan, request, observed)
        plan = with_alarms(plan, self.spec, self.hook.alarm_states(self.spec.alarms))
        plan = with_rate_read(plan, self.spec, self.hook)
        stands_still = standstill_of(self)
        plan = with_standstill(plan, stands_still)
        self.log.info("\n%s", render_plan(plan))
        # What a person decides meanwhile may take days, and a freeze may come in that time.
        return hand_on(self, context, plan, holds=bool(self.spec.approval or stands_still))

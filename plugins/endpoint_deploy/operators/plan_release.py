"""Describe what is live, then plan. The last task that may look before something is changed."""

from typing import Any

from airflow.sdk import Context, timezone

from endpoint_deploy.aws.observe import observe
from endpoint_deploy.core import requests
from endpoint_deploy.core.candidate import ReleaseRequest
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.render import render_plan
from endpoint_deploy.errors import ReleaseFailed
from endpoint_deploy.task_base import ReleaseTask, pull


class PlanReleaseOperator(ReleaseTask):
    """Take the endpoint's lock and plan the release. Returns the Plan; logs it as a diff."""

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Plan; waits, deferred, where the service is still changing the endpoint."""
        candidate = self.candidate_of(context)
        request = ReleaseRequest.model_validate(pull(context, "resolve_release"))
        if not request.plan_only:
            self.hold_lock(context)
        context["ti"].xcom_push(key="planned_at", value=timezone.utcnow().isoformat())
        want = requests.desired(self.spec, candidate)
        observed = observe(self.hook, self.kit.ledger, self.spec.endpoint_name, want)
        if observed.endpoint is not None and observed.endpoint.in_progress:
            self.log.info("endpoint %s is %s: waiting", observed.endpoint.name, observed.endpoint.status)
            self.defer_until_settled()
        plan = make_plan(self.spec, candidate, observed, plan_only=request.plan_only)
        plan = self._with_alarms(plan)
        self.log.info("\n%s", render_plan(plan))
        return plan.model_dump(mode="json")

    def _with_alarms(self, plan: Plan) -> Plan:
        """An alarm that does not exist guards nothing; one that rings already would blame the candidate."""
        if not plan.executes or not self.spec.alarms:
            return plan
        states = self.hook.alarm_states(self.spec.alarms)
        ringing = [name for name, state in states.items() if state == "ALARM"]
        if ringing:
            raise ReleaseFailed(
                f"{', '.join(ringing)} is in ALARM before the release; expected OK. Nothing was changed: "
                "see to the alarm, then clear from `plan`"
            )
        missing = tuple(
            f"alarm {name} does not exist and guards nothing"
            for name in self.spec.alarms
            if name not in states
        )
        return plan.model_copy(update={"warnings": (*plan.warnings, *missing)})

"""PutMetricAlarm for every alarm that guards the update, before there is one."""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.aws.alarms import ensure_alarm
from endpoint_deploy.task_base import ReleaseTask
from endpoint_deploy.task_links import ON_THE_ENDPOINT


class CreateAlarmsOperator(ReleaseTask):
    """Make the plan's alarms; `record_release` removes them. Returns what became of each."""

    operator_extra_links = ON_THE_ENDPOINT

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Create; raises Conflict where an alarm of that name is somebody else's."""
        plan = self.approved_plan_of(context)
        self.hold_lock(context)
        created_by = self.created_by(context)
        done = {}
        for alarm in plan.alarms:
            made = ensure_alarm(self.hook, alarm, plan.endpoint, created_by)
            done[alarm.name] = "created" if made else "adopted"
            self.log.info("alarm %s: %s", alarm.name, done[alarm.name])
        return {"alarms": done}

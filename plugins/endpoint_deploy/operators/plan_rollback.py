"""Plan the way back to a release in the ledger."""

from typing import Any

from airflow.sdk import Context, timezone

from endpoint_deploy.aws.observe import observe
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.render import render_plan
from endpoint_deploy.core.restore import make_restore_plan
from endpoint_deploy.errors import NotAsPlanned
from endpoint_deploy.operators.idle import hand_on
from endpoint_deploy.task_base import ReleaseTask


class PlanRollbackOperator(ReleaseTask):
    """Take the lock, choose the release (the last good one that is not live, by default) and plan.

    Returns the Plan.
    """

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Plan; raises NotAsPlanned where there is no such release."""
        self.hold_lock(context)
        context["ti"].xcom_push(key="planned_at", value=timezone.utcnow().isoformat())
        observed = observe(self.hook, self.kit.ledger, self.spec.endpoint_name)
        if observed.endpoint is not None and observed.endpoint.in_progress:
            self.defer_until_settled()
        release = self._chosen(
            context["params"].get("release"), observed.endpoint.config if observed.endpoint else None
        )
        wanted = self.hook.find_config(release.config_after or "")
        plan = make_restore_plan(release, wanted, observed)
        context["ti"].xcom_push(key="restores", value=release.sequence)
        self.log.info("\n%s", render_plan(plan))
        return hand_on(self, context, plan, holds=False)

    def _chosen(self, number: int | None, live: str | None) -> Release:
        ledger = self.kit.ledger
        release = ledger.get(number) if number else ledger.last_good(other_than=live)
        if release is None:
            what = f"release {number}" if number else f"good release other than the live {live}"
            raise NotAsPlanned(f"the ledger of {self.spec.endpoint_name} has no {what}")
        if not release.restorable:
            raise NotAsPlanned(
                f"release {release.sequence} ended {release.outcome}; only a released one can be brought back"
            )
        return release

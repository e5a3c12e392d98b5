"""The last task: a run that did not come to what it was started for ends failed, even after a rollback."""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.assets import maybe, released_asset
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.errors import ReleaseFailed
from endpoint_deploy.run_context import pull
from endpoint_deploy.task_base import ReleaseTask
from endpoint_deploy.task_links import ON_THE_RECORD

RELEASED = frozenset({"released", "nothing_to_do", "planned"})


class OutcomeOperator(ReleaseTask):
    """Repeat what the recording task recorded, as the run's result, and fail where it is a failure.

    recorded_by: that task's id; its XCom has `outcome` and `reason`. good: what a run may end as that
    succeeded. publishes: whether a run that has released publishes the released asset. A rollback does not:
    what it leads back to was published when it was released.
    """

    operator_extra_links = ON_THE_RECORD

    def __init__(
        self,
        *,
        deployment: Deployment,
        recorded_by: str = "record_release",
        good: frozenset[str] = RELEASED,
        publishes: bool = False,
        **kwargs: Any,
    ) -> None:
        outlets = [maybe(released_asset(deployment.spec))] if publishes else []
        super().__init__(deployment=deployment, outlets=outlets, **kwargs)
        self.recorded_by = recorded_by
        self.good = good

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Return the result of the run; raises ReleaseFailed unless its outcome is a good one."""
        result: dict[str, Any] | None = pull(context, self.recorded_by)
        if result is None:
            raise ReleaseFailed(f"the run was not recorded; see the log of {self.recorded_by}, and clear it")
        if result["outcome"] not in self.good:
            # A failed task returns nothing: push the result so that whoever waits for the run can read it.
            context["ti"].xcom_push(key="return_value", value=result)
            raise ReleaseFailed(f"{result['outcome']}: {result['reason']}")
        if self.outlets and result["outcome"] == "released":
            asset = released_asset(self.spec)
            context["outlet_events"][maybe(asset)].add(asset, extra={"release": result["release"]})
        return result

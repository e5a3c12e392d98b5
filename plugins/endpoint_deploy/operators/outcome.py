"""The last task: a run whose release failed ends failed, even after a good rollback."""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.errors import ReleaseFailed
from endpoint_deploy.task_base import ReleaseTask, pull

_GOOD = frozenset({"released", "nothing_to_do", "planned"})


class OutcomeOperator(ReleaseTask):
    """Repeat what `record_release` recorded, as the run's result, and fail where it is a failure."""

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Return the result of the run; raises ReleaseFailed unless the endpoint is as was asked."""
        result: dict[str, Any] | None = pull(context, "record_release")
        if result is None:
            raise ReleaseFailed("the release was not recorded; see the log of record_release, and clear it")
        if result["outcome"] not in _GOOD:
            # A failed task returns nothing: push the result so that whoever waits for the run can read it.
            context["ti"].xcom_push(key="return_value", value=result)
            raise ReleaseFailed(f"{result['outcome']}: {result['reason']}")
        return result

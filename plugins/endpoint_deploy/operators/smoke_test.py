"""Prove the candidate with real predictions, before any client meets it where the release is staged."""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.task_base import ReleaseTask
from endpoint_deploy.task_links import ON_THE_ENDPOINT


class SmokeTestOperator(ReleaseTask):
    """Every payload to every variant of the candidate, by TargetVariant. Returns the Proof."""

    operator_extra_links = ON_THE_ENDPOINT

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Prove; raises ReleaseFailed with everything that is wrong."""
        return self.prove(context, self.plan_of(context).proves, docs_stage="smoke")

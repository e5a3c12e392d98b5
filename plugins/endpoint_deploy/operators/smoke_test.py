"""Prove the candidate with real predictions, before any client meets it where the release is staged."""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.task_base import ReleaseTask


class SmokeTestOperator(ReleaseTask):
    """Every payload to every variant of the candidate, by TargetVariant. Returns the Proof."""

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Prove; raises ReleaseFailed with everything that is wrong."""
        plan = self.plan_of(context)
        return self.prove(context, plan.proves, docs_stage="smoke")

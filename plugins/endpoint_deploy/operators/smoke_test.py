"""Prove the candidate with real predictions, before any client meets it where the release is staged."""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.proof import prove
from endpoint_deploy.task_base import ReleaseTask


class SmokeTestOperator(ReleaseTask):
    """Every payload to every variant of the candidate, by TargetVariant. Returns the Proof."""

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Prove; raises ReleaseFailed with everything that is wrong."""
        plan = self.plan_of(context)
        key = f"{plan.endpoint}/{self.created_by(context)}/smoke"
        proof = prove(self.hook, self.deployment, plan.proves, docs_key=key)
        self.log.info(
            "%d requests to %s answered as expected; Data Docs: %s",
            proof.requests,
            ", ".join(proof.variants),
            ", ".join(proof.data_docs) or "none",
        )
        return proof.model_dump(mode="json")

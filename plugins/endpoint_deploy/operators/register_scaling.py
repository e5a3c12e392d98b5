"""Register the autoscaling of what now stands, before any traffic comes to it."""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.aws.scaling_steps import protect
from endpoint_deploy.core.plan import VariantTarget
from endpoint_deploy.core.slots import filled
from endpoint_deploy.task_base import ReleaseTask
from endpoint_deploy.task_links import ON_THE_ENDPOINT


class RegisterScalingOperator(ReleaseTask):
    """Register the plan's scalable targets, with scale-in suspended; `record_release` gives it back.

    Where fewer instances stand than served before, waits until there are as many. Returns
    `{"registered": [variants]}`.
    """

    operator_extra_links = ON_THE_ENDPOINT

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Register; may be tried again at any point."""
        plan = self.approved_plan_of(context)
        self.hold_lock(context)
        self.skip_where_final(plan, self.hook.find_endpoint(plan.endpoint))
        # Where nothing else changes there is no way back to keep capacity for.
        registered = protect(self.hook, plan, held=plan.action != "rescale")
        self._await_capacity(plan.endpoint, {**filled(plan.scaling).floors})
        return {"registered": registered}

    def _await_capacity(self, endpoint: str, floors: dict[str, int]) -> None:
        """The service starts what a raised minimum asks for a moment later."""
        if not floors or not self.settles_soon(
            lambda seen: (
                seen is None or all((v.desired_count or 0) >= floors.get(v.name, 0) for v in seen.variants)
            )
        ):
            return
        seen = self.hook.find_endpoint(endpoint)
        if seen is not None:
            wanted = tuple(
                VariantTarget(name=v.name, count=v.desired_count, weight=v.desired_weight)
                for v in seen.variants
            )
            self.await_settled(seen.config, wanted)

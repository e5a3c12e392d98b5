"""CreateEndpointConfig for every configuration of the plan, or adopting what is there."""

from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerEndpointConfigOperator
from airflow.sdk import Context

from endpoint_deploy.core import tags
from endpoint_deploy.task_base import ReleaseTask


class CreateEndpointConfigOperator(ReleaseTask, SageMakerEndpointConfigOperator):
    """The provider's configuration operator, made idempotent: identical is adopted, different is refused."""

    template_fields = ReleaseTask.template_fields

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(config={}, **kwargs)

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Create the final and, where staged, the joint configuration. Returns what became of each."""
        plan = self.plan_of(context)
        wanted = [config for config in (plan.config, plan.joint) if config and config.body]
        self.hold_lock(context)
        done = {}
        for config in wanted:
            its_tags = {**config.tags, tags.CREATED_BY: self.created_by(context)}
            done[config.name] = "created" if self.hook.ensure_config(config.body, its_tags) else "adopted"
            self.log.info("endpoint configuration %s: %s", config.name, done[config.name])
        return {"configs": done}

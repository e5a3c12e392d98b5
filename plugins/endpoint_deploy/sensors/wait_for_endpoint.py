"""Wait, deferred, until a change has ended, and judge where it ended."""

from typing import Any

from airflow.providers.amazon.aws.sensors.sagemaker import SageMakerEndpointSensor
from airflow.sdk import Context

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.slots import filled
from endpoint_deploy.errors import ReleaseFailed
from endpoint_deploy.task_base import ReleaseTask
from endpoint_deploy.task_links import ON_THE_ENDPOINT


class WaitForEndpointSensor(ReleaseTask, SageMakerEndpointSensor):
    """The provider's endpoint sensor, deferrable, and not content with `InService`.

    The provider's takes a silent rollback, OutOfService and UpdateRollbackFailed for success. Here success
    is InService, on the planned configuration, every variant at its planned count and weight.
    """

    operator_extra_links = ON_THE_ENDPOINT

    template_fields = ReleaseTask.template_fields

    def __init__(self, *, deployment: Deployment, **kwargs: Any) -> None:
        super().__init__(deployment=deployment, endpoint_name=deployment.spec.endpoint_name, **kwargs)

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Wait for the plan's change. Returns the settled description."""
        plan = self.plan_of(context)
        change = filled(plan.change)
        self.skip_where_final(plan, self.hook.find_endpoint(plan.endpoint))
        end = self.await_settled(change.config, change.variants)
        self.log.info("%s: %s", end.phase, end.reason)
        if end.phase != "settled":
            raise ReleaseFailed(end.reason)
        seen = self.hook.find_endpoint(plan.endpoint)
        return seen.model_dump(mode="json") if seen else {}

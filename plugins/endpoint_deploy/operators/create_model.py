"""CreateModel, or adopting what an earlier try has made."""

from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerModelOperator
from airflow.sdk import Context

from endpoint_deploy.core import requests, tags
from endpoint_deploy.errors import NotAsPlanned
from endpoint_deploy.task_base import ReleaseTask


class CreateModelOperator(ReleaseTask, SageMakerModelOperator):
    """The provider's model operator, made idempotent and silent about the environment.

    The provider fails on a second try and writes the container's environment to log and XCom; here the
    request is derived from the spec when the task runs, and only names leave the task.
    """

    template_fields = ReleaseTask.template_fields

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(config={}, **kwargs)

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Create each planned model. Returns `{"models": {name: "created" | "adopted"}}`."""
        plan = self.approved_plan_of(context)
        self.hold_lock(context)
        candidate = self.candidate_of(context)
        bodies = requests.model_bodies(self.spec, candidate)
        planned = {model.name for model in plan.models}
        if planned != bodies.keys():
            raise NotAsPlanned(
                f"the spec has changed since the plan was made: planned {', '.join(sorted(planned))}, now "
                f"{', '.join(sorted(bodies))}; clear from `plan`"
            )
        its_tags = {
            **requests.base_tags(self.spec),
            tags.ARTIFACT: candidate.sha256,
            tags.CREATED_BY: self.created_by(context),
        }
        done = {}
        for name, body in bodies.items():
            done[name] = "created" if self.hook.ensure_model(body, its_tags) else "adopted"
            self.log.info("model %s: %s", name, done[name])
        return {"models": done}

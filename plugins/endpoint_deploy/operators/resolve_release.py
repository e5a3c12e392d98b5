"""The first task of a deploy run: what is it asked to release?"""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.aws.images import resolve_image
from endpoint_deploy.core.candidate import ReleaseRequest
from endpoint_deploy.task_base import ReleaseTask


class ResolveReleaseOperator(ReleaseTask):
    """Take artifact and image from the run's form, else from the spec. Returns a ReleaseRequest."""

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Resolve; raises where the framework's image is unknown."""
        params = context["params"]
        spec = self.spec
        chosen = params.get("artifact") or spec.model.artifact
        request = ReleaseRequest(
            artifact=chosen,
            image=resolve_image(
                params.get("image") or spec.model.image,
                region=spec.aws.region,
                instance_type=spec.endpoint.variants[0].instance_type,
            ),
            # The spec's checksum is that of the spec's artifact, and says nothing of another one.
            expected_sha256=spec.model.sha256 if chosen == spec.model.artifact else None,
            plan_only=bool(params.get("plan_only")),
            reason=params.get("reason") or "",
        )
        self.log.info("asked to release %s in %s", request.artifact, request.image)
        return request.model_dump()

"""The first task of a deploy run: what is it asked to release?"""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.assets import announced_package, package_asset
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.resolve import Resolver, Wish
from endpoint_deploy.task_base import ReleaseTask


class ResolveReleaseOperator(ReleaseTask):
    """Take what the form names, the event's or the registry's package, the other environment's release, or
    the spec's artifact. Returns a ReleaseRequest."""

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Resolve; raises where what was found may not be released."""
        params = context["params"]
        events = context["triggering_asset_events"].get(package_asset(self.spec), ())
        wish = Wish(
            artifact=params.get("artifact"),
            image=params.get("image"),
            model_package=params.get("model_package"),
            announced=announced_package(events),
        )
        found = Resolver(self.deployment, self.hook, connect).resolve(wish)
        request = found.model_copy(
            update={"plan_only": bool(params.get("plan_only")), "reason": params.get("reason") or ""}
        )
        self.log.info("asked to release %s in %s", request.artifact, request.image)
        return request.model_dump()


def connect(spec: DeploymentSpec) -> EndpointHook:
    """A hook on another environment's own connection."""
    return EndpointHook(aws_conn_id=spec.aws.conn_id, region_name=spec.aws.region)

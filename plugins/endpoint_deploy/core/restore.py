"""The plan of a rollback to a release in the ledger: one update to a configuration that is still there."""

from endpoint_deploy.core.observed import Observed, ObservedConfig
from endpoint_deploy.core.plan import EndpointChange, Live, Plan, PlannedConfig, RollBackTo, VariantTarget
from endpoint_deploy.core.planner import declared_targets
from endpoint_deploy.core.release import Release
from endpoint_deploy.errors import NotAsPlanned, TryAgain


def make_restore_plan(release: Release, wanted: ObservedConfig | None, observed: Observed) -> Plan:
    """Plan the way from what is live to a release's configuration.

    wanted: that configuration as it exists now. Raises NotAsPlanned where it is gone, and TryAgain while
    the service is still changing the endpoint.
    """
    if wanted is None:
        raise NotAsPlanned(
            f"configuration {release.config_after} of release {release.sequence} no longer exists; "
            f"release its artifact again: trigger the deploy DAG with {release.artifact}"
        )
    change = EndpointChange(
        operation="update", config=wanted.name, variants=declared_targets(wanted.variants)
    )
    endpoint = observed.endpoint
    base = Plan(
        endpoint=release.endpoint,
        action="restore",
        summary=f"bring {release.endpoint} back to release {release.sequence} ({wanted.name})",
        expects=Live(status=None, config=None),
        artifact_sha256=release.artifact_sha256,
        config=PlannedConfig(name=wanted.name, exists=True, body={}, tags={}),
        change=change.model_copy(update={"operation": "create"}),
        proves=tuple(v.name for v in change.variants),
        live_after=RollBackTo(config=wanted.name, variants=change.variants),
    )
    if endpoint is None:
        return base
    if endpoint.in_progress:
        raise TryAgain(f"endpoint {endpoint.name} is {endpoint.status}; expected it settled")
    expects = Live(status=endpoint.status, config=endpoint.config)
    if endpoint.config == wanted.name and endpoint.status == "InService":
        return Plan(
            endpoint=endpoint.name,
            action="nothing",
            summary=f"nothing to do: {endpoint.name} already serves release {release.sequence}",
            expects=expects,
            artifact_sha256=release.artifact_sha256,
        )
    if endpoint.status in {"Failed", "OutOfService"}:
        recreate = change.model_copy(update={"operation": "recreate"})
        return base.model_copy(update={"expects": expects, "change": recreate})
    back = RollBackTo(
        config=endpoint.config,
        variants=tuple(
            VariantTarget(name=v.name, count=v.desired_count, weight=v.desired_weight)
            for v in endpoint.variants
        ),
    )
    return base.model_copy(
        update={"expects": expects, "change": change, "roll_back_to": back if observed.config else None}
    )

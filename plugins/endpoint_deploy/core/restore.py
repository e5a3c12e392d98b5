"""The plan of a rollback to a release in the ledger: one update to a configuration that is still there."""

from endpoint_deploy.core.observed import Observed, ObservedConfig, ObservedEndpoint, same_weights
from endpoint_deploy.core.plan import (
    EndpointChange,
    Live,
    Plan,
    PlannedConfig,
    RollBackTo,
    Shift,
    VariantTarget,
)
from endpoint_deploy.core.planner import refuse_deleted_config
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.scaling_plan import with_carried_scaling
from endpoint_deploy.core.way_back import declared_targets, observed_target, way_back
from endpoint_deploy.errors import NotAsPlanned, TryAgain


def make_restore_plan(release: Release, wanted: ObservedConfig | None, observed: Observed) -> Plan:
    """Plan the way from what is live to a release's configuration.

    wanted: that configuration as it exists now. Raises NotAsPlanned where it, or the live one, is gone, and
    TryAgain while the service is still changing the endpoint.
    """
    if wanted is None:
        raise NotAsPlanned(
            f"configuration {release.config_after} of release {release.sequence} no longer exists; "
            f"release its artifact again: trigger the deploy DAG with {release.artifact}"
        )
    plan = _plan_of(release, wanted, observed)
    names = [body["VariantName"] for body in wanted.variants if "ServerlessConfig" not in body]
    return with_carried_scaling(plan, release.scaling, names, observed.scaling)


def _plan_of(release: Release, wanted: ObservedConfig, observed: Observed) -> Plan:
    endpoint = observed.endpoint
    if endpoint is None:
        return _plan(release, wanted, observed, "create")
    if endpoint.in_progress:
        raise TryAgain(f"endpoint {endpoint.name} is {endpoint.status}; expected it settled")
    if endpoint.status in {"Failed", "OutOfService"}:
        return _plan(release, wanted, observed, "recreate")
    if endpoint.status == "InService":
        if endpoint.config == wanted.name:
            return _same_config(release, wanted, endpoint)
        if observed.config is None:
            raise refuse_deleted_config(endpoint)
    return _plan(release, wanted, observed, "update")


def _plan(release: Release, wanted: ObservedConfig, observed: Observed, operation: str) -> Plan:
    endpoint = observed.endpoint
    variants = declared_targets(wanted.variants)
    return _base(release, wanted, endpoint).model_copy(
        update={
            "change": EndpointChange.model_validate(
                {"operation": operation, "config": wanted.name, "variants": variants}
            ),
            "roll_back_to": way_back(observed, wanted.name),
            "live_after": RollBackTo(config=wanted.name, variants=variants),
            "warnings": _lost_capacity(variants, endpoint) if endpoint and operation == "update" else (),
        }
    )


def _same_config(release: Release, wanted: ObservedConfig, endpoint: ObservedEndpoint) -> Plan:
    weights = {v.name: v.weight for v in declared_targets(wanted.variants)}
    live = observed_target(endpoint)
    if same_weights(endpoint.weights, weights):
        return Plan(
            endpoint=endpoint.name,
            action="nothing",
            summary=f"nothing to do: {endpoint.name} already serves release {release.sequence}",
            expects=_expects(endpoint),
            artifact_sha256=release.artifact_sha256,
            live_after=live,
        )
    variants = tuple(v.model_copy(update={"weight": weights.get(v.name, 0.0)}) for v in live.variants)
    return _base(release, wanted, endpoint).model_copy(
        update={
            "action": "reweigh",
            "summary": f"bring the weights of {endpoint.name} back to release {release.sequence}'s",
            "shift": Shift(weights=weights),
            "roll_back_to": live,
            "live_after": RollBackTo(config=wanted.name, variants=variants),
        }
    )


def _base(release: Release, wanted: ObservedConfig, endpoint: ObservedEndpoint | None) -> Plan:
    return Plan(
        endpoint=release.endpoint,
        action="restore",
        summary=f"bring {release.endpoint} back to release {release.sequence} ({wanted.name})",
        expects=_expects(endpoint),
        artifact_sha256=release.artifact_sha256,
        config=PlannedConfig(name=wanted.name, exists=True, body={}, tags={}),
        proves=tuple(v.name for v in declared_targets(wanted.variants)),
    )


def _expects(endpoint: ObservedEndpoint | None) -> Live:
    return (
        Live(status=endpoint.status, config=endpoint.config) if endpoint else Live(status=None, config=None)
    )


def _lost_capacity(wanted: tuple[VariantTarget, ...], endpoint: ObservedEndpoint) -> tuple[str, ...]:
    live = sum(v.desired_count or 0 for v in endpoint.variants if v.desired_weight > 0)
    after = sum(v.count or 0 for v in wanted)
    if after >= live or not after:
        return ()
    return (f"{live} instances serve now, and {after} afterwards, as the old release declares",)

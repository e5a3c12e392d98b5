"""Gather what planning looks at, in as few calls as it takes."""

from endpoint_deploy.aws.autoscaling import Autoscaling
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.aws.ledger import Ledger
from endpoint_deploy.core.observed import Observed, ObservedConfig, ObservedEndpoint
from endpoint_deploy.core.requests import Desired
from endpoint_deploy.core.scaling import Scaling

_NOT_SERVING = frozenset({"Failed", "OutOfService", "UpdateRollbackFailed"})


def observe(hook: EndpointHook, ledger: Ledger, endpoint_name: str, want: Desired | None = None) -> Observed:
    """Describe the endpoint, what is behind it, and which of the wanted names exist already."""
    endpoint = hook.find_endpoint(endpoint_name)
    config = hook.find_config(endpoint.config) if endpoint else None
    champion = config
    if config is not None and config.joint_champion is not None:
        champion = hook.find_config(config.joint_champion)
    last_good: ObservedConfig | None = None
    if endpoint is not None and endpoint.status in _NOT_SERVING:
        # UpdateRollbackFailed still serves, so its own configuration may be where to go back to; an
        # endpoint that failed must not be created again on the configuration that it failed with.
        other_than = endpoint.config if endpoint.status == "Failed" else None
        release = ledger.last_good(other_than=other_than)
        last_good = hook.find_config(release.config_after) if release and release.config_after else None
    return Observed(
        endpoint=endpoint,
        config=config,
        champion=champion,
        last_good=last_good,
        existing=_existing(hook, want, config) if want else frozenset(),
        scaling=_scaling(hook, endpoint) if endpoint else {},
    )


def _scaling(hook: EndpointHook, endpoint: ObservedEndpoint) -> dict[str, Scaling]:
    return Autoscaling(hook, endpoint.name).find(variant.name for variant in endpoint.variants)


def _existing(hook: EndpointHook, want: Desired, live: ObservedConfig | None) -> frozenset[str]:
    if live is not None and live.name == want.config:
        return frozenset({*want.models, want.config})
    found = {name for name in want.models if hook.find_model(name)}
    if found and hook.find_config(want.config):
        found.add(want.config)
    return frozenset(found)

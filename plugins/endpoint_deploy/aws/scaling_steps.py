"""What a release does to scalable targets, each step derived from what is live."""

from endpoint_deploy.aws.autoscaling import Autoscaling
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.observed import ObservedConfig, ObservedEndpoint
from endpoint_deploy.core.plan import Plan


def clear_the_way(hook: EndpointHook, plan: Plan, config: str | None) -> list[str]:
    """Deregister what UpdateEndpoint to a configuration would be refused for; None: before DeleteEndpoint.

    The service refuses to remove a scaled variant, or to change its instance type (the hosting guide,
    endpoint-scaling-update). Gives the variants' names.
    """
    if plan.scaling is None:
        return []
    return deregister(hook, plan.endpoint, config)


def deregister(hook: EndpointHook, endpoint: str, config: str | None = None) -> list[str]:
    """Deregister the variants that a configuration would take away or give other instances; None: all."""
    seen = hook.find_endpoint(endpoint)
    autoscaling = Autoscaling(hook, endpoint)
    scaled = autoscaling.find(_names(seen))
    if seen is None or not scaled:
        return []
    live, wanted = (_types(hook.find_config(name)) if name else {} for name in (seen.config, config))
    gone = [name for name in scaled if name not in wanted or wanted[name] != live.get(name, wanted[name])]
    for name in gone:
        autoscaling.remove(name)
    return gone


def hold(hook: EndpointHook, plan: Plan) -> None:
    """Suspend the scale-in of what serves now, so that it keeps its capacity for a way back."""
    if plan.scaling is None:
        return
    autoscaling = Autoscaling(hook, plan.endpoint)
    for name in _names(hook.find_endpoint(plan.endpoint)):
        if name in plan.scaling.before:
            autoscaling.hold(name)


def protect(hook: EndpointHook, plan: Plan, *, held: bool) -> list[str]:
    """Register what the release ends with on the variants that stand, and hold the others' scale-in.

    held: with scale-in suspended and the capacity of before, to be given back by `finish`.
    """
    if plan.scaling is None:
        return []
    autoscaling = Autoscaling(hook, plan.endpoint)
    standing = _names(hook.find_endpoint(plan.endpoint))
    registered = [name for name in standing if name in plan.scaling.after]
    for name in registered:
        floor = plan.scaling.floors.get(name, 0)
        autoscaling.bring(name, plan.scaling.after[name], held=held, floor=floor)
    for name in standing:
        if held and name not in plan.scaling.after:
            autoscaling.hold(name)
    return registered


def finish(hook: EndpointHook, plan: Plan, *, released: bool) -> list[str]:
    """Give scale-in back on whatever stands. Names of the variants whose scaling was looked after.

    After a release everything is as it planned; where the endpoint never left what was live before, it is as
    before: a target may have been deregistered for an update that was not made.
    """
    if plan.scaling is None:
        return []
    if released:
        return protect(hook, plan, held=False)
    seen = hook.find_endpoint(plan.endpoint)
    if seen is not None and seen.config == plan.expects.config:
        return restore(hook, plan)
    return Autoscaling(hook, plan.endpoint).resume(_names(seen))


def restore(hook: EndpointHook, plan: Plan) -> list[str]:
    """Register again, as it was before the release, what stands again."""
    if plan.scaling is None:
        return []
    autoscaling = Autoscaling(hook, plan.endpoint)
    standing = _names(hook.find_endpoint(plan.endpoint))
    for name, before in plan.scaling.before.items():
        if name in standing:
            autoscaling.bring(name, before)
    added = [name for name in autoscaling.find(standing) if name not in plan.scaling.before]
    for name in added:
        autoscaling.remove(name)
    return [name for name in plan.scaling.before if name in standing]


def _names(seen: ObservedEndpoint | None) -> list[str]:
    return [variant.name for variant in seen.variants] if seen else []


def _types(config: ObservedConfig | None) -> dict[str, str | None]:
    return {body["VariantName"]: body.get("InstanceType") for body in config.variants} if config else {}

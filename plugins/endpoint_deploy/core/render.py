"""A plan as plain text for a terminal, a log or a page: what differs, what is done, and the way back."""

from collections.abc import Iterator

from endpoint_deploy.core.plan import (
    Action,
    Difference,
    EndpointChange,
    Live,
    Plan,
    PlannedTest,
    RollBackTo,
    VariantTarget,
)
from endpoint_deploy.core.render_release import duration
from endpoint_deploy.core.scaling import ScalingPlan

_OPERATIONS = {
    "create": "create endpoint {endpoint} on {config}",
    "update": "update endpoint {endpoint} to {config}",
    "recreate": "delete endpoint {endpoint} and create it on {config}",
}


def render_plan(plan: Plan) -> str:
    """Give the plan in sections, each left out where it would be empty; ends with a newline, no colours."""
    sections = {
        "Differences": [_difference(d) for d in plan.differences],
        "Resources": list(_resources(plan)),
        "Steps": [f"{number}. {step}" for number, step in enumerate(_steps(plan), start=1)],
        "Cost": list(plan.costs),
        "Warnings": [f"! {warning}" for warning in plan.warnings],
        "Way back": list(_way_back(plan)),
    }
    lines = [f"{plan.endpoint}: {plan.action}", f"  {plan.summary}", f"  now: {_live(plan.expects)}"]
    if plan.plan_only:
        lines.append("  plan only: nothing will be changed")
    for title, body in sections.items():
        if body:
            lines += ["", title, *(f"  {line}" for line in body)]
    return "\n".join(lines) + "\n"


def _difference(difference: Difference) -> str:
    if difference.before is None:
        return f"+ {difference.path}: {difference.after}"
    if difference.after is None:
        return f"- {difference.path}: {difference.before}"
    return f"~ {difference.path}: {difference.before} -> {difference.after}"


def _resources(plan: Plan) -> Iterator[str]:
    for model in plan.models:
        yield f"{_verb(model.exists)} model {model.name}"
    for kind, config in (("joint ", plan.joint), ("", plan.config)):
        if config:
            yield f"{_verb(config.exists)} {kind}endpoint configuration {config.name}"
    for alarm in plan.alarms:
        yield f"+ create alarm {alarm.name}, until the release has ended"


def _verb(exists: bool) -> str:
    return "= adopt " if exists else "+ create"


def _steps(plan: Plan) -> Iterator[str]:
    if plan.change:
        yield _change(plan, plan.change)
    if plan.scaling:
        yield from _scaling(plan.action, plan.scaling)
    if plan.observe:
        yield f"observe the shadow {plan.observe.shadow} for {plan.observe.seconds} seconds"
    if plan.proves and not plan.observe:
        yield f"send the smoke tests to {', '.join(plan.proves)}"
    for step in plan.shift.walk if plan.shift else ():
        share = (
            f"give the candidate {step.percent} % of the traffic: " if plan.shift and plan.shift.steps else ""
        )
        yield f"{share}set the weights: " + ", ".join(f"{n} {w:g}" for n, w in step.weights.items())
        if plan.test and plan.shift and step in plan.shift.steps:
            yield _test(plan.test)
    if plan.watch:
        yield f"watch it for {duration(plan.watch.seconds)}"
    if plan.retire:
        yield f"{_change(plan, plan.retire)}, which retires the old variants"


def _test(test: PlannedTest) -> str:
    rate = "" if test.champion_percent is None else f" of {test.champion_percent:.3g} %"
    takes = "" if test.seconds is None else f", about {duration(test.seconds)} at the present traffic"
    return (
        f"wait until {test.metric} names a winner, from {duration(test.least_seconds)} to "
        f"{duration(test.most_seconds)}: a gain of {test.least_difference:g} points on the champion's rate"
        f"{rate} takes about {test.samples} samples of each, {test.trials} trials in all{takes}; "
        f"without a winner: {test.on_inconclusive}"
    )


def _scaling(action: Action, scaling: ScalingPlan) -> Iterator[str]:
    if scaling.after:
        named = ", ".join(f"{n} ({s.minimum} to {s.maximum} instances)" for n, s in scaling.after.items())
        until = "" if action == "rescale" else "; suspend scale-in until the run has ended"
        yield f"register the autoscaling of {named}{until}"
    if scaling.dropped:
        yield f"deregister {', '.join(scaling.dropped)} before the update that takes them away"


def _change(plan: Plan, change: EndpointChange) -> str:
    done = _OPERATIONS[change.operation].format(endpoint=plan.endpoint, config=change.config)
    return f"{done}: {_variants(change.variants)}{_guardrails(change)}"


def _guardrails(change: EndpointChange) -> str:
    if change.deployment is None:
        return ""
    blue_green = change.deployment.get("BlueGreenUpdatePolicy", {})
    kind = blue_green.get("TrafficRoutingConfiguration", {}).get("Type", "ROLLING")
    watched = change.deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    names = ", ".join(alarm["AlarmName"] for alarm in watched)
    return f"; {kind.lower()}" + (f", rolled back by SageMaker where {names} rings" if names else "")


def _way_back(plan: Plan) -> Iterator[str]:
    if plan.roll_back_to:
        yield f"to {_target(plan.roll_back_to)}"
        if plan.scaling and plan.scaling.before:
            yield f"with the autoscaling of {', '.join(plan.scaling.before)} as it is now"
    elif plan.action != "nothing":
        first = plan.expects.status is None
        yield "delete the endpoint: there was none before" if first else "none"


def _target(target: RollBackTo) -> str:
    return f"{target.config}: {_variants(target.variants)}"


def _variants(variants: tuple[VariantTarget, ...]) -> str:
    return ", ".join(
        f"{v.name} ({'serverless' if v.count is None else f'{v.count} x'}, weight {v.weight:g})"
        for v in variants
    )


def _live(live: Live) -> str:
    return f"{live.status} on {live.config}" if live.status else "no endpoint"

"""A plan as plain text for a terminal, a log or a page: what differs, what is done, and the way back."""

from collections.abc import Iterator

from endpoint_deploy.core.plan import Difference, EndpointChange, Live, Plan, RollBackTo, VariantTarget

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


def _verb(exists: bool) -> str:
    return "= adopt " if exists else "+ create"


def _steps(plan: Plan) -> Iterator[str]:
    if plan.change:
        yield _change(plan, plan.change)
    if plan.proves:
        yield f"send the smoke tests to {', '.join(plan.proves)}"
    if plan.shift:
        yield "set the weights: " + ", ".join(f"{n} {w:g}" for n, w in plan.shift.weights.items())
    if plan.retire:
        yield f"{_change(plan, plan.retire)}, which retires the old variants"


def _change(plan: Plan, change: EndpointChange) -> str:
    done = _OPERATIONS[change.operation].format(endpoint=plan.endpoint, config=change.config)
    return f"{done}: {_variants(change.variants)}"


def _way_back(plan: Plan) -> Iterator[str]:
    if plan.roll_back_to:
        yield f"to {_target(plan.roll_back_to)}"
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

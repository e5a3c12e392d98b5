"""What becomes of the endpoint's scalable targets in a release, and what a person should know of it."""

import json
from collections.abc import Iterable, Iterator, Mapping

from endpoint_deploy.core import naming
from endpoint_deploy.core.plan import Difference, Plan
from endpoint_deploy.core.requests import Desired, base_tags
from endpoint_deploy.core.scaling import Scaling, ScalingPlan, full_config, renamed
from endpoint_deploy.core.scaling_requests import scaling_of
from endpoint_deploy.core.spec import DeploymentSpec


def with_scaling(plan: Plan, spec: DeploymentSpec, want: Desired, live: Mapping[str, Scaling]) -> Plan:
    """The plan with what it does to scalable targets.

    live: what is registered now, by variant. A plan that had nothing to do gets to do what differs. What the
    spec has no section for is kept as it is, and goes over to the variant that takes the scaled one's place.
    """
    sections = {v.name: v.autoscaling for v in spec.endpoint.variants}
    after: dict[str, Scaling] = {}
    notes: list[str] = []
    for variant in want.variants:
        section = sections[variant.declared]
        if section is not None:
            after[variant.name] = scaling_of(section, spec.endpoint_name, variant.name, base_tags(spec))
        elif variant.count is not None and (own := _counterpart(variant.name, variant.declared, live)):
            after[variant.name] = renamed(live[own], own, variant.name)
            notes.append(
                f"variant {own} is scaled by a target that the spec has no section for: it is kept as it is"
                + (f" and registered for {variant.name}" if own != variant.name else "")
            )
    return _planned(plan, after, live, notes, "the spec's")


def with_carried_scaling(
    plan: Plan, recorded: Mapping[str, Scaling], variants: Iterable[str], live: Mapping[str, Scaling]
) -> Plan:
    """The plan of a rollback with scaling: the release's own, and where it had none, what is live now."""
    after: dict[str, Scaling] = {}
    for name in variants:
        own = _counterpart(name, naming.declared_name(name), live)
        if name in recorded:
            after[name] = recorded[name]
        elif own:
            after[name] = renamed(live[own], own, name)
    return _planned(plan, after, live, [], "that of the release")


def _planned(
    plan: Plan, after: dict[str, Scaling], live: Mapping[str, Scaling], notes: Iterable[str], whose: str
) -> Plan:
    if not after and not live:
        return plan
    differs = [name for name in after if name not in live or not after[name].same(live[name])]
    held = [name for name, scaling in live.items() if scaling.held]
    if plan.action == "nothing" and not differs and not held:
        return plan
    lines = tuple(line for name in after for line in _differences(name, live, after[name]))
    scaling = ScalingPlan(
        before={name: each.model_copy(update={"held": False}) for name, each in live.items()},
        after=after,
        floors=_floors(plan, after),
    )
    plan = plan if plan.action == "nothing" else _within_bounds(plan, after)
    update = {
        "scaling": scaling,
        "warnings": (*plan.warnings, *notes),
        "differences": (*plan.differences, *lines),
    }
    if plan.action == "nothing":
        why = [f"bring the autoscaling of {_names(differs)} to {whose}"] if differs else []
        if resumed := [name for name in held if name not in differs]:
            why.append(f"resume the scale-in of {_names(resumed)}, which an interrupted release suspended")
        update |= {"action": "rescale", "summary": "; ".join(why), "roll_back_to": plan.live_after}
        update["proves"] = tuple(v.name for v in plan.live_after.variants) if plan.live_after else ()
    return plan.model_copy(update=update)


def _floors(plan: Plan, after: Mapping[str, Scaling]) -> dict[str, int]:
    """What served before must be there at least, also where the new variant is started with fewer."""
    back = plan.roll_back_to
    counts = {v.name: v.count for v in back.variants if v.count} if back else {}
    floors = {}
    for name, scaling in after.items():
        own = _counterpart(name, naming.declared_name(name), counts)
        if own is not None and counts[own] > scaling.minimum:
            floors[name] = scaling.within(counts[own])
    return floors


def _within_bounds(plan: Plan, after: Mapping[str, Scaling]) -> Plan:
    """Warn of counts that the targets' bounds move at once."""
    changed = plan.retire or plan.change
    notes = tuple(
        f"variant {v.name} starts with {v.count} instances and is scaled to {after[v.name].within(v.count)}, "
        "as its autoscaling bounds say"
        for v in (changed.variants if changed else ())
        if v.name in after and v.count is not None and after[v.name].within(v.count) != v.count
    )
    return plan.model_copy(update={"warnings": (*plan.warnings, *notes)})


def _differences(name: str, live: Mapping[str, Scaling], after: Scaling) -> Iterator[Difference]:
    """What is scaled otherwise afterwards, a line each; a minimum that a scheduled action moves is none."""
    own = _counterpart(name, naming.declared_name(name), live)
    before = renamed(live[own], own, name) if own else None
    if before and after.same(before):
        return
    was, will = _flat(before) if before else {}, _flat(after)
    for key in sorted(was.keys() | will.keys()):
        if was.get(key) != will.get(key):
            path = f"variant {naming.declared_name(name)} autoscaling {key}"
            yield Difference(path=path, before=was.get(key), after=will.get(key))


def _flat(scaling: Scaling) -> dict[str, str]:
    lines = {"min": str(scaling.minimum), "max": str(scaling.maximum)}
    lines |= {f"policy {p.name}": _json(full_config(p), list(p.alarms)) for p in scaling.policies}
    lines |= {
        f"scheduled action {a.name}": _json(a.schedule, a.timezone, a.action) for a in scaling.scheduled
    }
    if suspended := sorted(name for name, on in scaling.suspended.items() if on):
        lines["suspended"] = ", ".join(suspended)
    return lines


def _json(*values: object) -> str:
    return " ".join(v if isinstance(v, str) else json.dumps(v, sort_keys=True) for v in values if v)


def _counterpart(name: str, declared: str, known: Iterable[str]) -> str | None:
    names = list(known)
    if name in names:
        return name
    return next((each for each in names if naming.declared_name(each) == declared), None)


def _names(names: Iterable[str]) -> str:
    return " and ".join(names)

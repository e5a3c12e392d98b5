"""How what is live differs from what was last released: judgements on what has been described."""

from collections.abc import Iterator, Mapping, Sequence

from endpoint_deploy.core.findings import Drift
from endpoint_deploy.core.observed import ObservedEndpoint
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.standing import LedgerWord, config_drift, weight_drift

Bounds = Mapping[str, tuple[int, int]]
_SHOWN = 5  # differences of a plan in one message
# What another kind says already, where the plan says it as well.
_SAID_ELSEWHERE = frozenset({"nothing", "create", "recreate", "reweigh"})


def endpoint_drift(seen: ObservedEndpoint | None, word: LedgerWord) -> Iterator[Drift]:
    """Whether it is there, in service, and on the configuration and weights that the ledger says last."""
    expected = word.config
    if seen is None:
        if expected is not None:
            yield Drift(kind="endpoint", subject="gone", message=config_drift(None, word) or "")
        return
    if seen.status != "InService":
        why = f": {seen.failure_reason}" if seen.failure_reason else ""
        yield Drift(
            kind="status",
            subject=seen.status,
            message=f"found status {seen.status}{why}; expected InService",
        )
    if (said := config_drift(seen.config, word)) is not None:
        yield Drift(kind="configuration", subject=seen.config, message=said)
    elif (said := weight_drift(seen, word)) is not None:
        yield Drift(kind="weights", subject="weights", message=said)


def count_drift(seen: ObservedEndpoint, word: LedgerWord, bounds: Bounds) -> Iterator[Drift]:
    """Instances that are not as proved. bounds: by variant, what autoscaling may set: no drift within."""
    for name, (found, expected) in other_counts(seen, word).items():
        least, most = bounds.get(name, (expected, expected))
        if not least <= found <= most:
            allowed = f"{least} to {most} by its autoscaling" if name in bounds else str(expected)
            yield Drift(
                kind="counts",
                subject=name,
                message=f"found {found} instances wanted of variant {name}, expected {allowed}",
            )


def other_counts(seen: ObservedEndpoint, word: LedgerWord) -> dict[str, tuple[int, int]]:
    """By variant, the desired count and the one that was proved, where they differ."""
    proved = word.proved if seen.config == word.config else None
    if proved is None:
        return {}
    wanted = {variant.name: variant.count for variant in proved.variants}
    return {
        variant.name: (variant.desired_count, expected)
        for variant in seen.variants
        if variant.desired_count is not None
        and (expected := wanted.get(variant.name)) is not None
        and variant.desired_count != expected
    }


def spec_drift(plan: Plan) -> Iterator[Drift]:
    """What the spec wants otherwise than it is live, for the model that is live.

    A plan without differences would only give the variants other names, as one strategy does and another does
    not: what was gone back to was released by the strategy of its time, and is no drift.
    """
    if plan.action in _SAID_ELSEWHERE or not plan.differences:
        return
    lines = [f"{d.path}: {d.before} -> {d.after}" for d in plan.differences]
    said = "; ".join(lines[:_SHOWN]) + (f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else "")
    yield Drift(
        kind="spec",
        subject=plan.config.name if plan.config else plan.action,
        message=f"the spec asks for something else than what is live: {said}. Release it, or take it back",
    )


def alarm_drift(wanted: Sequence[str], states: Mapping[str, str]) -> Iterator[Drift]:
    """Alarms of the spec that ring, or are gone."""
    for name in wanted:
        state = states.get(name)
        if state is None:
            yield Drift(kind="alarm", subject=f"{name} gone", message=f"alarm {name} does not exist")
        elif state == "ALARM":
            yield Drift(kind="alarm", subject=name, message=f"alarm {name} is in ALARM, expected OK")

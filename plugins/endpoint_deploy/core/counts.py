"""Instance counts that autoscaling has set: kept through a release, so that it never costs capacity."""

from endpoint_deploy.core import naming
from endpoint_deploy.core.observed import ObservedConfig, ObservedEndpoint
from endpoint_deploy.core.plan import RollBackTo
from endpoint_deploy.core.requests import Desired
from endpoint_deploy.core.strict import Strict


class KeptCounts(Strict):
    """Instances by the candidate's variant name, where they are not the spec's; and what to tell a person."""

    counts: dict[str, int]
    notes: tuple[str, ...] = ()


def kept_counts(want: Desired, champion: RollBackTo, config: ObservedConfig) -> KeptCounts:
    """The counts to start the candidate with where the champion's are no longer what its config declares.

    champion: the live counts; config: the champion's configuration. Where the spec's count has changed as
    well, the greater one wins: autoscaling takes away later what is too much.
    """
    live = {variant.name: variant.count for variant in champion.variants}
    declared = _declared(config)
    kept: dict[str, int] = {}
    for variant in want.variants:
        before = _counterpart(variant.declared, live)
        count = live[before] if before else None
        if before is None or count is None or variant.count is None:
            continue
        if declared.get(before) in {None, count}:
            continue
        start = count if declared[before] == variant.count else max(count, variant.count)
        if start != variant.count:
            kept[variant.name] = start
    notes = tuple(
        f"variant {name} starts with {count} instances, as the champion runs now, not the spec's"
        for name, count in kept.items()
    )
    return KeptCounts(counts=kept, notes=notes)


def retained_counts(
    want: Desired, endpoint: ObservedEndpoint, kept: KeptCounts, config: ObservedConfig
) -> KeptCounts:
    """Of the kept counts, those that one update can keep: by itself, the service retains all or none.

    It retains by variant name, and then a count that the spec has changed would not be applied.
    """
    declared = _declared(config)
    live = {variant.name for variant in endpoint.variants}
    changed = any(v.name in live and v.count != declared.get(v.name) for v in want.variants)
    retained = {} if changed else {name: count for name, count in kept.counts.items() if name in live}
    lost = [name for name in kept.counts if name not in retained]
    notes = tuple(note for name, note in zip(kept.counts, kept.notes, strict=True) if name in retained)
    if lost:
        notes += (f"the update resets the autoscaled counts of {' and '.join(lost)} to the spec's",)
    return KeptCounts(counts=retained, notes=notes)


def _declared(config: ObservedConfig) -> dict[str, int | None]:
    return {body["VariantName"]: body.get("InitialInstanceCount") for body in config.variants}


def _counterpart(declared: str, live: dict[str, int | None]) -> str | None:
    """The live variant of the same declared name, with or without a release's digest."""
    if declared in live:
        return declared
    return next((name for name in live if naming.declared_name(name) == declared), None)

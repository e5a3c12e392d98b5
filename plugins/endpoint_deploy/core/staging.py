"""Champion and candidate side by side on one endpoint: whether that can be, and what it looks like."""

from collections.abc import Iterable, Mapping

from endpoint_deploy.core.endpoint_spec import MAX_VARIANTS
from endpoint_deploy.core.observed import ObservedConfig
from endpoint_deploy.core.plan import RollBackTo, Shift, ShiftStep
from endpoint_deploy.core.requests import Body, Desired


def cannot_stage(want: Desired, champion: ObservedConfig | None, back: RollBackTo | None) -> str | None:
    """Say why a joint configuration cannot be made; None where it can.

    champion: the configuration that serves now; back: its variants' live counts and weights.
    """
    if champion is None or back is None:
        return "the configuration that the champion came from is gone"
    if champion.serverless:
        return "the live endpoint is serverless"
    if champion.features:
        return f"the live configuration has {' and '.join(champion.features)}, which a joint one would lose"
    if any("InstancePools" in v or "InitialInstanceCount" not in v for v in champion.variants):
        return "the live endpoint has a variant without a fixed instance count"
    if not all(v.count for v in back.variants):
        return "the live endpoint has a variant without instances"
    names = [v["VariantName"] for v in champion.variants] + [v.name for v in want.variants]
    if len(names) > MAX_VARIANTS:
        return f"{len(champion.variants)} live variants leave no room; an endpoint takes {MAX_VARIANTS}"
    if len(set(names)) < len(names):
        return "the live endpoint has variants of the candidate's names"
    return None


def champion_bodies(champion: ObservedConfig, back: RollBackTo) -> list[Body]:
    """The champion's variants as they run now: its own bodies with the live counts and weights."""
    live = {variant.name: variant for variant in back.variants}
    targets = [(body, live[body["VariantName"]]) for body in champion.variants]
    return [
        {**body, "InitialInstanceCount": target.count, "InitialVariantWeight": target.weight}
        for body, target in targets
    ]


def in_steps(
    candidate: Mapping[str, float],
    champion: Mapping[str, float],
    *,
    beside: Iterable[str] = (),
    steps: Iterable[int] = (),
) -> Shift:
    """Weights that give the candidate these percentages of the traffic, and then all of it.

    candidate: the weights that it ends with; champion: the ones that it has now; beside: what else stands and
    gets nothing. The variants of each side share its traffic as they do where it has all of it, and the sum
    of all weights stays the same. Where the champion is what is released, or has no traffic, there is nothing
    to go in steps from.
    """
    others = {name: weight for name, weight in champion.items() if name not in candidate}
    nothing = dict.fromkeys([*beside, *others], 0.0)
    total, theirs = sum(candidate.values()), sum(others.values())
    return Shift(
        weights={**nothing, **candidate},
        steps=tuple(
            ShiftStep(
                percent=percent,
                weights={
                    **nothing,
                    **{
                        name: _round(weight / theirs * total * (1 - percent / 100))
                        for name, weight in others.items()
                    },
                    **{name: _round(weight * percent / 100) for name, weight in candidate.items()},
                },
            )
            for percent in (steps if theirs > 0 else ())
        ),
    )


def _round(weight: float) -> float:
    """To what a 32-bit float tells apart, which is what the service keeps."""
    return float(f"{weight:.6g}")

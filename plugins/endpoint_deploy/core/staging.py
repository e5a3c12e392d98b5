"""Champion and candidate side by side on one endpoint: whether that can be, and what it looks like."""

from endpoint_deploy.core.observed import ObservedConfig
from endpoint_deploy.core.plan import RollBackTo
from endpoint_deploy.core.requests import Body, Desired
from endpoint_deploy.core.spec import MAX_VARIANTS


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

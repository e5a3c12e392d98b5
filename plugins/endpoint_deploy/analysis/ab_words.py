"""How an A/B test stands, in the words and with the numbers that log, record and run show."""

from typing import Any

from endpoint_deploy.core.ab_spec import SuccessMetric
from endpoint_deploy.judge.winner import Named, Rate, Standing

_SIDES = ("candidate", "champion")


def sentence(metric: SuccessMetric, standing: Standing) -> str:
    """Who wins and by what; without a winner what is lacking."""
    if standing.lacks == "no data":
        return f"no data: {metric.label} has no sample of either side since the test began"
    if standing.lacks:
        return f"{metric.label}: found {standing.lacks}"
    found = f"{metric.label}: {_rates(standing)}; gain {_gain(standing)}"
    wanted = f"{metric.least_difference:g} points"
    if standing.winner is Named.CANDIDATE:
        return f"the candidate wins, proven better than the champion. {found}"
    if standing.winner is Named.CHAMPION:
        return f"the champion wins: the candidate is proven not to be better by {wanted}. {found}"
    if standing.exhausted:
        return f"no winner with all of the planned samples. {found}, {wanted} wanted"
    return f"no winner yet, with {standing.share:.0%} of the samples needed. {found}, {wanted} wanted"


def evidence(metric: SuccessMetric, standing: Standing, *, stage: str, said: str) -> dict[str, Any]:
    """A look as the ledger's record keeps it, in the form of the analysis's."""
    numbers = standing.model_dump(
        mode="json", include={"gain", "low", "high", "needed", "share"}, exclude_none=True
    )
    numbers["least_difference"] = metric.least_difference
    for side in _SIDES:
        rate: Rate | None = getattr(standing, side)
        if rate is not None:
            numbers[side] = rate.model_dump(mode="json")
    return {
        "what": "A/B test",
        "stage": stage,
        "looks": standing.look,
        "verdict": f"winner: {standing.winner}",
        "reason": said,
        "metrics": [
            {"metric": metric.label, "verdict": standing.winner.value, "reason": said, "numbers": numbers}
        ],
    }


def _rates(standing: Standing) -> str:
    shown = []
    for side in _SIDES:
        rate: Rate | None = getattr(standing, side)
        if rate is not None:
            between = f"{rate.low:.2%} to {rate.high:.2%}, {rate.successes} of {rate.trials}"
            shown.append(f"{side} {rate.rate:.2%} ({between})")
    return ", ".join(shown)


def _gain(standing: Standing) -> str:
    low = "none" if standing.low is None else f"{standing.low:+.2f}"
    high = "none" if standing.high is None else f"{standing.high:+.2f}"
    between = "" if standing.low is None and standing.high is None else f" ({low} to {high})"
    return f"{standing.gain or 0.0:+.2f} points{between}"

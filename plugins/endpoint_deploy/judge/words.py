"""What somebody on call reads."""

from collections.abc import Sequence

from endpoint_deploy.core.judging import AnyMetric, Disagreement, ErrorRate, PredictionDrift
from endpoint_deploy.judge.verdicts import MetricVerdict, Numbers, Verdict

_SAYS = {
    Verdict.FAIL: "proven worse than tolerated",
    Verdict.PASS: "proven better than unacceptable",
    Verdict.INCONCLUSIVE: "neither proven worse than tolerated nor better than unacceptable",
}


def sentence(metric: AnyMetric, verdict: Verdict, numbers: Numbers, stop: str | None, share: float) -> str:
    """The metric's verdict, by its numbers."""
    if stop:
        return f"{metric.name}: {stop}"
    bounds = (
        f"tolerated {_bound(metric, metric.tolerated)}, unacceptable {_bound(metric, metric.unacceptable)}"
    )
    found = f"{metric.name}: {_found(metric, numbers)}; {_SAYS[verdict]} ({bounds})"
    if verdict is not Verdict.INCONCLUSIVE:
        return found
    if share < 1:
        return f"{found}; {share:.0%} of the planned samples are there"
    return f"{found}; the planned samples are used up: a person must decide"


def summary(verdict: Verdict, metrics: Sequence[MetricVerdict]) -> str:
    """The release's verdict: the reasons of the metrics that made it so."""
    counted = [each for each in metrics if each.counts]
    if not counted:
        what = "is a dry run" if all(each.dry_run for each in metrics) else "need not pass, and none fails"
        return f"every metric {what}: nothing was held against the candidate"
    if verdict is Verdict.PASS:
        return f"all of {len(counted)} metrics pass"
    return "; ".join(each.reason for each in counted if each.verdict is verdict)


def _found(metric: AnyMetric, numbers: Numbers) -> str:
    between = "" if numbers.low is None else f" ({numbers.low:.3g} to {numbers.high:.3g})"
    if isinstance(metric, Disagreement):
        return f"a share of {numbers.effect:.3g}{between} of {numbers.candidate_samples} answers differs"
    samples = f"{numbers.candidate_samples} samples against {numbers.champion_samples}"
    if isinstance(metric, PredictionDrift):
        what = "the distribution" if metric.of == "numbers" else "a label's share"
        return f"{what} moved by {numbers.effect:.3g}{between}, {samples}"
    form = ".3%" if isinstance(metric, ErrorRate) else ".4g"
    return (
        f"{numbers.candidate:{form}} against the champion's {numbers.champion:{form}}, "
        f"{numbers.effect:.3g} times{between}, {samples}"
    )


def _bound(metric: AnyMetric, value: float) -> str:
    if isinstance(metric, Disagreement | PredictionDrift):
        return f"{value:g}"
    either = (
        f" or {metric.negligible:.3g} of all" if isinstance(metric, ErrorRate) and metric.negligible else ""
    )
    return f"{value:g} times{either}"

"""What follows from a look: the judge's way on, by what the spec says of ends that are open."""

from endpoint_deploy.core.analysis_spec import (
    AnalysisSpec,
    JudgedErrorRate,
    JudgedLatencyQuantile,
    JudgedMetric,
    needs_replay,
)
from endpoint_deploy.judge.verdicts import Judgement, Verdict
from endpoint_deploy.judge.way_on import Way, WayOn, way_on


def follow(judgement: Judgement, analysis: AnalysisSpec, *, replayed: bool, news: bool, early: bool) -> WayOn:
    """Promote, roll back, look again or ask: every stage ends.

    replayed: whether this look has brought requests of its own because there was no traffic; news: whether
    it brought predictions for requests that none before it had; early: whether CloudWatch may not have heard
    of the stage yet.
    """
    on = way_on(judgement, analysis.limits, may_replay=replayed)
    if on.way is Way.REPLAY:  # done already: what came of it stands in CloudWatch a little later
        return WayOn(way=Way.LOOK_AGAIN, reason=f"{on.reason}; requests were replayed to both sides")
    if on.way is Way.ASK and early and _is_silent(judgement):
        return WayOn(way=Way.LOOK_AGAIN, reason=f"CloudWatch may have nothing of it yet: {on.reason}")
    if on.way is Way.LOOK_AGAIN and not news and _rest_on_predictions(judgement, analysis):
        on = WayOn(
            way=Way.ASK,
            reason=f"there are no other requests to replay, and more samples cannot be had: {on.reason}",
        )
    return closed(judgement, analysis, on) if on.way is Way.ASK else on


def _rest_on_predictions(judgement: Judgement, analysis: AnalysisSpec) -> bool:
    """Whether all that is still open is told by predictions, of which each request gives but one."""
    metrics = {metric.name: metric for metric in analysis.metrics}
    return judgement.verdict is Verdict.INCONCLUSIVE and all(
        _is_of_predictions(metrics[each.metric])
        for each in judgement.metrics
        if each.counts and each.verdict is Verdict.INCONCLUSIVE
    )


def _is_of_predictions(metric: JudgedMetric) -> bool:
    if isinstance(metric, JudgedErrorRate):
        return metric.source == "predictions"
    return needs_replay(metric) and not isinstance(metric, JudgedLatencyQuantile)


def closed(judgement: Judgement, analysis: AnalysisSpec, on: WayOn) -> WayOn:
    """What the spec says instead of asking a person."""
    unmeasured = judgement.verdict is Verdict.ERROR or _is_silent(judgement)
    if analysis.on_inconclusive == "fail":
        return WayOn(way=Way.ROLL_BACK, reason=f"analysis.on_inconclusive is fail: {on.reason}")
    if analysis.on_inconclusive == "promote" and not unmeasured:
        return WayOn(way=Way.PROMOTE, reason=f"analysis.on_inconclusive is promote: {on.reason}")
    return on


def _is_silent(judgement: Judgement) -> bool:
    return any(each.no_traffic for each in judgement.metrics if each.counts)

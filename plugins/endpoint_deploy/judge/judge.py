"""One look at the measurements so far: `judge`."""

from collections.abc import Mapping

from endpoint_deploy.core.judging import (
    AnyMetric,
    Disagreement,
    ErrorRate,
    JudgePlan,
    LatencyPoints,
    LatencyQuantile,
    PredictionDrift,
)
from endpoint_deploy.judge.errors import error_evidence
from endpoint_deploy.judge.evidence import Evidence, TooFew, UnusableError
from endpoint_deploy.judge.latency import latency_evidence
from endpoint_deploy.judge.measurements import (
    Answers,
    ErrorCounts,
    LatencySamples,
    LatencySeries,
    Measurement,
    PairedAnswers,
    Unavailable,
)
from endpoint_deploy.judge.points import points_evidence
from endpoint_deploy.judge.predictions import disagreement_evidence, drift_evidence
from endpoint_deploy.judge.spending import STEP, level, share_of, spent
from endpoint_deploy.judge.verdicts import Judgement, MetricVerdict, Numbers, Verdict
from endpoint_deploy.judge.words import sentence, summary

_WORST = [Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.FAIL]


def judge(
    plan: JudgePlan,
    measurements: Mapping[str, Measurement],
    previous: Judgement | None = None,
    *,
    more: bool = True,
) -> Judgement:
    """Judge all metrics by everything that was measured since the comparison began.

    measurements: by metric name; previous: the judgement before this one, which says what has been spent:
    without it every look would spend all of it anew; more: whether more samples can be had. Never raises for
    a measurement: what cannot be used is the verdict *error*.
    """
    before = {each.metric: each for each in previous.metrics} if previous else {}
    metrics = tuple(
        _look(plan, metric, measurements.get(metric.name), before.get(metric.name), more=more)
        for metric in plan.metrics
    )
    counted = [each.verdict for each in metrics if each.counts]
    verdict = max(counted, key=_WORST.index, default=Verdict.PASS)
    again = previous is not None and previous.verdict is verdict
    return Judgement(
        verdict=verdict,
        reason=summary(verdict, metrics),
        metrics=metrics,
        look=1 + (previous.look if previous else 0),
        in_a_row=1 + (previous.in_a_row if previous and again else 0),
    )


def _look(
    plan: JudgePlan,
    metric: AnyMetric,
    measured: Measurement | None,
    before: MetricVerdict | None,
    *,
    more: bool,
) -> MetricVerdict:
    base = MetricVerdict(
        metric=metric.name,
        verdict=Verdict.ERROR,
        reason="",
        dry_run=metric.dry_run,
        must_pass=metric.must_pass,
        looks=before.looks if before else (),
        false_alarms_spent=before.false_alarms_spent if before else 0,
        passed=before.passed if before else False,
    )
    try:
        evidence = _evidence(metric, measured)
    except UnusableError as error:
        return base.model_copy(update={"reason": f"{metric.name}: {error}"})
    if isinstance(evidence, TooFew):
        return base.model_copy(
            update={
                "verdict": Verdict.INCONCLUSIVE if more else Verdict.ERROR,
                "reason": f"{metric.name}: found {evidence.reason}",
                "no_traffic": not evidence.candidate_samples or not evidence.champion_samples,
            }
        )
    return _held(plan, metric, evidence, base)


def _evidence(metric: AnyMetric, measured: Measurement | None) -> Evidence | TooFew:
    match metric, measured:
        case _, None:
            raise UnusableError("no measurement of it was given")
        case _, Unavailable(reason):
            raise UnusableError(reason)
        case ErrorRate(), ErrorCounts():
            return error_evidence(metric, measured)
        case LatencyQuantile(), LatencySamples():
            return latency_evidence(metric, measured)
        case LatencyPoints(), LatencySeries():
            return points_evidence(metric, measured)
        case Disagreement(), PairedAnswers():
            return disagreement_evidence(metric, measured)
        case PredictionDrift(), Answers():
            return drift_evidence(metric, measured)
    raise UnusableError(
        f"found a measurement of the sort {type(measured).__name__}, no use for {metric.kind}"
    )


def _held(plan: JudgePlan, metric: AnyMetric, evidence: Evidence, base: MetricVerdict) -> MetricVerdict:
    """Hold evidence to the levels of this look."""
    each = plan.false_alarms_each
    share = share_of(evidence.planned, metric.samples)
    new = share - (base.looks[-1] if base.looks else 0.0) >= STEP / 2
    looks = (*base.looks, share) if new else base.looks
    fail_at = level(looks, each) if new else None
    pass_at = level(looks, plan.missed) if new else None
    numbers = _numbers(metric, evidence, fail_at, pass_at)
    failed = bool(evidence.stop) or (fail_at is not None and evidence.worse_than_tolerated <= fail_at)
    passed = base.passed or (pass_at is not None and evidence.better_than_unacceptable <= pass_at)
    verdict = Verdict.FAIL if failed else Verdict.PASS if passed else Verdict.INCONCLUSIVE
    return base.model_copy(
        update={
            "verdict": verdict,
            "reason": sentence(metric, verdict, numbers, evidence.stop, share if looks else 0.0),
            "numbers": numbers,
            "looks": looks,
            "false_alarms_spent": spent(looks[-1], each) if looks else 0.0,
            "passed": passed and not failed,
        }
    )


def _numbers(metric: AnyMetric, evidence: Evidence, fail_at: float | None, pass_at: float | None) -> Numbers:
    low = high = None
    if fail_at is not None and pass_at is not None and evidence.planned:
        # The end that fails at its level, and the end that passes at its own.
        low, high = evidence.interval(fail_at)[0], evidence.interval(pass_at)[1]
    return Numbers(
        candidate_samples=evidence.candidate_samples,
        champion_samples=evidence.champion_samples,
        candidate=evidence.candidate,
        champion=evidence.champion,
        effect=evidence.effect,
        low=low,
        high=high,
        worse_than_tolerated=evidence.worse_than_tolerated,
        better_than_unacceptable=evidence.better_than_unacceptable,
        fail_at=fail_at,
        pass_at=pass_at,
        tolerated=metric.tolerated,
        unacceptable=metric.unacceptable,
    )

"""One evaluation of a metric alarm: its data points, its state, and the reason in the service's words."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_sagemaker.clock import Clock
from local_sagemaker.cloudwatch.alarm_checks import period_of
from local_sagemaker.cloudwatch.alarm_records import Alarm
from local_sagemaker.cloudwatch.alarm_rules import COMPARISONS, EXTRA_POINTS, Rule, State, decide
from local_sagemaker.cloudwatch.metrics import Metrics
from local_sagemaker.cloudwatch.queries import Point, points
from local_sagemaker.cloudwatch.statistics import percentile_of

STANDARD_SECONDS = 60  # a metric alarm is evaluated every minute,
HIGH_RESOLUTION_SECONDS = 10  # one on a high-resolution metric every ten seconds
_RELATIONS = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_TREATED_AS = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


@dataclass(frozen=True)
class Verdict:
    """What an evaluation found; `data` is StateReasonData."""

    state: State
    reason: str
    data: str


def interval_of(alarm: Alarm) -> int:
    """How often the alarm is evaluated, in the service's seconds."""
    return HIGH_RESOLUTION_SECONDS if period_of(alarm.request) < STANDARD_SECONDS else STANDARD_SECONDS


def evaluate(alarm: Alarm, metrics: Metrics, clock: Clock, now: float) -> Verdict | None:
    """The alarm's verdict on the periods that ended last before `now`; None when the state is to stay.

    Periods are waits of the service's: each takes its share of real time.
    """
    request = alarm.request
    rule = Rule(
        periods=request["EvaluationPeriods"],
        to_alarm=request.get("DatapointsToAlarm", request["EvaluationPeriods"]),
        treatment=request.get("TreatMissingData", "missing"),
    )
    window = _window(alarm, metrics, clock, now)
    breaches = COMPARISONS[request["ComparisonOperator"]]
    breaching = [None if point is None else breaches(point.value, request["Threshold"]) for point in window]
    if _too_few_samples(request, window):
        return None
    state = decide(rule, breaching, alarm.state)
    return Verdict(state, _reason(request, rule, window, state), _data(request, rule, window, now))


def recent_values(alarm: Alarm, metrics: Metrics, clock: Clock, now: float) -> list[float]:
    """The real data points that an evaluation at `now` would count, the newest last."""
    window = _window(alarm, metrics, clock, now)
    return [point.value for point in window if point is not None][-alarm.request["EvaluationPeriods"] :]


def _window(alarm: Alarm, metrics: Metrics, clock: Clock, now: float) -> list[Point | None]:
    """The evaluation range: the periods that ended last, the newest last."""
    interval = clock.real(interval_of(alarm))
    end = math.floor(now / interval) * interval
    count = alarm.request["EvaluationPeriods"] + EXTRA_POINTS
    return points(metrics, alarm.request, end, clock.real(1), count)


def _too_few_samples(request: dict[str, Any], window: Sequence[Point | None]) -> bool:
    """Whether a percentile is to be ignored for now (CloudWatch guide, low data samples)."""
    share = percentile_of(request.get("ExtendedStatistic", ""))
    if share is None or request.get("EvaluateLowSampleCountPercentile") != "ignore":
        return False
    needed = 10 / (1 - share) if share >= 0.5 else 10 / share  # noqa: PLR2004 - the median
    samples = [point.samples for point in window if point is not None and point.samples is not None]
    return bool(samples) and sum(samples) < needed


def _evaluated(rule: Rule, window: Sequence[Point | None]) -> list[Point]:
    """The real points that counted, the newest first."""
    real = [point for point in window if point is not None]
    return real[-rule.periods :][::-1]


def _reason(request: dict[str, Any], rule: Rule, window: Sequence[Point | None], state: State) -> str:
    real = _evaluated(rule, window)
    if state == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {_counted(rule.periods, 'datapoint')} {_were(rule.periods)} unknown."
    lacking = rule.periods - len(real)
    breaches = COMPARISONS[request["ComparisonOperator"]]
    telling = [point for point in real if breaches(point.value, request["Threshold"]) is (state == "ALARM")]
    if not telling:
        treated = _TREATED_AS.get(rule.treatment, "Missing")
        return (
            f"Threshold Crossed: no datapoints were received for {_counted(lacking, 'period')} and "
            f"{_counted(lacking, 'missing datapoint')} {_were(lacking)} treated as [{treated}]."
        )
    shown = ", ".join(f"{point.value} ({_day(point.start)})" for point in telling[:5])
    verdict = "" if state == "ALARM" else "not "
    relation = f"{_RELATIONS[request['ComparisonOperator']]} the threshold ({float(request['Threshold'])})"
    before, after = ("OK", "ALARM") if state == "ALARM" else ("ALARM", "OK")
    least = rule.to_alarm if state == "ALARM" else rule.periods - rule.to_alarm + 1
    return (
        f"Threshold Crossed: {len(telling)} out of the last {rule.periods} datapoints [{shown}] "
        f"{_were(len(telling))} {verdict}{relation} "
        f"(minimum {_counted(least, 'datapoint')} for {before} -> {after} transition)."
    )


def _data(request: dict[str, Any], rule: Rule, window: Sequence[Point | None], now: float) -> str:
    real = _evaluated(rule, window)
    data: dict[str, Any] = {"version": "1.0", "queryDate": moment(now)}
    if real:
        data["startDate"] = moment(real[-1].start)
    for name, member in (("unit", "Unit"), ("statistic", "Statistic"), ("statistic", "ExtendedStatistic")):
        if member in request:
            data[name] = request[member]
    return json.dumps(
        data
        | {
            "period": period_of(request),
            "recentDatapoints": [point.value for point in reversed(real)][-20:],
            "threshold": float(request["Threshold"]),
            "evaluatedDatapoints": [
                {
                    "timestamp": moment(point.start),
                    **({} if point.samples is None else {"sampleCount": point.samples}),
                    "value": point.value,
                }
                for point in real[:20]
            ],
        }
    )


def moment(at: float) -> str:
    """A time as CloudWatch writes it in messages: `2026-01-13T01:57:48.092+0000`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d/%m/%y %H:%M:%S")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"

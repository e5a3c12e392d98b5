"""All requests of both sides, as CloudWatch has them: errors, and ModelLatency a point a period.

ModelLatency is in microseconds; each request adds 1 to Invocation4XXErrors and Invocation5XXErrors where it
failed so, and 0 where it did not (SageMaker guide, Monitoring SageMaker AI with Amazon CloudWatch). Our own
replayed requests are among them.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from endpoint_deploy.analysis.look import Sides
from endpoint_deploy.aws.metric_data import Data, Statistic, Unreadable, metric_data, periods
from endpoint_deploy.core.analysis_spec import AnalysisSpec, JudgedErrorRate, JudgedLatencyPoints
from endpoint_deploy.judge.measurements import (
    ErrorCounts,
    LatencySeries,
    Measurement,
    Point,
    RequestWindow,
    Unavailable,
)

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

REQUESTS = ("Invocations", "Sum")
ERRORS = (("Invocation4XXErrors", "Sum"), ("Invocation5XXErrors", "Sum"))
_MICROSECONDS = 1000.0  # a millisecond


def traffic(
    cloudwatch: "CloudWatchClient",
    endpoint: str,
    sides: Sides,
    analysis: AnalysisSpec,
    *,
    since: datetime,
    now: datetime,
) -> dict[str, Measurement]:
    """The metrics of an analysis that are of all requests, by name.

    What CloudWatch does not say is Unavailable, and never an exception.
    """
    errors_, points = _wanted(analysis)
    if not errors_ and not points:
        return {}
    named: list[JudgedErrorRate | JudgedLatencyPoints] = [*errors_, *points]
    since, until = window(analysis, since, now)
    if until <= since:
        return {metric.name: _empty(metric) for metric in named}
    statistics = dict.fromkeys([REQUESTS, *ERRORS, *(_latency(metric) for metric in points)])
    try:
        data = metric_data(
            cloudwatch,
            endpoint,
            [*sides.candidate, *sides.champion],
            list(statistics),
            period=analysis.period_seconds,
            span=(since, until),
        )
    except Unreadable as error:
        return {metric.name: Unavailable(str(error)) for metric in named}
    found: dict[str, Measurement] = {metric.name: error_counts(data, sides) for metric in errors_}
    return found | {metric.name: latency_points(data, sides, _latency(metric)) for metric in points}


def window(analysis: AnalysisSpec, since: datetime, now: datetime) -> tuple[datetime, datetime]:
    """From when to when CloudWatch is asked: from the first whole period on, and nothing too young."""
    period = analysis.period_seconds
    begin = datetime.fromtimestamp(since.timestamp() // period * period, UTC)
    return begin, now - timedelta(seconds=analysis.delay_seconds)


def is_scarce(measured: Measurement | None, least: int) -> bool:
    """Whether a side had too few requests for anything to be said, as far as CloudWatch knows."""
    match measured:
        case ErrorCounts(windows):
            sides = (sum(each.candidate for each in windows), sum(each.champion for each in windows))
            return min(sides) < least
        case LatencySeries(points):
            return not points
    return False


def error_counts(data: Data, sides: Sides) -> ErrorCounts:
    """Requests and errors, a window a period, summed up over each side's variants.

    A period of whose requests CloudWatch does not know how they ended is left out: it is no period without
    errors.
    """
    variants = (*sides.candidate, *sides.champion)
    return ErrorCounts(
        [
            RequestWindow(*requests_of(data, sides.candidate, at), *requests_of(data, sides.champion, at))
            for at in periods(data)
            if all(_ends_are_known(data, variant, at) for variant in variants)
        ]
    )


def latency_points(data: Data, sides: Sides, statistic: Statistic) -> LatencySeries:
    """Milliseconds, a point for each period in which both sides were asked.

    A side with several variants has the mean of their values by their requests: the quantile of both
    together cannot be told of their quantiles.
    """
    points = []
    for at in periods(data):
        mine, theirs = (latency_of(data, side, statistic, at) for side in (sides.candidate, sides.champion))
        if mine is not None and theirs is not None:
            points.append(
                Point(
                    candidate=mine,
                    candidate_requests=requests_of(data, sides.candidate, at)[0],
                    champion=theirs,
                    champion_requests=requests_of(data, sides.champion, at)[0],
                )
            )
    return LatencySeries(points)


def _wanted(analysis: AnalysisSpec) -> tuple[list[JudgedErrorRate], list[JudgedLatencyPoints]]:
    metrics = analysis.metrics
    return (
        [each for each in metrics if isinstance(each, JudgedErrorRate) and each.source == "traffic"],
        [each for each in metrics if isinstance(each, JudgedLatencyPoints)],
    )


def _empty(metric: JudgedErrorRate | JudgedLatencyPoints) -> Measurement:
    return ErrorCounts([]) if isinstance(metric, JudgedErrorRate) else LatencySeries([])


def _latency(metric: JudgedLatencyPoints) -> Statistic:
    return ("ModelLatency", "Average" if metric.quantile is None else f"p{metric.quantile * 100:.10g}")


def _ends_are_known(data: Data, variant: str, at: datetime) -> bool:
    asked = data.get((variant, REQUESTS), {}).get(at, 0.0)
    return not asked or all(at in data.get((variant, each), {}) for each in ERRORS)


def requests_of(data: Data, side: Iterable[str], at: datetime) -> tuple[int, int]:
    """Requests and errors of a side in a period; what failed was asked, whichever was counted first."""
    total = failed = 0
    for variant in side:
        asked = round(data.get((variant, REQUESTS), {}).get(at, 0.0))
        wrong = round(sum(data.get((variant, each), {}).get(at, 0.0) for each in ERRORS))
        total += max(asked, wrong)
        failed += wrong
    return total, failed


def latency_of(data: Data, side: Iterable[str], statistic: Statistic, at: datetime) -> float | None:
    """Milliseconds of a side in a period, the mean of its variants by their requests; None without any."""
    weighted = [
        (value, data.get((variant, REQUESTS), {}).get(at, 0.0))
        for variant in side
        if (value := data.get((variant, statistic), {}).get(at)) is not None
    ]
    requests = sum(weight for _, weight in weighted)
    if not requests:
        return None
    return sum(value * weight for value, weight in weighted) / requests / _MICROSECONDS

"""What clients have had of endpoints: requests, errors and latencies by period, as CloudWatch has them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from endpoint_deploy.analysis.traffic import ERRORS, REQUESTS, latency_of, requests_of
from endpoint_deploy.aws.metric_data import Data, Statistic, metric_data_of_all
from endpoint_deploy.core.strict import Strict

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

_MEDIAN: Statistic = ("ModelLatency", "p50")
_TAIL: Statistic = ("ModelLatency", "p95")
STATISTICS: tuple[Statistic, ...] = (REQUESTS, *ERRORS, _MEDIAN, _TAIL)
_DELAY = timedelta(minutes=2)  # after which CloudWatch has all of a period, as a rule


class Traffic(Strict):
    """One endpoint's traffic, a figure a period; the last ones, from `complete` on, may still grow.

    began: of the first period, UTC, ISO 8601; errors: requests answered with 4XX or 5XX; latencies of the
    model in milliseconds, None where nobody was answered. A quantile of several variants is the mean of
    theirs, by their requests.
    """

    began: str
    period_seconds: int
    complete: int
    requests: tuple[int, ...]
    errors: tuple[int, ...]
    p50_ms: tuple[float | None, ...]
    p95_ms: tuple[float | None, ...]


@dataclass(frozen=True)
class Span:
    """How far back to look, in seconds; of how many seconds a period is; how old an answer may be.

    Each metric of each question is paid for, so that a chart is not asked for more often than it changes.
    """

    seconds: int
    period: int
    fresh_seconds: float


SpanName = Literal["hour", "3-hours", "day", "week"]
SPANS: dict[SpanName, Span] = {
    "hour": Span(3_600, 60, 60.0),
    "3-hours": Span(3 * 3_600, 60, 60.0),
    "day": Span(24 * 3_600, 600, 120.0),
    "week": Span(7 * 24 * 3_600, 3_600, 600.0),
}


def traffic_of_all(
    cloudwatch: "CloudWatchClient", variants: Mapping[str, Sequence[str]], span: Span, now: datetime
) -> dict[str, Traffic]:
    """By endpoint, until now. variants: by endpoint. Raises `metric_data.Unreadable`."""
    end = datetime.fromtimestamp((now.timestamp() // span.period + 1) * span.period, UTC)
    begin = end - timedelta(seconds=span.seconds)
    found = metric_data_of_all(cloudwatch, variants, STATISTICS, period=span.period, span=(begin, end))
    return {
        endpoint: _traffic(found.get(endpoint, {}), names, begin, span, now)
        for endpoint, names in variants.items()
    }


def _traffic(data: Data, variants: Sequence[str], begin: datetime, span: Span, now: datetime) -> Traffic:
    times = list(_times(begin, span))
    counts = [requests_of(data, variants, at) for at in times]
    return Traffic(
        began=begin.isoformat(),
        period_seconds=span.period,
        complete=sum(at + timedelta(seconds=span.period) + _DELAY <= now for at in times),
        requests=tuple(asked for asked, _ in counts),
        errors=tuple(failed for _, failed in counts),
        p50_ms=tuple(_rounded(latency_of(data, variants, _MEDIAN, at)) for at in times),
        p95_ms=tuple(_rounded(latency_of(data, variants, _TAIL, at)) for at in times),
    )


def _times(begin: datetime, span: Span) -> Iterator[datetime]:
    return (begin + timedelta(seconds=start) for start in range(0, span.seconds, span.period))


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 3)

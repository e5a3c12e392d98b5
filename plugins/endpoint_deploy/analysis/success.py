"""The team's own metric of an A/B test, as CloudWatch has it: trials and successes of each side."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from endpoint_deploy.analysis.look import Sides
from endpoint_deploy.aws.metric_data import Data, Unreadable, metric_data, periods
from endpoint_deploy.core.ab_plan import ChampionRate
from endpoint_deploy.core.ab_spec import SuccessMetric
from endpoint_deploy.judge.measurements import SuccessWindow, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

_STATISTICS = ("Sum", "SampleCount", "Minimum", "Maximum")
_MINUTE, _FIVE, _HOUR = 60, 300, 3600
# How long a test is told apart by minutes, and by five minutes: few points, whatever its length. CloudWatch
# keeps those of a minute for 15 days, those of five for 63 (CloudWatch guide, metrics retention).
_BY_MINUTES, _BY_FIVE = timedelta(hours=6), timedelta(days=2)
_NEARLY = 1e-6
_BEFORE = timedelta(days=1)  # over which the champion's present rate is told


def success_windows(
    cloudwatch: "CloudWatchClient",
    endpoint: str,
    sides: Sides,
    metric: SuccessMetric,
    *,
    since: datetime,
    now: datetime,
) -> Sequence[SuccessWindow] | Unavailable:
    """What was published since the split was live, a window a period, summed up over each side's variants."""
    period, begin = period_of(since, now)
    until = now - timedelta(seconds=metric.delay_seconds)
    if until <= begin:
        return []
    try:
        variants = (*sides.candidate, *sides.champion)
        data = _read(cloudwatch, endpoint, variants, metric, period=period, span=(begin, until))
        return [
            SuccessWindow(
                *_counts(data, metric, sides.candidate, at), *_counts(data, metric, sides.champion, at)
            )
            for at in periods(data)
        ]
    except Unreadable as error:
        return Unavailable(str(error))


def champion_rate(
    cloudwatch: "CloudWatchClient",
    endpoint: str,
    variants: Sequence[str],
    metric: SuccessMetric,
    *,
    now: datetime,
) -> ChampionRate | Unavailable:
    """What these variants had within a day until now."""
    begin = (now - _BEFORE).replace(second=0, microsecond=0)
    try:
        data = _read(cloudwatch, endpoint, variants, metric, period=_HOUR, span=(begin, now))
        counts = [_counts(data, metric, dict.fromkeys(variants, 1.0), at) for at in periods(data)]
    except Unreadable as error:
        return Unavailable(str(error))
    trials, successes = (sum(each) for each in zip(*counts, strict=True)) if counts else (0, 0)
    return ChampionRate(trials=trials, successes=successes, seconds=(now - begin).total_seconds())


def period_of(since: datetime, now: datetime) -> tuple[int, datetime]:
    """CloudWatch's period in seconds, and from when on it is asked.

    The first minute may have samples of the champion alone, from before the split: they are compared with
    nothing but the candidate's of the same minute. Of a longer period a whole one is begun with.
    """
    age = now - since
    period = _MINUTE if age < _BY_MINUTES else _FIVE if age < _BY_FIVE else _HOUR
    whole = since.timestamp() // period + (period > _MINUTE)
    return period, datetime.fromtimestamp(whole * period, UTC)


def _read(
    cloudwatch: "CloudWatchClient",
    endpoint: str,
    variants: Sequence[str],
    metric: SuccessMetric,
    *,
    period: int,
    span: tuple[datetime, datetime],
) -> Data:
    return metric_data(
        cloudwatch,
        endpoint,
        variants,
        [(metric.name, statistic) for statistic in _STATISTICS],
        period=period,
        span=span,
        namespace=metric.namespace,
        dimensions=metric.dimensions,
    )


def _counts(data: Data, metric: SuccessMetric, side: Mapping[str, float], at: datetime) -> tuple[int, int]:
    """A side's trials and successes in a period; raises Unreadable where a value is neither 0 nor 1."""
    trials = successes = 0
    for variant in side:
        total, count, low, high = (data[variant, (metric.name, each)].get(at) for each in _STATISTICS)
        if not count or total is None:
            continue
        if not 0 <= (low or 0.0) <= (high or 0.0) <= 1 or abs(total - round(total)) > _NEARLY * count:
            raise Unreadable(
                f"{metric.label} of {variant} has values from {low:g} to {high:g} that sum up to {total:g}; "
                "expected 0 or 1 for each trial"
            )
        trials += round(count)
        successes += min(round(total), round(count))
    return trials, successes

"""Data points out of metrics: for alarms, GetMetricData and GetMetricStatistics alike."""

from dataclasses import dataclass
from typing import Any

from local_sagemaker.cloudwatch.metric_data import key_of
from local_sagemaker.cloudwatch.metrics import Metrics
from local_sagemaker.cloudwatch.statistics import statistic

Request = dict[str, Any]


@dataclass(frozen=True)
class Point:
    """One period's value; `samples` is unknown (None) for the result of an expression."""

    start: float
    value: float
    samples: float | None


def measured(metrics: Metrics, stat: Request, start: float, end: float, period: float) -> dict[int, Point]:
    """A metric's statistic by period: key k is from `start` + k * `period` on.

    `stat` is a MetricStat; a unit in it leaves out a metric of another unit. Periods are real seconds.
    """
    series = metrics.find(key_of(stat["Metric"]))
    if series is None or stat.get("Unit", series.unit) != series.unit:
        return {}
    measure = statistic(stat["Stat"])
    found = {}
    for number, values in series.read(start, end, period).items():
        value = measure(values) if values.count else None
        if value is not None:
            found[number] = Point(start + number * period, float(value), values.count)
    return found


def points(metrics: Metrics, alarm: Request, end: float, period: float, count: int) -> list[Point | None]:
    """The last `count` periods before `end` of what an alarm watches, the newest last; None: no data."""
    start = end - count * period
    stat = {
        "Metric": {name: alarm[name] for name in ("Namespace", "MetricName", "Dimensions") if name in alarm},
        "Stat": alarm.get("Statistic") or alarm.get("ExtendedStatistic"),
    }
    if "Unit" in alarm:
        stat["Unit"] = alarm["Unit"]
    found = measured(metrics, stat, start, end, period)
    return [found.get(number) for number in range(count)]

"""Data points out of metrics: for alarms, GetMetricData and GetMetricStatistics alike."""

import ast
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local_sagemaker.cloudwatch.expressions import Evaluator, ExpressionError, names_in, parsed
from local_sagemaker.cloudwatch.math_functions import Frame, Series, Value
from local_sagemaker.cloudwatch.metric_data import key_of
from local_sagemaker.cloudwatch.metrics import Metrics
from local_sagemaker.cloudwatch.statistics import SIMPLE, statistic

Request = dict[str, Any]
DEFAULT_PERIOD = 60


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
    windows = series.read(start, end, period, distribution=stat["Stat"] not in SIMPLE)
    for number, values in sorted(windows.items()):
        value = measure(values) if values.count else None
        if value is not None:
            found[number] = Point(start + number * period, float(value), values.count)
    return found


def points(metrics: Metrics, alarm: Request, end: float, second: float, count: int) -> list[Point | None]:
    """The last `count` periods before `end` of what an alarm watches, the newest last; None: no data.

    `second` is how long a second of the service's takes here.
    """
    if "Metrics" in alarm:
        queries = Queries(metrics, alarm["Metrics"], end=end, second=second, count=count)
        (returned,) = [query["Id"] for query in alarm["Metrics"] if query.get("ReturnData", True)]
        value, frame = queries.value(returned), queries.frame(returned)
        if not isinstance(value, dict):
            return [None] * count
        return [Point(at, value[at], None) if at in value else None for at in frame.times()]
    period = alarm["Period"] * second
    start = end - count * period
    stat: Request = {"Metric": alarm, "Stat": alarm.get("Statistic") or alarm["ExtendedStatistic"]}
    if "Unit" in alarm:
        stat["Unit"] = alarm["Unit"]
    found = measured(metrics, stat, start, end, period)
    return [found.get(number) for number in range(count)]


class Queries:
    """The queries of one request, which refer to each other by id.

    Their times are given either as `start` and `end`, or as the `count` periods before `end`.
    """

    def __init__(
        self,
        metrics: Metrics,
        queries: Sequence[Request],
        *,
        end: float,
        start: float | None = None,
        count: int = 0,
        second: float = 1.0,
    ) -> None:
        self._metrics = metrics
        self._by_id = {query["Id"]: query for query in queries}
        self._start = start
        self._end = end
        self._count = count
        self._second = second
        self._trees: dict[str, ast.expr] = {
            query["Id"]: parsed(query["Expression"]) for query in queries if "Expression" in query
        }
        self._values: dict[str, Value] = {}
        self._open: list[str] = []

    def period(self, identity: str) -> int:
        """The query's period in the service's seconds: of an expression, the longest it refers to."""
        query = self._by_id[identity]
        if "MetricStat" in query:
            period: int = query["MetricStat"]["Period"]
            return period
        if "Period" in query:
            return int(query["Period"])
        named = [name for name in names_in(self._trees[identity]) if name in self._by_id]
        named = [name for name in named if name != identity] or [
            key for key, other in self._by_id.items() if "MetricStat" in other
        ]
        return max((self._plain_period(name) for name in named), default=DEFAULT_PERIOD)

    def frame(self, identity: str) -> Frame:
        """The times of a query: whole periods."""
        period = self.period(identity) * self._second
        if self._start is None:
            return Frame(self._end - self._count * period, self._end, period, self._second)
        start = math.floor(self._start / period) * period
        end = start + math.ceil((self._end - start) / period) * period
        return Frame(start, end, period, self._second)

    def value(self, identity: str) -> Value:
        """The value of a query; raises ExpressionError where it cannot be had."""
        if identity not in self._by_id:
            raise ExpressionError(f"there is no query with the id {identity}")
        if identity in self._open:
            raise ExpressionError(f"{identity} refers to itself")
        if identity not in self._values:
            self._open.append(identity)
            try:
                self._values[identity] = self._evaluated(identity)
            finally:
                self._open.pop()
        return self._values[identity]

    def _plain_period(self, identity: str) -> int:
        query = self._by_id[identity]
        return int(query["MetricStat"]["Period"]) if "MetricStat" in query else self._nested(identity)

    def _nested(self, identity: str) -> int:
        if identity in self._open:
            raise ExpressionError(f"{identity} refers to itself")
        self._open.append(identity)
        try:
            return self.period(identity)
        finally:
            self._open.pop()

    def _evaluated(self, identity: str) -> Value:
        query, frame = self._by_id[identity], self.frame(identity)
        if "MetricStat" in query:
            return self._measured(identity)
        evaluator = Evaluator(frame, self.value, self._all_metrics)
        value = evaluator.value(self._trees[identity])
        if isinstance(value, str):
            raise ExpressionError(f"{query['Expression']} is no time series")
        result: Value = value
        return result

    def _measured(self, identity: str) -> Series:
        frame, stat = self.frame(identity), self._by_id[identity]["MetricStat"]
        found = measured(self._metrics, stat, frame.start, frame.end, frame.period)
        return {point.start: point.value for point in found.values()}

    @functools.cached_property
    def _all_metrics(self) -> dict[str, Series]:
        """What METRICS() stands for: all metrics, and no expressions."""
        return {key: self._measured(key) for key, query in self._by_id.items() if "MetricStat" in query}

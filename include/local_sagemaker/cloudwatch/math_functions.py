"""The functions of metric math (CloudWatch guide, Functions supported for metric math)."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

Series = dict[float, float]  # values by the start of their period
Array = list[tuple[str, Series]]  # time series with their labels
Value = float | Series | Array


@dataclass(frozen=True)
class Frame:
    """The times an expression is over: `second` is how long a second of the service's takes here."""

    start: float
    end: float
    period: float
    second: float = 1.0

    def times(self) -> list[float]:
        """The starts of all periods."""
        count = max(round((self.end - self.start) / self.period), 0)
        return [self.start + number * self.period for number in range(count)]


def lifted(operation: Callable[..., float], *operands: Any) -> Value:
    """An operation on numbers, applied to each data point, or to each series of an array.

    A point is missing where one of the operands has none, or where the result is no number.
    """
    array = next((operand for operand in operands if isinstance(operand, list)), None)
    if array is not None:
        results: Array = []
        for label, series in array:
            parts = [series if operand is array else operand for operand in operands]
            result = lifted(operation, *parts)
            if not isinstance(result, dict):
                raise TypeError("only one of the operands can be an array")
            results.append((label, result))
        return results
    series_given = [operand for operand in operands if isinstance(operand, dict)]
    if not series_given:
        return float(operation(*operands))
    common = set(series_given[0]).intersection(*series_given[1:])
    found = {
        at: float(operation(*(part[at] if isinstance(part, dict) else part for part in operands)))
        for at in sorted(common)
    }
    return {at: value for at, value in found.items() if math.isfinite(value)}


def _aggregate(measure: Callable[[Sequence[float]], float]) -> Callable[..., Value]:
    """Of a series, one number; of an array, a series of what its members have at each time."""

    def apply(frame: Frame, value: Any) -> Value:
        if isinstance(value, dict):
            return float(measure(list(value.values()))) if value else math.nan
        at_each: dict[float, list[float]] = {}
        for _, series in value:
            for at, number in series.items():
                at_each.setdefault(at, []).append(number)
        return {at: float(measure(at_each[at])) for at in sorted(at_each)}

    return apply


def _pointwise(operation: Callable[[float], float]) -> Callable[..., Value]:
    def guarded(number: float) -> float:
        try:
            return float(operation(number))
        except ValueError:
            return math.nan

    return lambda frame, value: lifted(guarded, value)


def _each(change: Callable[[Frame, Series], Series]) -> Callable[..., Value]:
    """A change of whole series, applied to each of an array."""

    def apply(frame: Frame, value: Any) -> Value:
        if isinstance(value, list):
            return [(label, change(frame, series)) for label, series in value]
        return change(frame, value)

    return apply


def _condition(frame: Frame, condition: Any, yes: Any, no: Any = None) -> Value:
    """IF: without an alternative, a point is missing where the condition does not hold."""
    if isinstance(condition, float):
        chosen = yes if condition else no
        return {} if chosen is None else chosen
    found: Series = {}
    for at, holds in condition.items():
        chosen = yes if holds else no
        value = chosen.get(at) if isinstance(chosen, dict) else chosen
        if value is not None:
            found[at] = value
    return found


def _fill(frame: Frame, value: Any, filler: Any) -> Value:
    if isinstance(value, list):
        return [(label, _filled(frame, series, filler)) for label, series in value]
    return _filled(frame, value, filler)


def _filled(frame: Frame, series: Series, filler: Any) -> Series:
    filled: Series = {}
    known = sorted(series)
    for at in sorted({*frame.times(), *known}):
        if at in series:
            filled[at] = series[at]
        elif isinstance(filler, dict):
            if at in filler:
                filled[at] = filler[at]
        elif isinstance(filler, float):
            filled[at] = filler
        else:
            before = [other for other in known if other < at]
            after = [other for other in known if other > at]
            if before and filler == "REPEAT":
                filled[at] = series[before[-1]]
            elif before and after and filler == "LINEAR":
                share = (at - before[-1]) / (after[0] - before[-1])
                filled[at] = series[before[-1]] + share * (series[after[0]] - series[before[-1]])
    return filled


def _rate(frame: Frame, series: Series) -> Series:
    steps = pairwise(sorted(series))
    return {now: (series[now] - series[then]) / ((now - then) / frame.second) for then, now in steps}


def _running_sum(frame: Frame, series: Series) -> Series:
    total, sums = 0.0, {}
    for at in sorted(series):
        total += series[at]
        sums[at] = total
    return sums


def _of_time(part: Callable[[datetime], float]) -> Callable[..., Value]:
    return lambda frame, series: {at: float(part(datetime.fromtimestamp(at, UTC))) for at in series}


def _count(frame: Frame, value: Any) -> float:
    return float(len(value))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "SUM": _aggregate(math.fsum),
    "AVG": _aggregate(statistics.fmean),
    "MIN": _aggregate(min),
    "MAX": _aggregate(max),
    "STDDEV": _aggregate(statistics.pstdev),
    "ABS": _pointwise(abs),
    "CEIL": _pointwise(math.ceil),
    "FLOOR": _pointwise(math.floor),
    "LOG": _pointwise(math.log),
    "LOG10": _pointwise(math.log10),
    "FIRST": lambda frame, value: value[0][1] if isinstance(value, list) else value[min(value)],
    "LAST": lambda frame, value: value[-1][1] if isinstance(value, list) else value[max(value)],
    "IF": _condition,
    "FILL": _fill,
    "RATE": _each(_rate),
    "DIFF": _each(
        lambda frame, series: {now: series[now] - series[then] for then, now in pairwise(sorted(series))}
    ),
    "DIFF_TIME": _each(
        lambda frame, series: {now: (now - then) / frame.second for then, now in pairwise(sorted(series))}
    ),
    "RUNNING_SUM": _each(_running_sum),
    "TIME_SERIES": lambda frame, number: dict.fromkeys(frame.times(), float(number)),
    "PERIOD": lambda frame, series: frame.period / frame.second,
    "METRIC_COUNT": _count,
    "DATAPOINT_COUNT": _count,
    "EPOCH": _of_time(lambda moment: moment.timestamp()),
    "MINUTE": _of_time(lambda moment: moment.minute),
    "HOUR": _of_time(lambda moment: moment.hour),
    "DAY": _of_time(lambda moment: moment.isoweekday()),
    "DATE": _of_time(lambda moment: moment.day),
    "MONTH": _of_time(lambda moment: moment.month),
    "YEAR": _of_time(lambda moment: moment.year),
}

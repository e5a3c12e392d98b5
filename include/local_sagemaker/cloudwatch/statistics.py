"""CloudWatch's statistics by name, from `Average` and `p99.9` to trimmed means (Statistics definitions,
CloudWatch guide)."""

import functools
import re
from collections.abc import Callable

from local_sagemaker.cloudwatch.histogram import Histogram

Statistic = Callable[[Histogram], float | None]

SIMPLE: dict[str, Statistic] = {
    "SampleCount": lambda values: values.count,
    "Sum": lambda values: values.total,
    "Average": lambda values: values.total / values.count,
    "Minimum": lambda values: values.low,
    "Maximum": lambda values: values.high,
}
_PERCENT = r"(?:100|\d{1,2}(?:\.\d{1,10})?)"
_PERCENTILE = re.compile(rf"p({_PERCENT})")
_SHORT = re.compile(rf"(tm|wm|tc|ts)({_PERCENT})")
_LONG = re.compile(r"(TM|WM|TC|TS|PR)\((-?[\d.]+%?)?:(-?[\d.]+%?)?\)")


@functools.lru_cache(maxsize=256)
def statistic(name: str) -> Statistic:
    """The statistic of that name: None where the values do not tell. Raises ValueError for another name."""
    if name in SIMPLE:
        return SIMPLE[name]
    if name == "IQM":
        return _known(_bounded("TM", "25%", "75%"))
    if found := _PERCENTILE.fullmatch(name):
        share = float(found[1]) / 100
        return _known(lambda values: values.quantile(share))
    if found := _SHORT.fullmatch(name):
        return _known(_bounded(found[1].upper(), "0%", f"{found[2]}%"))
    found = _LONG.fullmatch(name)
    if found is None or not (found[2] or found[3]):
        raise ValueError(f"{name} is not a statistic")
    return _known(_bounded(found[1], found[2], found[3]))


def percentile_of(name: str) -> float | None:
    """The share (0 to 1) that a percentile's name gives; None for any other statistic."""
    found = _PERCENTILE.fullmatch(name)
    return float(found[1]) / 100 if found else None


def _known(measure: Statistic) -> Statistic:
    """A statistic of the distribution, which a set of summaries does not have."""
    return lambda values: None if values.partial else measure(values)


def _bounded(kind: str, low: str | None, high: str | None) -> Statistic:
    def measure(values: Histogram) -> float | None:
        kept = _winsorized(values, low, high) if kind == "WM" else _kept(values, low, high)
        count = sum(times for _, times in kept)
        total = sum(value * times for value, times in kept)
        if kind == "PR":
            return 100 * count / values.count
        if kind in ("TC", "TS"):
            return count if kind == "TC" else total
        return total / count if count else None

    return measure


def _kept(values: Histogram, low: str | None, high: str | None) -> list[tuple[float, float]]:
    """The part of the values between the bounds: by share of the values where in percent, else by value."""
    first, last = _share(low, 0.0) * values.count, _share(high, 1.0) * values.count
    least, most = _value(low, values.low, strict=True), _value(high, values.high)
    kept, reached = [], 0.0
    for value, times in values.values():
        within = min(reached + times, last) - max(reached, first)
        reached += times
        if within > 0 and least <= value <= most:
            kept.append((value, within))
    return kept


def _winsorized(values: Histogram, low: str | None, high: str | None) -> list[tuple[float, float]]:
    """All values, those beyond the bounds moved to them."""
    least = values.quantile(_share(low, 0.0)) if low is None or "%" in low else float(low)
    most = values.quantile(_share(high, 1.0)) if high is None or "%" in high else float(high)
    return [(min(max(value, least), most), times) for value, times in values.values()]


def _share(bound: str | None, otherwise: float) -> float:
    return float(bound[:-1]) / 100 if bound and bound.endswith("%") else otherwise


def _value(bound: str | None, otherwise: float, *, strict: bool = False) -> float:
    """A bound in the metric's own unit; the lower one is exclusive."""
    if bound is None or bound.endswith("%"):
        return otherwise
    return float(bound) + (1e-12 if strict else 0.0)

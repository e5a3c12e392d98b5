"""The values put to one metric within one span of time: exact sums, and a distribution for percentiles."""

import math
from collections.abc import Iterator

_STEPS = 256  # of the mantissa, which lies in [0.5, 1): representatives are within 0.4 % of their values


class Histogram:
    """Counts by rounded value, and the exact count, sum, minimum and maximum.

    Values are rounded to eight significant bits, so small whole numbers stay as they are and the number
    of counts is bounded: 128 for each factor of two between the least and the greatest.
    `partial` says that some values are known only by their summary: no percentiles then.
    """

    __slots__ = ("_counts", "count", "high", "low", "partial", "total")

    def __init__(self) -> None:
        self._counts: dict[float, float] = {}
        self.count = 0.0
        self.total = 0.0
        self.low = math.inf
        self.high = -math.inf
        self.partial = False

    def add(self, value: float, times: float = 1.0) -> None:
        """`value`, `times` over."""
        mantissa, exponent = math.frexp(value)
        rounded = math.ldexp(round(mantissa * _STEPS), exponent - 8)
        self._counts[rounded] = self._counts.get(rounded, 0.0) + times
        self._tally(times, value * times, value, value)

    def add_summary(self, count: float, total: float, low: float, high: float) -> None:
        """A statistic set: `count` values between `low` and `high` that sum to `total`."""
        if count == 1 or low == high:
            self.add(low, count)
            return
        self._tally(count, total, low, high)
        self.partial = True

    def merge(self, other: "Histogram", *, distribution: bool = True) -> None:
        """Take in all of another's values; without their distribution where only sums are wanted."""
        if distribution:
            counts = self._counts
            for value, times in other._counts.items():
                counts[value] = counts.get(value, 0.0) + times
        self._tally(other.count, other.total, other.low, other.high)
        self.partial = self.partial or other.partial

    def values(self) -> Iterator[tuple[float, float]]:
        """Values in ascending order, each with its count; within 0.4 % of what was added."""
        for value in sorted(self._counts):
            yield min(max(value, self.low), self.high), self._counts[value]

    def quantile(self, share: float) -> float:
        """The least value that at least `share` (0 to 1) of all values do not exceed."""
        wanted = share * self.count
        reached = 0.0
        for value, times in self.values():
            reached += times
            if reached >= wanted - 1e-9:
                return value
        return self.high

    def _tally(self, count: float, total: float, low: float, high: float) -> None:
        self.count += count
        self.total += total
        self.low = min(self.low, low)
        self.high = max(self.high, high)

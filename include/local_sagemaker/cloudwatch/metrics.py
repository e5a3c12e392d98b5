"""Every metric of the account, by namespace, name and dimensions."""

import math
import time
from collections.abc import Callable, Iterator, Mapping

from local_sagemaker.clock import Clock
from local_sagemaker.cloudwatch.histogram import Histogram
from local_sagemaker.cloudwatch.series import Series, tiers

MAX_SERIES = 10_000
_LARGEST = 2.0**360
Dimensions = tuple[tuple[str, str], ...]
Key = tuple[str, str, Dimensions]


def dimensions_of(dimensions: Mapping[str, str]) -> Dimensions:
    """Dimensions in the one order in which they identify a metric."""
    return tuple(sorted(dimensions.items()))


def is_value(value: float) -> bool:
    """Whether CloudWatch takes it: no NaN, no infinity, nothing beyond 2**360 (PutMetricData's reference)."""
    return math.isfinite(value) and abs(value) <= _LARGEST


class Metrics:
    """Metrics in memory: they start empty with the server, as alarms do not."""

    def __init__(self, clock: Clock) -> None:
        self._layout = tiers(1 / clock.real(1))
        self._series: dict[Key, Series] = {}
        self._sources: list[Callable[[], None]] = []

    @property
    def finest(self) -> float:
        """Seconds below which moments are not told apart."""
        return self._layout[0].width

    def feed_from(self, source: Callable[[], None]) -> None:
        """Call `source` before each read: it puts what it has gathered since the last."""
        self._sources.append(source)

    def put(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        value: float,
        *,
        unit: str = "None",
        at: float | None = None,
    ) -> None:
        """One value; `at` is in seconds since the epoch, now if not given."""
        self.span((namespace, name, dimensions_of(dimensions)), unit, at).add(value)

    def span(self, key: Key, unit: str, at: float | None = None) -> Histogram:
        """What values of that time are added to."""
        now = time.time()
        series = self._series.get(key)
        if series is None:
            if len(self._series) >= MAX_SERIES:
                del self._series[min(self._series, key=lambda known: self._series[known].updated)]
            series = self._series[key] = Series(self._layout, unit)
        if unit != "None":
            series.unit = unit
        return series.at(now if at is None else at, now)

    def find(self, key: Key) -> Series | None:
        """The metric with exactly these dimensions, with all that was put so far."""
        self._settle()
        return self._series.get(key)

    def all(self) -> Iterator[tuple[Key, Series]]:
        """Every metric, ordered by namespace, name and dimensions."""
        self._settle()
        yield from sorted(self._series.items(), key=lambda item: item[0])

    def _settle(self) -> None:
        for source in self._sources:
            source()

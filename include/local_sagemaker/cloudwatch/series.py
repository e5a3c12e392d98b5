"""One metric's values in time: fine spans for the newest, ever wider ones with age."""

import math
from dataclasses import dataclass

from local_sagemaker.cloudwatch.histogram import Histogram

_MINUTE = 60.0
_HOUR = 3600.0
_DAY = 86_400.0
_FINEST = 0.02


@dataclass(frozen=True)
class Tier:
    """Spans of `width` seconds, kept until they are `age` seconds old."""

    width: float
    age: float


def tiers(scale: float) -> list[Tier]:
    """The tiers for a clock that runs `scale` times as fast.

    An alarm's period is a wait of the service's, divided by the scale: the finest spans are a second of
    its time. All widths divide a real minute, so that minutes asked for over the API are whole.
    """
    second = 1 / max(scale, 1.0)
    wanted = [
        Tier(second, 15 * _MINUTE * second),
        Tier(10 * second, 3 * _HOUR * second),
        Tier(_MINUTE * second, _DAY * second),
        Tier(_MINUTE, _DAY),
        Tier(5 * _MINUTE, 15 * _DAY),
    ]
    chosen: list[Tier] = []
    for tier in wanted:
        width = max(tier.width, _FINEST)
        if width < _MINUTE:
            width = _MINUTE / math.ceil(_MINUTE / width - 1e-9)
        if not chosen or tier.age > chosen[-1].age:
            chosen.append(Tier(width, tier.age))
    return chosen


class Series:
    """Histograms by time; memory is bounded by the tiers, whatever the rate."""

    def __init__(self, layout: list[Tier], unit: str) -> None:
        self.unit = unit
        self.updated = 0.0
        self._layout = layout
        self._spans: list[dict[int, Histogram]] = [{} for _ in layout]
        self._compacted = 0.0

    def at(self, when: float, now: float) -> Histogram:
        """The histogram to which a value of time `when` (seconds since the epoch) is added."""
        self.updated = now
        if now - self._compacted > self._layout[0].age / 4:
            self._compact(now)
        level = self._level(now - when)
        number = math.floor(when / self._layout[level].width + 1e-6)
        spans = self._spans[level]
        found = spans.get(number)
        if found is None:
            found = spans[number] = Histogram()
        return found

    def read(
        self, start: float, end: float, period: float, *, distribution: bool = True
    ) -> dict[int, Histogram]:
        """The values of `start` <= time < `end`, by period: key k is from `start` + k * `period` on.

        Without `distribution` there are no percentiles, which is quicker.
        """
        windows: dict[int, Histogram] = {}
        for tier, spans in zip(self._layout, self._spans, strict=True):
            first, last = math.floor(start / tier.width), math.ceil(end / tier.width)
            numbers = range(first, last) if last - first < len(spans) else list(spans)
            for number in numbers:
                values = spans.get(number)
                middle = (number + 0.5) * tier.width
                if values is not None and start <= middle < end:
                    window = windows.setdefault(math.floor((middle - start) / period), Histogram())
                    window.merge(values, distribution=distribution)
        return windows

    def _level(self, age: float) -> int:
        for level, tier in enumerate(self._layout):
            if age < tier.age:
                return level
        return len(self._layout) - 1

    def _compact(self, now: float) -> None:
        """Move what is too old for its tier to the next; drop what is too old for the last."""
        self._compacted = now
        for level, tier in enumerate(self._layout):
            spans = self._spans[level]
            for number in [number for number in spans if now - number * tier.width >= tier.age]:
                values = spans.pop(number)
                if level + 1 < len(self._layout):
                    wider = math.floor((number + 0.5) * tier.width / self._layout[level + 1].width)
                    self._spans[level + 1].setdefault(wider, Histogram()).merge(values)

"""What was measured, all of it since the comparison began, in windows of time.

Within a window both sides had the same surroundings: a load or a fault common to both moves both, and says
nothing. A window should be as short as its counts allow, and end where the shares of traffic change.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# Several parts, such as a probability for each class, are one answer.
Answer = str | float | tuple[str | float, ...]


@dataclass(frozen=True)
class RequestWindow:
    """Requests and errors of both sides in one window."""

    candidate: int
    candidate_errors: int
    champion: int
    champion_errors: int


@dataclass(frozen=True)
class ErrorCounts:
    """For an `ErrorRate`."""

    windows: Sequence[RequestWindow]


@dataclass(frozen=True)
class LatencyWindow:
    """Latencies of single requests of both sides in one window, in one unit."""

    candidate: Sequence[float]
    champion: Sequence[float]


@dataclass(frozen=True)
class LatencySamples:
    """For a `LatencyQuantile`."""

    windows: Sequence[LatencyWindow]


@dataclass(frozen=True)
class Point:
    """One period's statistic of both sides, and how many requests it stands for; in the order of time."""

    candidate: float
    candidate_requests: int
    champion: float
    champion_requests: int


@dataclass(frozen=True)
class LatencySeries:
    """For `LatencyPoints`."""

    points: Sequence[Point]


@dataclass(frozen=True)
class PairedAnswers:
    """For a `Disagreement`: the answers to the same requests, in the same order."""

    candidate: Sequence[Answer]
    champion: Sequence[Answer]


@dataclass(frozen=True)
class Answers:
    """For a `PredictionDrift`: the answers of both sides, to whichever requests each had."""

    candidate: Sequence[Answer]
    champion: Sequence[Answer]


@dataclass(frozen=True)
class SuccessWindow:
    """Trials and successes of both sides in one window of an A/B test."""

    candidate: int
    candidate_successes: int
    champion: int
    champion_successes: int


@dataclass(frozen=True)
class Unavailable:
    """What could not be measured, and why."""

    reason: str


Measurement = ErrorCounts | LatencySamples | LatencySeries | PairedAnswers | Answers | Unavailable

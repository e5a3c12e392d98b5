"""What a measurement says of a metric, before any level is held against it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """The numbers of one look.

    planned: samples as the plan counts them: of each side, or as many as these are worth where one side has
    more; worse_than_tolerated, better_than_unacceptable: p-values; interval: the effect's two-sided
    confidence interval by the probability of each of its ends; stop: why the candidate fails whatever the
    samples, or None.
    """

    candidate_samples: int
    champion_samples: int
    planned: float
    candidate: float
    champion: float
    effect: float
    worse_than_tolerated: float
    better_than_unacceptable: float
    interval: Callable[[float], tuple[float, float]]
    stop: str | None = None


@dataclass(frozen=True)
class TooFew:
    """More are needed before anything is said; counts of each side."""

    reason: str
    candidate_samples: int
    champion_samples: int


class UnusableError(ValueError):
    """Measurements that nothing can be said of; the message says what was found."""


def worth(candidate: int, champion: int) -> float:
    """How many samples of each side tell as much: 1,000 beside 19,000 are worth 1,900 of each."""
    return 2 * candidate * champion / (candidate + champion) if candidate and champion else 0.0


def too_few(candidate: int, champion: int, least: int, what: str) -> TooFew | None:
    """Whether a side has fewer than the least samples."""
    if min(candidate, champion) >= least:
        return None
    return TooFew(
        f"{candidate} {what} of the candidate and {champion} of the champion, expected at least {least} of "
        "each",
        candidate,
        champion,
    )

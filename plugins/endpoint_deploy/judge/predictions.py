"""Disagreement of the answers to the same requests, and drift between answers to any.

A disagreement either is or is not: the exact binomial test holds it to a share. Drift of numbers is the
distance of Kolmogorov and Smirnov, bounded by the inequality of Dvoretzky, Kiefer, Wolfowitz and Massart on
each side, which holds for every number of samples and every distribution. Drift of labels is the largest
change of a label's share; for so many labels the p-value is multiplied.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from endpoint_deploy.core.judging import Disagreement, PredictionDrift
from endpoint_deploy.judge.errors import proportion_interval
from endpoint_deploy.judge.evidence import Evidence, TooFew, UnusableError, too_few, worth
from endpoint_deploy.judge.measurements import Answer, Answers, PairedAnswers
from endpoint_deploy.judge.tails import Floats, at_least, at_most


def disagreement_evidence(metric: Disagreement, measured: PairedAnswers) -> Evidence | TooFew:
    """Raises UnusableError for answers that are not paired, or numbers that are none."""
    count = len(measured.candidate)
    if count != len(measured.champion):
        raise UnusableError(
            f"found {count} answers of the candidate and {len(measured.champion)} of the champion"
        )
    if few := too_few(count, count, metric.least, "answers"):
        return few
    if metric.of == "numbers":
        mine, theirs = _numbers(measured.candidate), _numbers(measured.champion)
        apart = np.abs(mine - theirs) > metric.absolute + metric.relative * np.abs(theirs)
    elif metric.of == "either":
        apart = np.array(
            [_apart(metric, a, b) for a, b in zip(measured.candidate, measured.champion, strict=True)]
        )
    else:
        apart = np.array(
            [str(a) != str(b) for a, b in zip(measured.candidate, measured.champion, strict=True)]
        )
    found = int(apart.sum())
    return Evidence(
        candidate_samples=count,
        champion_samples=count,
        planned=count,
        candidate=found / count,
        champion=0.0,
        effect=found / count,
        worse_than_tolerated=at_least(found, count, metric.tolerated),
        better_than_unacceptable=at_most(found, count, metric.unacceptable),
        interval=lambda tail: proportion_interval(found, count, tail),
    )


def drift_evidence(metric: PredictionDrift, measured: Answers) -> Evidence | TooFew:
    """Raises UnusableError for numbers that are none."""
    sizes = len(measured.candidate), len(measured.champion)
    if few := too_few(*sizes, metric.least, "answers"):
        return few
    if metric.of == "numbers":
        return _distance(metric, _numbers(measured.candidate), _numbers(measured.champion))
    return _shares(metric, _labels(measured.candidate), _labels(measured.champion))


def _apart(metric: Disagreement, mine: Answer, theirs: Answer) -> bool:
    """Whether two answers differ. Numbers that are both whole may be labels: they are never alike enough."""
    if isinstance(mine, tuple) and isinstance(theirs, tuple) and len(mine) == len(theirs):
        return any(_apart(metric, a, b) for a, b in zip(mine, theirs, strict=True))
    if isinstance(mine, tuple) or isinstance(theirs, tuple):
        return True
    if mine == theirs or isinstance(mine, str) or isinstance(theirs, str):
        return mine != theirs
    if float(mine).is_integer() and float(theirs).is_integer():
        return True
    return not abs(mine - theirs) <= metric.absolute + metric.relative * abs(theirs)


def _distance(metric: PredictionDrift, mine: Floats, theirs: Floats) -> Evidence:
    both = np.sort(np.concatenate([mine, theirs]))  # sorted, since a search in order is ten times as fast
    below = [np.searchsorted(np.sort(side), both, side="right") / len(side) for side in (mine, theirs)]
    found = float(np.abs(below[0] - below[1]).max())
    scale = 1 / np.sqrt(len(mine)) + 1 / np.sqrt(len(theirs))

    def beyond(gap: float) -> float:
        """DKW on both sides, each at half the probability: 4 exp(-2 (gap / scale)^2)."""
        return min(1.0, float(4 * np.exp(-2 * (gap / scale) ** 2))) if gap > 0 else 1.0

    def interval(tail: float) -> tuple[float, float]:
        reach = float(np.sqrt(np.log(4 / tail) / 2)) * scale
        return max(0.0, found - reach), min(1.0, found + reach)

    return Evidence(
        candidate_samples=len(mine),
        champion_samples=len(theirs),
        planned=worth(len(mine), len(theirs)),
        candidate=float(np.median(mine)),
        champion=float(np.median(theirs)),
        effect=found,
        worse_than_tolerated=beyond(found - metric.tolerated),
        better_than_unacceptable=beyond(metric.unacceptable - found),
        interval=interval,
    )


def _shares(metric: PredictionDrift, mine: NDArray[np.str_], theirs: NDArray[np.str_]) -> Evidence:
    labels = np.unique(np.concatenate([mine, theirs]))
    sides = [np.bincount(np.searchsorted(labels, side), minlength=len(labels)) for side in (mine, theirs)]
    p, q = (counts / counts.sum() for counts in sides)
    # One more answer of each kind on each side (Agresti and Caffo, 2000): a share of 0 is not known for sure.
    spread = np.sqrt(sum(_variance(counts) for counts in sides))
    moved = np.abs(p - q)
    most = int(moved.argmax())
    # Two-sided, and for each label; that nothing moved too far must hold of every label, at no such price.
    worse = float(2 * len(labels) * ndtr(-(moved - metric.tolerated) / spread).min())
    within = float(2 * ndtr(-(metric.unacceptable - moved) / spread).max())

    def interval(tail: float) -> tuple[float, float]:
        reach = float(-ndtri(tail / (2 * len(labels)))) * float(spread[most])
        return max(0.0, float(moved[most]) - reach), min(1.0, float(moved[most]) + reach)

    return Evidence(
        candidate_samples=len(mine),
        champion_samples=len(theirs),
        planned=worth(len(mine), len(theirs)),
        candidate=float(p[most]),
        champion=float(q[most]),
        effect=float(moved[most]),
        worse_than_tolerated=min(1.0, worse),
        better_than_unacceptable=min(1.0, within),
        interval=interval,
    )


def _variance(counts: NDArray[np.int64]) -> Floats:
    total = counts.sum() + 2
    share = (counts + 1) / total
    return np.asarray(share * (1 - share) / total)


def _numbers(values: Sequence[Answer]) -> Floats:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UnusableError(f"found answers that are no numbers: {error}") from error
    if wrong := int((~np.isfinite(numbers)).sum()):
        raise UnusableError(f"found {wrong} of {len(numbers)} answers to be no finite numbers")
    return numbers


def _labels(values: Sequence[Answer]) -> NDArray[np.str_]:
    return np.array([str(value) for value in values], dtype=np.str_)

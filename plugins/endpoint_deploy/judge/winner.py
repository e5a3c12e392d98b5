"""One look at an A/B test: whether the candidate's share of successes names a winner.

Two questions are asked at once, each with errors of its own, spent over the looks (see `spending`). Is the
candidate better? That it is no better is tested by the exact conditional test, stratified by windows (see
`tails`). Or is it worth no switch? That it is better by `least_difference` is tested by the score test (see
`score`). The share of the planned samples is one of information: how many are needed follows from the rate
that both sides together turn out to have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor
from typing import Final

import numpy as np
from scipy.special import ndtri

from endpoint_deploy.core.ab_samples import samples_for
from endpoint_deploy.core.ab_spec import SuccessMetric
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.judge.errors import proportion_interval
from endpoint_deploy.judge.measurements import SuccessWindow
from endpoint_deploy.judge.score import as_small, difference, spread, worths
from endpoint_deploy.judge.spending import level
from endpoint_deploy.judge.tails import Ints, hypergeometric_tails

STEPS: Final = 20  # into which the planned samples are cut: a look counts once it has passed the next
LEAST_EVENTS: Final = 10  # successes, and failures, of both sides: fewer do not tell the rate
_TAIL: Final = 0.025  # of the intervals of the two rates
_POINTS: Final = 100.0


class Named(StrEnum):
    """Who has won."""

    CANDIDATE = "candidate"
    CHAMPION = "champion"
    NOBODY = "nobody"


class Rate(Strict):
    """A side's successes; low, high: the 95 % interval of Clopper and Pearson, at this look alone."""

    trials: int
    successes: int
    rate: float
    low: float
    high: float


class Standing(Strict):
    """How an A/B test stands at a look.

    gain: of the candidate in percentage points, towards what is better; low, high: the levels' own interval
    of it, None where the look does not count; share: of the samples needed; win_looks, stay_looks: shares at
    which each question was asked so far, which must be handed to the next look.
    """

    winner: Named = Named.NOBODY
    look: int = 1
    candidate: Rate | None = None
    champion: Rate | None = None
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    needed: int | None = None
    share: float = 0.0
    win_looks: tuple[float, ...] = ()
    stay_looks: tuple[float, ...] = ()
    lacks: str | None = None

    @property
    def exhausted(self) -> bool:
        """Whether both questions were asked of all planned samples: more would prove nothing."""
        return all(looks and looks[-1] >= 1 for looks in (self.win_looks, self.stay_looks))


def look_at(
    metric: SuccessMetric,
    windows: Sequence[SuccessWindow],
    previous: Standing | None = None,
    *,
    may_win: bool = True,
    errors: float = 1.0,
) -> Standing:
    """Look at all that was measured since the test began.

    previous: the look before, which says what has been spent; may_win: whether the candidate may win yet, for
    which nothing is spent before; errors: the share of the errors allowed that this test may make. Raises
    ValueError for counts that cannot be.
    """
    counts = np.array(
        [
            (each.candidate, each.candidate_successes, each.champion, each.champion_successes)
            for each in windows
        ],
        dtype=np.int64,
    ).reshape(-1, 4)
    if (counts < 0).any() or (counts[:, [1, 3]] > counts[:, [0, 2]]).any():
        raise ValueError("found windows with fewer trials than successes, or with counts below 0")
    totals = tuple(int(each) for each in counts.sum(axis=0))
    base = Standing(
        look=1 + (previous.look if previous else 0),
        candidate=_rate(*totals[:2]),
        champion=_rate(*totals[2:]),
        win_looks=previous.win_looks if previous else (),
        stay_looks=previous.stay_looks if previous else (),
        share=previous.share if previous else 0.0,
    )
    both = counts[(counts[:, 0] > 0) & (counts[:, 2] > 0)]
    if lacks := _lacks(metric, totals, both):
        return base.model_copy(update={"lacks": lacks})
    return _Look(metric, both, base, may_win=may_win, errors=errors).standing()


@dataclass(frozen=True)
class _Look:
    metric: SuccessMetric
    counts: Ints
    base: Standing
    may_win: bool
    errors: float

    def standing(self) -> Standing:
        metric, errors = self.metric, self.errors
        n, x, m, y = (int(each) for each in self.counts.sum(axis=0))
        needed = samples_for(metric, (x + y) / (n + m), errors=errors)
        there = 2 * float(worths(self.counts).sum())
        share = max(self.base.share, min(1.0, there / needed))
        wins = _next(self.base.win_looks, share) if self.may_win else None
        stays = _next(self.base.stay_looks, share)
        win_at = level(wins, metric.false_alarms * errors) if wins else None
        stay_at = level(stays, metric.missed * errors) if stays else None
        won = win_at is not None and self._no_better() <= win_at
        stayed = stay_at is not None and self._worth_it() <= stay_at
        low, high = self._interval(win_at, stay_at)
        return self.base.model_copy(
            update={
                # Both are proven of a candidate that is better, and by too little.
                "winner": Named.CHAMPION if stayed else Named.CANDIDATE if won else Named.NOBODY,
                "gain": _POINTS * difference(self._towards),
                "low": low,
                "high": high,
                "needed": round(needed),
                "share": share,
                "win_looks": wins or self.base.win_looks,
                "stay_looks": stays or self.base.stay_looks,
            }
        )

    @property
    def _towards(self) -> Ints:
        """The counts with what is better for a success."""
        if self.metric.better == "higher":
            return self.counts
        n, x, m, y = self.counts.T
        return np.stack([n, n - x, m, m - y], axis=1)

    def _no_better(self) -> float:
        n, x, m, y = self._towards.T
        return hypergeometric_tails(int(x.sum()), x + y, n, n + m)[0]

    def _worth_it(self) -> float:
        return as_small(self._towards, self.metric.least_difference / _POINTS)

    def _interval(self, win_at: float | None, stay_at: float | None) -> tuple[float | None, float | None]:
        """Each end at the level of its question at this look."""
        n, x, m, y = (int(each) for each in self._towards.sum(axis=0))
        found, away = difference(self._towards), spread(self._towards, x / n, y / m)
        low = None if win_at is None else _POINTS * (found + float(ndtri(win_at)) * away)
        high = None if stay_at is None else _POINTS * (found - float(ndtri(stay_at)) * away)
        return low, high


def _next(looks: tuple[float, ...], share: float) -> tuple[float, ...] | None:
    """The looks with this one; None where it brings too little that is new to count."""
    step = round(floor(share * STEPS + 1e-9) / STEPS, 4)
    return (*looks, step) if step > (looks[-1] if looks else 0.0) else None


def _rate(trials: int, successes: int) -> Rate:
    low, high = proportion_interval(successes, trials, _TAIL) if trials else (0.0, 1.0)
    rate = successes / trials if trials else 0.0
    return Rate(trials=trials, successes=successes, rate=rate, low=low, high=high)


def _lacks(metric: SuccessMetric, totals: tuple[int, ...], both: Ints) -> str | None:
    """What there is too little of; None where something can be said."""
    candidate, _, champion, _ = totals
    if not candidate and not champion:
        return "no data"
    if min(candidate, champion) < metric.least_samples:
        return (
            f"{candidate} samples of the candidate and {champion} of the champion, expected at least "
            f"{metric.least_samples} of each"
        )
    n, x, m, y = (int(each) for each in both.sum(axis=0))
    if min(x + y, n + m - x - y) < LEAST_EVENTS:
        return f"{x + y} successes in {n + m} samples, expected at least {LEAST_EVENTS} of each sort"
    return None

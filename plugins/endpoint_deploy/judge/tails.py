"""Exact tails of sums over windows.

Given how many of a window's requests had an error, on whichever side, how many of them are the candidate's is
a draw; what moved both sides of a window alike has no part in it (Cochran, Mantel and Haenszel's idea). The
sum over windows is compared with its exact distribution.
"""

from collections.abc import Sequence
from math import lgamma
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc, gammaln, ndtr

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_EXACT: Final = 2_000  # draws above which a normal distribution is as good


def at_least(found: int, draws: int, share: float) -> float:
    """P(X >= found) of a binomial distribution."""
    return float(bdtrc(found - 1, draws, share)) if found > 0 else 1.0


def at_most(found: int, draws: int, share: float) -> float:
    """P(X <= found) of a binomial distribution."""
    return float(bdtr(found, draws, share))


def binomial_tails(found: int, draws: Ints, shares: Floats) -> tuple[float, float]:
    """P(X >= found) and P(X <= found), X the sum of a binomial variable for each window."""
    used = draws > 0
    draws, shares = draws[used], shares[used]
    total = int(draws.sum())
    if not total:
        return 1.0, 1.0
    if np.ptp(shares) < 1e-12:  # noqa: PLR2004 - rounding
        return at_least(found, total, float(shares[0])), at_most(found, total, float(shares[0]))
    if total > _EXACT:
        return _normal(found, float(draws @ shares), float(draws @ (shares * (1 - shares))))
    masses = [_binomial(int(draw), float(share)) for draw, share in zip(draws, shares, strict=True)]
    return _tails(found, 0, masses)


def hypergeometric_tails(found: int, draws: Ints, candidate: Ints, both: Ints) -> tuple[float, float]:
    """The same where `draws` of `both` sides' samples are marked, and `candidate` of them are the
    candidate's."""
    share = candidate / both
    if draws.sum() > _EXACT:
        spread = draws * share * (1 - share) * (both - draws) / np.maximum(1, both - 1)
        return _normal(found, float(draws @ share), float(spread.sum()))
    offsets = np.maximum(0, draws - (both - candidate))
    masses = [
        _hypergeometric(int(draw), int(mine), int(all_), int(low))
        for draw, mine, all_, low in zip(draws, candidate, both, offsets, strict=True)
    ]
    return _tails(found, int(offsets.sum()), masses)


def _tails(found: int, offset: int, masses: Sequence[Floats]) -> tuple[float, float]:
    total = np.ones(1)
    for mass in masses:
        total = np.convolve(total, mass)
    index = found - offset
    return min(1.0, float(total[max(0, index) :].sum())), min(1.0, float(total[: index + 1].sum()))


def _normal(found: int, mean: float, variance: float) -> tuple[float, float]:
    if variance <= 0:
        return 1.0, 1.0
    spread = np.sqrt(variance)
    return float(ndtr((mean - found + 0.5) / spread)), float(ndtr((found + 0.5 - mean) / spread))


def _binomial(draws: int, share: float) -> Floats:
    k = np.arange(draws + 1)
    logs = _choose(draws, k) + k * np.log(share) + (draws - k) * np.log1p(-share)
    return np.asarray(np.exp(logs))


def _hypergeometric(draws: int, candidate: int, both: int, low: int) -> Floats:
    k = np.arange(low, min(draws, candidate) + 1)
    logs = _choose(candidate, k) + _choose(both - candidate, draws - k) - _choose(both, np.array(draws))
    return np.asarray(np.exp(logs))


def _choose(of: int, k: Ints) -> Floats:
    return np.asarray(lgamma(of + 1) - gammaln(k + 1) - gammaln(of - k + 1))

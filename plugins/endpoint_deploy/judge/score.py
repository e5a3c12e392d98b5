"""The score test of a difference of two proportions, stratified by windows.

The variance is the one that the difference would have if it were as supposed, by the proportions that are
then the likeliest (Farrington and Manning, Statistics in Medicine, 1990, appendix). The windows' differences
are weighed as by Mantel and Haenszel, so that many small windows tell as much as a few large ones. Where the
rate swings from window to window the proportions of all of them together make the variance too large, and
never too small: p(1 - p) is concave.
"""

from math import acos, copysign, cos, pi, sqrt

import numpy as np
from scipy.special import ndtr

from endpoint_deploy.judge.tails import Floats, Ints

_CERTAIN = 1e-12


def difference(counts: Ints) -> float:
    """The candidate's proportion less the champion's, within windows.

    counts: a row a window of the candidate's trials and successes, and the champion's; each side has trials.
    """
    n, x, m, y = counts.T
    weights = worths(counts)
    return float((weights * (x / n - y / m)).sum() / weights.sum())


def spread(counts: Ints, mine: float, theirs: float) -> float:
    """The difference's standard deviation, where these are the sides' proportions."""
    n, _, m, _ = counts.T
    weights = worths(counts)
    variance = (weights**2 * (mine * (1 - mine) / n + theirs * (1 - theirs) / m)).sum()
    return sqrt(max(0.0, float(variance))) / float(weights.sum())


def as_small(counts: Ints, supposed: float) -> float:
    """P(a difference as small as the one found), if the candidate were better by `supposed`."""
    n, x, m, y = (int(each) for each in counts.sum(axis=0))
    mine, theirs = likeliest(n, x, m, y, supposed)
    away = spread(counts, mine, theirs)
    return float(ndtr((difference(counts) - supposed) / away)) if away > _CERTAIN else 1.0


def worths(counts: Ints) -> Floats:
    """Half of how many samples of each side a window's are worth."""
    n, _, m, _ = counts.T
    return np.asarray(n * m / (n + m))


def likeliest(n: int, x: int, m: int, y: int, supposed: float) -> tuple[float, float]:
    """The likeliest proportions of x in n and y in m that differ by `supposed`, which is above 0."""
    p, q, ratio = x / n, y / m, m / n
    a = 1 + ratio
    b = -(1 + ratio + p + ratio * q + supposed * (ratio + 2))
    c = supposed * supposed + supposed * (2 * p + ratio + 1) + p + ratio * q
    d = -p * supposed * (1 + supposed)
    v = b**3 / (27 * a**3) - b * c / (6 * a * a) + d / (2 * a)
    u = copysign(sqrt(max(0.0, b * b / (9 * a * a) - c / (3 * a))), v)
    turn = acos(min(1.0, max(-1.0, v / u**3))) if u else 0.0
    mine = 2 * u * cos((pi + turn) / 3) - b / (3 * a)
    mine = min(1.0, max(supposed, mine))
    return mine, mine - supposed

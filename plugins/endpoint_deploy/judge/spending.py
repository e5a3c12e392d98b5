"""Looking several times without more errors: a group-sequential design with error spending.

By Lan and DeMets (Biometrika 1983): after a share t of the planned samples a test may have erred with a
probability of at most total * t**2 (the power family of Kim and DeMets, 1987), and at the end with the total.
The level of each look follows from those before it by the recursion of Armitage, McPherson and Rowe (1969),
since the statistic at a later look contains the earlier one. Looks need not be planned. The square lets a bad
candidate go early, at the price of some more samples than with O'Brien and Fleming's.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]

STEP: Final = 0.01  # a look with less than this share of new samples does not count
_NODES: Final = 200
_WEIGHTS: Final = np.polynomial.legendre.leggauss(_NODES)
_FAR: Final = 8.0  # standard deviations beyond which nothing lies


def share_of(samples: float, planned: int) -> float:
    """The share of the planned samples that is there, at most 1, in whole steps."""
    return min(1.0, round(int(samples / planned / STEP + 1e-9) * STEP, 2))


def spent(share: float, total: float) -> float:
    """The probability of an error until then."""
    return total * share * share


def level(looks: tuple[float, ...], total: float) -> float:
    """The one-sided p-value that the last of these looks may reject at.

    looks: shares of the planned samples, increasing, each at most 1; total: the probability of an error at
    any of them.
    """
    return _boundary(looks, total)[0]


@lru_cache(maxsize=8192)
def _boundary(looks: tuple[float, ...], total: float) -> tuple[float, Floats, Floats]:
    """Level of the last look; nodes and weighted density of the statistic that was rejected at none.

    The statistic is a Brownian motion S at the time t = share: S has variance t, and independent increments.
    """
    now = looks[-1]
    if len(looks) == 1:
        exceeded = spent(now, total)
        nodes, weights = _grid(now, _bound(exceeded, now))
        return exceeded, nodes, weights * _density(nodes, now)
    before = looks[-2]
    _, nodes, mass = _boundary(looks[:-1], total)
    allowed = spent(now, total) - spent(before, total)
    step = np.sqrt(now - before)

    def excess(bound: float) -> float:
        return float(mass @ ndtr((nodes - bound) / step)) - allowed

    bound = brentq(excess, -_FAR * np.sqrt(now), 2 * _FAR * np.sqrt(now), xtol=1e-10)
    new, weights = _grid(now, bound)
    density = _density(new[:, None] - nodes[None, :], now - before) @ mass
    return float(ndtr(-bound / np.sqrt(now))), new, weights * density


def _grid(time: float, bound: float) -> tuple[Floats, Floats]:
    low = -_FAR * np.sqrt(time)
    half = (bound - low) / 2
    nodes, weights = _WEIGHTS
    return low + half * (nodes + 1), half * weights


def _bound(probability: float, time: float) -> float:
    return float(-ndtri(probability) * np.sqrt(time))


def _density(values: Floats, variance: float) -> Floats:
    return np.asarray(np.exp(-values * values / (2 * variance)) / np.sqrt(2 * np.pi * variance))

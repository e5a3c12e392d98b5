"""How many samples an A/B test takes.

Of each side N = 1.4 (z_a + z_b)^2 2 p (1 - p) / d^2: two proportions around p that differ by d, told apart
with the errors a and b (Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 2003, chapter
4). The factor pays for looking at every twentieth of the way: with all of them one of the test's two
questions is nearly always answered (docs/ab-test.md).
"""

from math import ceil
from statistics import NormalDist
from typing import Final

from endpoint_deploy.core.ab_spec import SuccessMetric

LOOKS: Final = 1.4
_POINTS = 100.0  # in a whole
_WORST = 0.5  # the rate that takes the most samples


def samples_for(metric: SuccessMetric, rate: float, *, errors: float = 1.0) -> float:
    """Samples of each side, at this rate of both sides together.

    errors: the share of the errors allowed that may be made.
    """
    z = sum(NormalDist().inv_cdf(1 - errors * each) for each in (metric.false_alarms, metric.missed))
    difference = metric.least_difference / _POINTS
    return LOOKS * z * z * 2 * rate * (1 - rate) / (difference * difference)


def samples_planned(metric: SuccessMetric, champion: float | None) -> int:
    """Samples of each side beside a champion with this rate; without one, at the rate that takes the most."""
    if champion is None:
        return ceil(samples_for(metric, _WORST))
    gain = metric.least_difference / _POINTS / 2
    between = champion + (gain if metric.better == "higher" else -gain)
    return ceil(samples_for(metric, min(max(between, gain), 1 - gain)))


def trials_planned(samples: int, split_percent: int) -> int:
    """Trials of both sides together that are worth so many samples of each, where the traffic is split so.

    n and m samples are worth 2nm / (n + m) of each; at a share s of all that is 2s(1 - s) of them.
    """
    share = split_percent / 100
    return ceil(samples / (2 * share * (1 - share)))

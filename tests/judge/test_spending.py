"""Error spending: the levels of several looks together err as often as they may, and no more."""

import numpy as np
import pytest
from scipy.stats import norm

from endpoint_deploy.judge.spending import level, share_of, spent

EVEN = tuple(round(0.1 * look, 2) for look in range(1, 11))
UNEVEN = (0.03, 0.05, 0.4, 0.41, 0.97, 1.0)


@pytest.mark.parametrize("looks", [(1.0,), (0.5, 1.0), EVEN, UNEVEN])
@pytest.mark.parametrize("total", [0.05, 0.0125])
def test_all_looks_together_err_as_often_as_allowed(looks: tuple[float, ...], total: float) -> None:
    """A Brownian motion, simulated: what is rejected at any look."""
    rng, trials = np.random.default_rng(7), 400_000
    steps = np.diff((0.0, *looks))
    paths = np.cumsum(rng.normal(size=(trials, len(looks))) * np.sqrt(steps), axis=1)
    bounds = [-norm.ppf(level(looks[: n + 1], total)) * np.sqrt(t) for n, t in enumerate(looks)]
    crossed = (paths > np.array(bounds)).cumsum(axis=1) > 0
    for look, share in enumerate(looks):
        expected = spent(share, total)
        error = 5 * np.sqrt(expected / trials)
        assert crossed[:, look].mean() == pytest.approx(expected, abs=error)


def test_one_look_at_everything_is_the_plain_test() -> None:
    assert level((1.0,), 0.05) == pytest.approx(0.05)


def test_early_looks_are_stricter_and_later_ones_cost_little() -> None:
    levels = [level(EVEN[: n + 1], 0.05) for n in range(len(EVEN))]
    assert levels == sorted(levels)
    assert levels[0] == pytest.approx(0.0005)
    assert 0.025 < levels[-1] < 0.05


def test_shares_are_whole_steps_and_never_more_than_all() -> None:
    assert share_of(0, 100) == 0
    assert share_of(29, 100) == 0.29
    assert share_of(99.9, 1000) == 0.09
    assert share_of(5000, 1000) == 1

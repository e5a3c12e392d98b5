"""Tails over windows against scipy's distributions and plain enumeration."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, hypergeom

from endpoint_deploy.judge.tails import at_least, at_most, binomial_tails, hypergeometric_tails


@given(st.integers(0, 40), st.integers(1, 40), st.floats(0.01, 0.99))
def test_a_single_window_is_the_plain_binomial(found: int, draws: int, share: float) -> None:
    found = min(found, draws)
    upper, lower = binomial_tails(found, np.array([draws]), np.array([share]))
    assert upper == pytest.approx(binom.sf(found - 1, draws, share))
    assert lower == pytest.approx(binom.cdf(found, draws, share))
    assert (at_least(found, draws, share), at_most(found, draws, share)) == pytest.approx((upper, lower))


def test_windows_of_different_shares_are_added_exactly() -> None:
    draws, shares = np.array([2, 0, 3]), np.array([0.5, 0.1, 0.05])
    by_sum = np.zeros(6)
    for first, last in product(range(3), range(4)):
        by_sum[first + last] += binom.pmf(first, 2, 0.5) * binom.pmf(last, 3, 0.05)
    for found in range(6):
        upper, lower = binomial_tails(found, draws, shares)
        assert upper == pytest.approx(by_sum[found:].sum())
        assert lower == pytest.approx(by_sum[: found + 1].sum())


def test_hypergeometric_windows_are_added_exactly() -> None:
    draws, mine, both = np.array([3, 4]), np.array([5, 2]), np.array([10, 5])
    by_sum = np.zeros(8)
    for first, last in product(range(4), range(5)):
        by_sum[first + last] += hypergeom.pmf(first, 10, 5, 3) * hypergeom.pmf(last, 5, 2, 4)
    for found in range(1, 6):
        upper, lower = hypergeometric_tails(found, draws, mine, both)
        assert upper == pytest.approx(by_sum[found:].sum())
        assert lower == pytest.approx(by_sum[: found + 1].sum())


def test_many_draws_are_as_good_as_exact() -> None:
    draws, shares = np.array([1500, 1500]), np.array([0.05, 0.3])
    upper, lower = binomial_tails(570, draws, shares)
    exact = np.convolve(binom.pmf(range(1501), 1500, 0.05), binom.pmf(range(1501), 1500, 0.3))
    assert upper == pytest.approx(exact[570:].sum(), rel=0.05)
    assert lower == pytest.approx(exact[:571].sum(), rel=0.05)


def test_nothing_drawn_says_nothing() -> None:
    assert binomial_tails(0, np.array([0]), np.array([0.5])) == (1, 1)
    assert binomial_tails(0, np.array([], dtype=int), np.array([])) == (1, 1)
    none = np.array([], dtype=int)
    assert hypergeometric_tails(0, none, none, none) == (1, 1)

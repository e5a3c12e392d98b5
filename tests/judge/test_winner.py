"""The A/B test's judge: whom it names, how often wrongly, and what it makes of odd counts."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom, fisher_exact

from benchmarks.judge.ab import AB_SECTIONS, AbScenario, metric, run
from endpoint_deploy.core.ab_samples import samples_for
from endpoint_deploy.judge.measurements import SuccessWindow
from endpoint_deploy.judge.score import as_small, difference, likeliest
from endpoint_deploy.judge.winner import Named, Standing, look_at

TRIALS = 150
CLAIMED = [each for section in AB_SECTIONS.values() for each in section if each.bound is not None]
IDENTICAL = next(each for each in CLAIMED if each.name.startswith("identical, 10 %, 2 points"))
WANTED = metric(least_samples=10)


def windows(*counts: tuple[int, int, int, int]) -> list[SuccessWindow]:
    return [SuccessWindow(*each) for each in counts]


def test_identical_variants_are_taken_for_a_better_candidate_in_at_most_one_of_twenty() -> None:
    """2,000 seeded tests, forty looks each. One in 10,000 would be a surprise if the bound held exactly."""
    trials = 2_000
    figures = run(IDENTICAL, trials)
    assert figures.of(Named.CANDIDATE) <= 0.05, figures
    assert binom.cdf(figures.ends[Named.CANDIDATE], trials, 0.01) > 1e-4, figures  # nor never


@pytest.mark.parametrize("scenario", CLAIMED, ids=lambda each: f"{each.name}: {each.counts}")
def test_every_bound_is_kept(scenario: AbScenario) -> None:
    assert scenario.bound is not None
    figures = run(scenario, TRIALS)
    found = figures.ends[scenario.counts]
    if scenario.at_most:
        surprise = binom.sf(found - 1, TRIALS, scenario.bound)
    else:
        surprise = binom.cdf(found, TRIALS, scenario.bound)
    assert surprise > 1e-4, figures


def test_a_look_at_a_hundred_times_as_many_moments_errs_no_more_often() -> None:
    """Held to the level of one look at each of them, a third of all would name the candidate."""
    eager = AbScenario(
        "",
        0.0,
        Named.CANDIDATE,
        0.05,
        at_most=True,
        windows=200,
        looks=200,
        metric=metric(least_difference=4),
    )
    figures = run(eager, 300)
    assert binom.sf(figures.ends[Named.CANDIDATE] - 1, 300, 0.05) > 1e-4, figures


def test_the_candidate_is_not_named_before_it_may_be_and_nothing_is_spent_until_then() -> None:
    better = windows((1000, 500, 1000, 300))
    early = look_at(WANTED, better, may_win=False)
    assert (early.winner, early.win_looks) == (Named.NOBODY, ())
    assert early.stay_looks
    assert look_at(WANTED, better, early).winner is Named.CANDIDATE


def test_the_champion_may_be_named_at_any_time() -> None:
    assert look_at(WANTED, windows((1000, 300, 1000, 500)), may_win=False).winner is Named.CHAMPION


def test_what_is_better_by_too_little_is_worth_no_switch() -> None:
    many = windows((4_000_000, 420_000, 4_000_000, 400_000))  # half a point, and proven so
    found = look_at(WANTED, many)
    assert found.winner is Named.CHAMPION
    assert found.gain == pytest.approx(0.5)
    assert found.low is not None
    assert found.low > 0


def test_a_lower_rate_is_better_where_the_spec_says_so() -> None:
    lower = metric(better="lower", least_samples=10)
    found = look_at(lower, windows((2000, 400, 2000, 600)))
    assert found.winner is Named.CANDIDATE
    assert found.gain == pytest.approx(10)
    assert found.candidate
    assert found.candidate.rate == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("counts", "lacks"),
    [
        ((), "no data"),
        (((0, 0, 0, 0),), "no data"),
        (
            ((9, 4, 900, 400),),
            "9 samples of the candidate and 900 of the champion, expected at",
        ),
        (((500, 4, 500, 5),), "9 successes in 1000 samples, expected at least 10 of each sort"),
        (((500, 496, 500, 495),), "991 successes in 1000 samples, expected at least 10 of each sort"),
        (((500, 100, 0, 0), (0, 0, 500, 100)), "0 successes in 0 samples, expected at least 10 of each sort"),
    ],
)
def test_too_little_names_nobody_and_spends_nothing(counts: Any, lacks: str) -> None:
    found = look_at(WANTED, windows(*counts))
    assert found.winner is Named.NOBODY
    assert (found.lacks or "").startswith(lacks)
    assert found.win_looks == found.stay_looks == ()


@pytest.mark.parametrize("wrong", [(10, 11, 10, 5), (-1, 0, 10, 5), (10, 5, 10, 12)])
def test_counts_that_cannot_be_are_refused(wrong: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="fewer trials than successes, or with counts below 0"):
        look_at(WANTED, windows(wrong))


def test_a_look_with_nothing_new_decides_nothing() -> None:
    some = windows((2000, 230, 2000, 200))
    first = look_at(WANTED, some)
    again = look_at(WANTED, some, first)
    assert (again.win_looks, again.stay_looks) == (first.win_looks, first.stay_looks)
    assert (again.low, again.high, again.look) == (None, None, 2)


def test_samples_needed_follow_from_the_rate_that_turns_out() -> None:
    found = look_at(WANTED, windows((1000, 500, 1000, 500)))
    assert found.needed == round(samples_for(WANTED, 0.5))
    assert found.share == pytest.approx(1000 / found.needed, rel=1e-3)


def test_a_busy_hour_of_one_side_alone_makes_nobody_better() -> None:
    """The champion alone was asked before the split, when hardly anybody converted."""
    fair = (1000, 300, 1000, 300)
    before = look_at(WANTED, windows((0, 0, 50_000, 500), fair))
    assert before.winner is Named.NOBODY
    assert before.gain == pytest.approx(0)


@settings(deadline=None)
@given(
    n=st.integers(20, 400), m=st.integers(20, 400), mine=st.floats(0.02, 0.98), theirs=st.floats(0.02, 0.98),
    gain=st.floats(0.01, 0.6),
)  # fmt: skip
def test_the_likeliest_proportions_are_those_that_a_search_finds(
    n: int, m: int, mine: float, theirs: float, gain: float
) -> None:
    x, y = round(n * mine), round(m * theirs)

    def unlikely(p: float) -> float:
        pairs = ((x, p), (n - x, 1 - p), (y, p - gain), (m - y, 1 - p + gain))
        return -sum(count * np.log(max(share, 1e-300)) for count, share in pairs if count)

    found = likeliest(n, x, m, y, gain)
    assert found[0] - found[1] == pytest.approx(gain)
    search = minimize_scalar(unlikely, bounds=(gain, 1), method="bounded", options={"xatol": 1e-10})
    assert unlikely(found[0]) <= search.fun + 1e-5 * abs(search.fun)


def test_the_exact_test_is_fisher_s_where_there_is_one_window() -> None:
    """With all samples there, the first look spends everything. Whoever is better by too little loses."""
    whole, named = metric(least_difference=20, least_samples=10), set()
    for x in range(52, 90):
        found = look_at(whole, windows((200, x, 200, 50)))
        assert found.win_looks == (1.0,)
        p = fisher_exact([[x, 200 - x], [50, 150]], alternative="greater").pvalue
        by_too_little = as_small(np.array([[200, x, 200, 50]]), 0.2) <= whole.missed
        assert (found.winner is Named.CHAMPION) == by_too_little
        assert (found.winner is Named.CANDIDATE) == (p <= whole.false_alarms and not by_too_little)
        named.add(found.winner)
    assert named == {Named.CHAMPION, Named.CANDIDATE}


def test_the_score_test_weighs_windows_as_mantel_and_haenszel_do() -> None:
    one = np.array([[300, 60, 100, 10]])
    split = np.array([[150, 30, 50, 5], [150, 30, 50, 5]])
    assert difference(one) == pytest.approx(0.1)
    assert difference(split) == pytest.approx(0.1)
    assert as_small(split, 0.2) == pytest.approx(as_small(one, 0.2))
    assert as_small(one, 0.1) == pytest.approx(0.5)


@given(shares=st.lists(st.integers(1, 400), min_size=1, max_size=12))
@settings(deadline=None, max_examples=30)
def test_shares_only_grow_and_what_is_spent_is_kept(shares: list[int]) -> None:
    standing: Standing | None = None
    grown: list[SuccessWindow] = []
    for each in shares:
        grown += windows((each, each // 3, each, each // 3))
        before, standing = standing, look_at(WANTED, grown, standing)
        if before:
            assert standing.share >= before.share
            assert standing.win_looks[: len(before.win_looks)] == before.win_looks
        assert list(standing.win_looks) == sorted(set(standing.win_looks))

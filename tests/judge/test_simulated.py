"""A part of what `make judge` simulates: enough trials that a wrong judge is caught."""

import pytest
from scipy.stats import binom

from benchmarks.judge.page import tables
from benchmarks.judge.scenarios import SECTIONS
from benchmarks.judge.traffic import Traffic
from benchmarks.judge.trials import Scenario, run
from endpoint_deploy.core.judging import ErrorRate, JudgePlan
from endpoint_deploy.judge.verdicts import Verdict

TRIALS = 300
CLAIMED = [each for section in SECTIONS.values() for each in section if each.bound is not None]
# The quick ones, so that the whole takes seconds; all of them, with more trials, are `make judge`'s.
SLOW = ("four metrics", "traffic", "swing", "Pareto", "3,800", "all requests")
CHOSEN = [each for each in CLAIMED if not any(word in each.name for word in SLOW)]


def test_looking_twenty_times_errs_no_more_often_than_allowed() -> None:
    """Held to the level of a single look at each of them, it would in every fourth release."""
    plan = JudgePlan(metrics=(ErrorRate(name="errors", samples=4_000, negligible=0),))
    traffic = Traffic(errors=4_000, looks=20, rate=0.05, worse_rate=1.2)
    scenario = Scenario("", plan, traffic, Verdict.FAIL, 0.05, at_most=True, go_on=True)
    figures = run(scenario, 600)
    assert binom.sf(figures.failed - 1, 600, 0.05) > 1e-4, figures
    # Nor far less often: a judge that never fails anybody would do that, too.
    assert binom.cdf(figures.failed, 600, 0.02) > 1e-4, figures


@pytest.mark.parametrize("scenario", CHOSEN, ids=lambda each: f"{each.counts}: {each.name}")
def test_the_judge_keeps_its_bound(scenario: Scenario) -> None:
    """What was found would be no surprise (one in 10,000) if the bound held exactly."""
    assert scenario.bound is not None
    figures = run(scenario, TRIALS)
    found = round(figures.of(scenario.counts) * TRIALS)
    if scenario.at_most:
        surprise = binom.sf(found - 1, TRIALS, scenario.bound)
    else:
        surprise = binom.cdf(found, TRIALS, scenario.bound)
    assert surprise > 1e-4, figures


def test_trials_are_the_same_every_time() -> None:
    assert run(CHOSEN[-1], 20) == run(CHOSEN[-1], 20)


def test_a_missed_bound_is_said_in_the_table() -> None:
    scenario = CHOSEN[-1]
    figures = run(scenario, 10)
    table = tables({"Section": [(scenario, figures)]})
    assert f"| {scenario.name} |" in table
    assert ("**missed**" in table) is (scenario.met(figures.of(scenario.counts)) is False)

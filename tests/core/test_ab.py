"""An A/B test as planned: the split, the number of samples, the cost, and where there can be none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoint_deploy.core.ab_plan import ChampionRate, champions_of, with_rate
from endpoint_deploy.core.ab_samples import samples_for, samples_planned, trials_planned
from endpoint_deploy.core.ab_spec import SuccessMetric
from endpoint_deploy.core.observed import Observed
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.render import render_plan
from endpoint_deploy.core.spec import DeploymentSpec
from tests.core.builders import (
    candidate,
    final_config,
    foreign_config,
    hung,
    live,
    serverless,
    spec,
    staged,
    variant,
    wanted,
)

OLD, NEW = candidate("a"), candidate("b")
METRIC: dict[str, Any] = {"namespace": "Shop", "name": "Converted", "least_difference": 2}


def ab_spec(
    *variants: dict[str, object], prices: dict[str, float] | None = None, **release: Any
) -> DeploymentSpec:
    its = {"strategy": "ab_test", "metric": METRIC, **release}
    return spec(*variants, release=its, prices=prices or {})


def metric(**changes: Any) -> SuccessMetric:
    return SuccessMetric.model_validate({**METRIC, **changes})


def test_the_number_of_samples_is_the_formula_s() -> None:
    # 1.4 (1.645 + 1.645)^2 2 * 0.11 * 0.89 / 0.02^2, as by hand
    assert samples_planned(metric(), 0.10) == pytest.approx(7417, abs=1)
    assert samples_planned(metric(), None) == pytest.approx(samples_for(metric(), 0.5), abs=1)


@given(rate=st.floats(0.01, 0.99), points=st.floats(0.1, 5))
def test_half_the_difference_takes_four_times_the_samples(rate: float, points: float) -> None:
    whole, half = metric(least_difference=points), metric(least_difference=points / 2)
    assert samples_for(half, rate) == pytest.approx(4 * samples_for(whole, rate))
    assert samples_planned(whole, rate) <= samples_planned(whole, None) + 1


@given(rate=st.floats(0, 1))
def test_a_lower_rate_that_is_better_is_the_same_test_turned_round(rate: float) -> None:
    lower = samples_planned(metric(better="lower"), rate)
    assert lower == pytest.approx(samples_planned(metric(), 1 - rate), abs=1)


@pytest.mark.parametrize(("split", "trials"), [(50, 2000), (10, 5556), (90, 5556), (1, 50506)])
def test_away_from_the_middle_it_takes_more_traffic(split: int, trials: int) -> None:
    assert trials_planned(1000, split) == trials


def test_the_candidate_gets_the_split_and_then_everything() -> None:
    its = ab_spec(split_percent=20, watch={"seconds": 60})
    _, plan = staged(its)
    old, new = (wanted(its, each).variants[0].name for each in (OLD, NEW))
    assert plan.shift
    assert [(step.percent, step.weights) for step in plan.shift.walk] == [
        (20, {old: 0.8, new: 0.2}),
        (100, {old: 0.0, new: 1.0}),
    ]
    assert plan.test
    assert (plan.test.percent, plan.test.metric) == (20, "Shop Converted")
    assert plan.test.samples == samples_planned(metric(), None)
    assert plan.watch


def test_a_test_that_hung_begins_anew() -> None:
    its = ab_spec()
    champion, first = staged(its)
    plan = make_plan(its, NEW, hung(first, champion, shifted=True))
    assert plan.action == "resume"
    assert (plan.shift, plan.test) == (first.shift, first.test)


@pytest.mark.parametrize(
    ("observed", "why"),
    [
        ("nothing", "there is no champion yet"),
        ("a champion without traffic", "the champion has no traffic"),
        ("its own champion", "it is the champion itself that is released"),
        ("a serverless one", "the candidate cannot stand beside the champion"),
        ("a failed one", "no champion serves"),
    ],
)
def test_where_there_can_be_no_test_the_plan_says_so(observed: str, why: str) -> None:
    its = ab_spec()
    champion, first = staged(its)
    name = wanted(its, OLD).variants[0].name
    bare = spec(serverless(), strategy="direct")
    seen = {
        "nothing": (NEW, Observed()),
        "a champion without traffic": (NEW, live(champion, weights={name: 0.0})),
        "its own champion": (OLD, hung(first, champion, shifted=True)),
        "a serverless one": (NEW, live(final_config(bare, OLD))),
        "a failed one": (NEW, live(champion, "Failed")),
    }
    plan = make_plan(its, *seen[observed])
    assert plan.test is None
    warning = f"there is no A/B test: {why}; the smoke tests alone are before all the traffic"
    assert warning in plan.warnings
    assert champions_of(plan) == ()


@pytest.mark.parametrize("observed", [live(final_config(ab_spec(), NEW)), None])
def test_what_changes_no_model_needs_no_test(observed: Observed | None) -> None:
    two = ab_spec(variant("big"), variant("small"))
    names = [v.name for v in wanted(two, NEW).variants]
    drifted = live(final_config(two, NEW), weights={names[0]: 0.0})
    plan = make_plan(ab_spec() if observed else two, NEW, observed or drifted)
    assert plan.action == ("nothing" if observed else "reweigh")
    assert not any("A/B" in warning for warning in plan.warnings)


def test_a_foreign_champion_is_tested_against() -> None:
    plan = make_plan(ab_spec(), NEW, live(foreign_config()))
    assert plan.test
    assert champions_of(plan) == ("AllTraffic",)


def _rated(trials: int, successes: int, **release: Any) -> Plan:
    its = ab_spec(**release)
    _, plan = staged(its)
    return with_rate(plan, its, ChampionRate(trials=trials, successes=successes, seconds=86_400))


def test_the_champion_s_present_rate_tells_the_samples_and_how_long_they_take() -> None:
    plan = _rated(10_000, 1_000)
    assert plan.test
    assert plan.test.champion_percent == pytest.approx(10)
    assert plan.test.samples == samples_planned(metric(), 0.1)
    assert plan.test.seconds == pytest.approx(86_400 * 2 * plan.test.samples / 10_000, abs=10)
    assert plan.warnings == ()
    said = render_plan(plan)
    assert "a gain of 2 points on the champion's rate of 10 % takes about 7417 samples of each" in said
    assert "without a winner: keep" in said


def test_what_will_not_be_over_in_time_is_said() -> None:
    (warning,) = _rated(100, 10, most_seconds=86_400).warnings
    assert warning == (
        "the A/B test takes about 148 days at 100 trials a day, and most_seconds are 1 days: it will "
        "probably be inconclusive"
    )


def test_a_metric_without_data_is_warned_of_and_planned_for_as_expected() -> None:
    plan = _rated(0, 0, metric={**METRIC, "expected_percent": 10})
    assert plan.test
    assert plan.test.samples == samples_planned(metric(), 0.1)
    assert plan.warnings == (
        "Shop Converted has no data of the champion within the last day: a test without any is inconclusive",
    )


def test_two_standing_sides_cost_what_the_test_lasts() -> None:
    its = ab_spec(variant(count=2), prices={"ml.m5.large": 0.5}, most_seconds=36_000)
    _, plan = staged(its)
    assert plan.costs[0] == (
        "beside what runs 2 ml.m5.large more while the A/B test lasts: from 2 instance-hours, 1.00 at the "
        "spec's prices to 20 instance-hours, 10.00 at the spec's prices"
    )

"""A release in steps as planned: weights at each step, the watch, and where there is nothing to go from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoint_deploy.core.observed import Observed, same_weights
from endpoint_deploy.core.plan import Plan, Watch
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.render import render_plan
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.staging import in_steps
from tests.core.builders import (
    candidate,
    final_config,
    foreign_config,
    hung,
    live,
    spec,
    staged,
    variant,
    wanted,
)

OLD, NEW, OTHER = candidate("a"), candidate("b"), candidate("c")
STEPS = (5, 25, 50)
_WEIGHTS = st.lists(st.floats(0.001, 1000), min_size=1, max_size=4)


def stepped(*variants: dict[str, object], **release: object) -> DeploymentSpec:
    return spec(*variants, release={"strategy": "staged", "steps": list(STEPS), **release})


def shares(weights: dict[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def test_each_step_gives_the_candidate_its_share_and_keeps_each_side_s_proportions() -> None:
    two = stepped(variant("big", weight=3), variant("small", weight=1))
    big, small = (v.name for v in wanted(two, OLD).variants)
    new_big, new_small = (v.name for v in wanted(two, NEW).variants)
    _, plan = staged(two, weights={big: 0.2, small: 0.6})
    assert plan.shift
    assert [step.percent for step in plan.shift.walk] == [5, 25, 50, 100]
    for step, candidates in zip(plan.shift.walk, (0.05, 0.25, 0.5, 1), strict=True):
        expected = {
            big: 0.25 * (1 - candidates),
            small: 0.75 * (1 - candidates),
            new_big: 0.75 * candidates,
            new_small: 0.25 * candidates,
        }
        assert shares(step.weights) == pytest.approx(expected, rel=1e-5)
    assert plan.shift.weights == {big: 0.0, small: 0.0, new_big: 3.0, new_small: 1.0}


@given(candidates=_WEIGHTS, champions=_WEIGHTS, steps=st.sets(st.integers(1, 99), max_size=6))
def test_shares_are_as_asked_whatever_the_weights(
    candidates: list[float], champions: list[float], steps: set[int]
) -> None:
    new = {f"new-{index}": weight for index, weight in enumerate(candidates)}
    old = {f"old-{index}": weight for index, weight in enumerate(champions)}
    shift = in_steps(new, old, steps=sorted(steps))
    assert [step.percent for step in shift.walk] == [*sorted(steps), 100]
    for step in shift.walk:
        met = sum(share for name, share in shares(step.weights).items() if name in new)
        assert met == pytest.approx(step.percent / 100, rel=1e-4)
    for one, other in zip(shift.walk, shift.walk[1:], strict=False):
        assert not same_weights(one.weights, other.weights)


def test_without_steps_there_is_one_as_ever() -> None:
    _, plan = staged(spec())
    assert plan.shift
    assert plan.shift.steps == ()
    assert plan.watch is None


@pytest.mark.parametrize("shifted", [False, True])
def test_a_release_that_hung_starts_anew_at_the_first_step(shifted: bool) -> None:
    one = stepped()
    champion, first = staged(one)
    plan = make_plan(one, NEW, hung(first, champion, shifted=shifted))
    assert plan.action == "resume"
    assert plan.shift == first.shift


def test_back_to_the_champion_is_one_step() -> None:
    one = stepped(watch={"seconds": 60})
    champion, first = staged(one)
    plan = make_plan(one, OLD, hung(first, champion, shifted=True))
    assert plan.shift
    assert plan.shift.steps == ()
    assert plan.watch is None


def test_a_champion_without_traffic_leaves_nothing_to_go_from() -> None:
    two = stepped(variant("big"), variant("small"))
    names = [v.name for v in wanted(two, OLD).variants]
    _, plan = staged(two, weights=dict.fromkeys(names, 0.0))
    assert plan.shift
    assert plan.shift.steps == ()


def _watch_of(plan: Plan) -> int | None:
    return plan.watch.seconds if plan.watch else None


@pytest.mark.parametrize(
    ("strategy", "observed", "watched"),
    [
        ("staged", "champion", 60),
        ("direct", "champion", 60),
        ("direct", "foreign", 60),
        ("staged", "nothing", None),
        ("staged", "same", None),
    ],
)
def test_what_has_a_way_back_is_watched(strategy: str, observed: str, watched: int | None) -> None:
    its_spec = spec(release={"strategy": strategy, "watch": {"seconds": 60}})
    seen = {
        "champion": live(final_config(its_spec, OLD)),
        "foreign": live(foreign_config()),
        "nothing": Observed(),
        "same": live(final_config(its_spec, NEW)),
    }[observed]
    assert _watch_of(make_plan(its_spec, NEW, seen)) == watched


def test_the_weights_that_drifted_are_brought_back_unwatched_in_one_step() -> None:
    two = stepped(variant("big"), variant("small"), watch={"seconds": 60})
    names = [v.name for v in wanted(two, NEW).variants]
    plan = make_plan(two, NEW, live(final_config(two, NEW), weights={names[0]: 0.0}))
    assert plan.action == "reweigh"
    assert plan.shift
    assert (plan.shift.steps, plan.watch) == ((), None)


def test_steps_and_watch_stand_in_the_plan_s_text() -> None:
    _, plan = staged(stepped(watch={"seconds": 600}))
    old, new = wanted(stepped(), OLD).variants[0].name, wanted(stepped(), NEW).variants[0].name
    assert plan.watch == Watch(seconds=600)
    lines = [line.strip() for line in render_plan(plan).splitlines()]
    assert f"3. give the candidate 5 % of the traffic: set the weights: {old} 0.95, {new} 0.05" in lines
    assert f"6. give the candidate 100 % of the traffic: set the weights: {old} 0, {new} 1" in lines
    assert "7. watch it for 10m 0s" in lines

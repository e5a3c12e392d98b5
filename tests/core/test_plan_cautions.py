"""What a plan tells a person beforehand: of alarms, of an analysis without a champion, of costs."""

import pytest

from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.plan_cautions import with_alarms
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.errors import ReleaseFailed
from tests.core.builders import candidate, final_config, live, spec, staged, variant

DIRECT = {"strategy": "direct", "routing": {"type": "all_at_once", "termination_wait_seconds": 60}}


def updates(its_spec: DeploymentSpec, *, plan_only: bool = False) -> Plan:
    champion = final_config(its_spec, candidate("a"))
    return make_plan(its_spec, candidate("b"), live(champion), plan_only=plan_only)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ({"one": "OK", "two": "ALARM"}, "two is in ALARM before the release; expected OK"),
        ({"one": "OK"}, "alarm two does not exist, and SageMaker refuses an update that it is to guard"),
    ],
)
def test_a_plan_only_says_what_stops_a_release(states: dict[str, str], said: str) -> None:
    its_spec = spec(alarms=["one", "two"], release=DIRECT)
    with pytest.raises(ReleaseFailed) as stopped:
        with_alarms(updates(its_spec), its_spec, states)
    assert str(stopped.value).startswith(f"{said}. Nothing was changed: ")
    shown = with_alarms(updates(its_spec, plan_only=True), its_spec, states)
    assert f"a release would be refused now: {said}" in shown.warnings


def test_a_plan_that_changes_nothing_needs_no_alarm() -> None:
    its_spec = spec(alarms=["one"], release=DIRECT)
    plan = make_plan(its_spec, candidate("a"), live(final_config(its_spec, candidate("a"))))
    assert with_alarms(plan, its_spec, {"one": "ALARM"}) == plan


_TRAFFIC = [{"kind": "error_rate"}, {"kind": "latency_points", "name": "mean"}]


@pytest.mark.parametrize(
    ("replay", "watch", "warns"), [(None, 600, True), (None, 0, False), ({}, 600, False)]
)
def test_a_watch_compares_nothing_where_nobody_asks_the_champion(
    replay: dict[str, object] | None, watch: int, warns: bool
) -> None:
    its_spec = spec(
        release={"strategy": "staged", "steps": [10], "watch": {"seconds": watch}},
        analysis={"metrics": _TRAFFIC, "replay": replay},
    )
    _, plan = staged(its_spec)
    said = [each for each in plan.warnings if "judges nothing during the watch" in each]
    assert len(said) == warns


SIDE_BY_SIDE = "beside what runs 2 ml.m5.large more while steps and watch last, for at least"


@pytest.mark.parametrize(
    ("release", "line"),
    [
        (
            {"steps": [5, 25, 50], "step": {"least_seconds": 600}, "watch": {"seconds": 1800}},
            f"{SIDE_BY_SIDE} 60 minutes: 2 instance-hours, 0.23 at the spec's prices",
        ),
        (
            {"watch": {"seconds": 1800}},
            f"{SIDE_BY_SIDE} 30 minutes: 1 instance-hours, 0.12 at the spec's prices",
        ),
        ({}, "during the update 2 ml.m5.large more, until the old ones have stopped"),
    ],
)
def test_steps_and_watch_are_paid_for(release: dict[str, object], line: str) -> None:
    its_spec = spec(
        variant(count=2), release={"strategy": "staged", **release}, prices={"ml.m5.large": 0.115}
    )
    _, plan = staged(its_spec)
    assert plan.costs[0] == line

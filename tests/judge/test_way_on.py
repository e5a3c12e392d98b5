"""Each verdict's own way on, and its own limit: nothing waits for ever."""

import pytest

from endpoint_deploy.core.judging import ErrorRate, JudgePlan, Limits
from endpoint_deploy.judge.judge import judge
from endpoint_deploy.judge.measurements import ErrorCounts, Measurement, RequestWindow, Unavailable
from endpoint_deploy.judge.verdicts import Judgement, Verdict
from endpoint_deploy.judge.way_on import Way, WayOn, way_on

PLAN = JudgePlan(metrics=(ErrorRate(name="errors"),))


def judged(*counts: tuple[int, int, int, int] | Measurement, plan: JudgePlan = PLAN) -> Judgement:
    """Look after look."""
    last = None
    for each in counts:
        measured = ErrorCounts([RequestWindow(*each)]) if isinstance(each, tuple) else each
        last = judge(plan, {"errors": measured}, last)
    assert last is not None
    return last


def on(judgement: Judgement, *, may_replay: bool = True, **limits: int) -> WayOn:
    return way_on(judgement, Limits(**limits), may_replay=may_replay)


def test_a_pass_promotes() -> None:
    assert on(judged((10_000, 100, 10_000, 100))).way is Way.PROMOTE


def test_a_failure_rolls_back_at_once_unless_more_are_asked_for() -> None:
    once, twice = (
        judged(*[(n, n // 10, n, n // 100) for n in looks]) for looks in ((1_000,), (1_000, 2_000))
    )
    assert on(once).way is Way.ROLL_BACK
    assert on(once, fails=2).way is Way.LOOK_AGAIN
    assert on(twice, fails=2).way is Way.ROLL_BACK


def test_no_traffic_is_replayed_and_without_a_replay_a_person_is_asked() -> None:
    silent = [(0, 0, 5_000, 50)] * 3
    assert on(judged(silent[0])).way is Way.REPLAY
    ways = [on(judged(*silent[:n]), may_replay=False).way for n in (1, 2, 3)]
    assert ways == [Way.LOOK_AGAIN, Way.LOOK_AGAIN, Way.ASK]


def test_errors_have_a_limit_that_a_good_look_resets() -> None:
    gone, some = Unavailable("throttled"), (200, 2, 200, 2)
    assert on(judged(gone, gone)).way is Way.LOOK_AGAIN
    assert on(judged(gone, gone, gone)).way is Way.ASK
    assert "3 times in a row: errors: throttled" in on(judged(gone, gone, gone)).reason
    assert on(judged(gone, gone, some, gone)).way is Way.LOOK_AGAIN


def test_an_inconclusive_look_takes_more_samples_until_its_limit() -> None:
    looks = [(n, n // 60, n, n // 80) for n in (500, 1_000, 1_500)]
    assert judged(*looks).verdict is Verdict.INCONCLUSIVE
    assert on(judged(*looks)).way is Way.LOOK_AGAIN
    assert on(judged(*looks), inconclusive=3).way is Way.ASK


def test_where_the_planned_samples_are_used_up_a_person_is_asked() -> None:
    answer = on(judged((10_000, 75, 10_000, 50)))
    assert answer.way is Way.ASK
    assert "more samples would prove nothing" in answer.reason


@pytest.mark.parametrize(
    "measured", [Unavailable("gone"), (0, 0, 0, 0), (500, 6, 500, 4), (10_000, 75, 10_000, 50)]
)
def test_every_way_ends(measured: tuple[int, int, int, int] | Measurement) -> None:
    looks: list[tuple[int, int, int, int] | Measurement] = []
    ways = []
    for _ in range(60):
        looks.append(measured)
        ways.append(on(judged(*looks), may_replay=False).way)
        if ways[-1] is not Way.LOOK_AGAIN:
            break
    assert ways[-1] is Way.ASK


def test_a_dry_run_without_traffic_holds_nobody_up() -> None:
    plan = JudgePlan(metrics=(ErrorRate(name="other"), ErrorRate(name="errors", dry_run=True)))
    good = ErrorCounts([RequestWindow(10_000, 100, 10_000, 100)])
    judgement = judge(plan, {"other": good, "errors": ErrorCounts([])})
    assert on(judgement).way is Way.PROMOTE

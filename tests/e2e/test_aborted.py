"""A release that is ended from outside at each of its tasks, in turn.

The endpoint always ends serving one complete release, the old one or the new one, and the ledger says which.
The tasks are those that the deploy DAG has.

Some fifty releases: `make aborts` ends them all, `make test` a few of them.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from local_stack.stack import Stack
from tests.e2e.aborting import (
    Calls,
    Release,
    Task,
    at_once_and_answered_never,
    late,
    second_at_once_and_answered_never,
)
from tests.e2e.conftest import side_by_side
from tests.e2e.live import LiveRig, until
from tests.e2e.served import TAKEN_BACK, Rule, Served

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(3600),
]

_WHOLE = "ABORTS" in os.environ
_FIRST = "create_model"  # nothing is made before it
_WAITS = "wait_for_endpoint"  # waits in the triggerer where the endpoint takes its time
_DIRECT = ("apply_endpoint", _WAITS, "smoke_test")  # where a direct release differs
_SHIFT = Task("shift_traffic", "ShiftTrafficOperator")
_WEIGHTS = ("sagemaker", "UpdateEndpointWeights*")
# Where these are to be met, so that a few releases need none that finds it out.
_KNOWN: Calls = {
    "apply_endpoint": (Task("apply_endpoint", "ApplyEndpointOperator"), ("sagemaker", "Update*")),
    "shift_traffic": (_SHIFT, ("sagemaker", "Update*")),
}
_RETRIES = 3
PATIENCE = 900.0  # for one run: many of them share the machine
Strike = Callable[..., None]  # of a Release: run_id, task_id


def spec(retries: int = _RETRIES, **release: Any) -> dict[str, Any]:
    """The shortest proof."""
    return {
        "smoke_tests": [{"name": "numbers", "payload": "numbers.json"}],
        "release": {"strategy": "staged", **release},
        "endpoint": {
            "variants": [{"instance_type": "ml.m5.large", "startup_timeout_seconds": 3600}],
            "wait": {"poll_seconds": 0.2, "timeout_seconds": 600},
        },
        "run": {"retries": retries, "retry_delay_seconds": 0},
    }


def in_steps(seconds: int, watch: int = 0, retries: int = _RETRIES) -> dict[str, Any]:
    """The same in two steps, each of so many seconds, and a watch."""
    step = {"least_seconds": seconds, "most_seconds": 3600, "look_seconds": 5}
    stages = {"steps": [25, 50], "step": step, "watch": {"seconds": watch, "look_seconds": 5}}
    return spec(retries, **stages)


def abort_each(served: Served, calls: Calls, at: str, how: Rule, strike: Strike) -> None:
    """End one release after the other, each at the next task."""
    for task, middle in calls.values():
        blow = partial(strike, served.release, task_id=task.id)
        served.end(task, middle, how, blow, f"{at} at {task.id}")


def abort_deferred(served: Served, strike: Strike, allowed: set[str]) -> None:
    """The same where the task waits in the triggerer, without a process."""
    artifact, gate = served.rig.gated(served.next())
    made = served.rig.made()
    run_id = served.rig.start(artifact=artifact)
    until(lambda: served.release.deferred(run_id, _WAITS), f"{_WAITS} is deferred", seconds=PATIENCE)
    strike(served.release, run_id, task_id=_WAITS)
    gate.touch()
    served.check(run_id, allowed, "while deferred", made)


def killed(served: Served, calls: Calls) -> None:
    """Each task's process, with no try left."""
    abort_each(served, calls, "killed", at_once_and_answered_never, Release.kill)


def marked_failed(served: Served, calls: Calls) -> None:
    """Each task, at work or deferred."""
    abort_each(served, calls, "marked failed", late, Release.mark_task)
    abort_deferred(served, Release.mark_task, TAKEN_BACK)


def marked_failed_later(served: Served, calls: Calls) -> None:
    """Each task, while the one after it is at work."""
    for (before, _), (task, middle) in pairwise(calls.values()):
        blow = partial(served.release.mark_task, task_id=before.id)
        served.end(task, middle, late, blow, f"{before.id} marked failed during {task.id}")


def run_marked_failed(served: Served, calls: Calls) -> None:
    """The run, at each task and while one is deferred."""
    abort_each(served, calls, "run marked failed", late, Release.mark_run)
    abort_deferred(served, Release.mark_run, TAKEN_BACK)


def direct(served: Served, calls: Calls) -> None:
    """The run and then the task, under the strategy that changes an endpoint by one update."""
    differing = {task_id: calls[task_id] for task_id in _DIRECT}
    abort_each(served, differing, "direct, run marked failed", late, Release.mark_run)
    abort_each(served, differing, "direct, marked failed", late, Release.mark_task)


def gone_on(served: Served, calls: Calls) -> None:
    """Each task killed once in one release, with tries left; cleared once in the next, and while deferred."""
    for strike in (Release.kill, Release.clear):
        made = served.rig.made()
        with served.release.held(calls, at_once_and_answered_never) as held:
            run_id = served.rig.start(artifact=served.rig.artifact(bias=served.next()))
            for task, _ in calls.values():
                served.release.await_held(held, task)
                strike(served.release, run_id, task_id=task.id)
            served.check(run_id, {"released"}, "gone on", made)
    abort_deferred(served, Release.clear, {"released"})


def at_a_stage(served: Served, task_id: str, percent: int) -> None:
    """The task and then the run, while a stage of the release waits in the triggerer for its next look."""
    for strike in (Release.mark_task, Release.mark_run)[: None if _WHOLE else 1]:
        made = served.rig.made()
        run_id = served.rig.start(artifact=served.rig.artifact(bias=served.next()))

        def waits(run_id: str = run_id) -> bool:
            return served.release.deferred(run_id, task_id) and served.share() == percent / 100

        until(waits, f"{task_id} is deferred at {percent} percent", seconds=PATIENCE)
        strike(served.release, run_id, task_id=task_id)
        served.check(run_id, {"rolled_back"}, f"{task_id} deferred", made)


def step(served: Served, _: Calls) -> None:
    """At the first step, which does not end by itself."""
    at_a_stage(served, "shift_traffic", 25)


def watch(served: Served, _: Calls) -> None:
    """In the watch, with all the traffic on the candidate."""
    at_a_stage(served, "watch", 100)


def second_step(served: Served, allowed: set[str], at: str) -> list[str]:
    """Kill the process that has just made the second step live; what the ledger has of the steps."""
    made = served.rig.made()
    with served.release.held({_SHIFT.id: (_SHIFT, _WEIGHTS)}, second_at_once_and_answered_never) as held:
        run_id = served.rig.start(artifact=served.rig.artifact(bias=served.next()))
        served.release.await_held(held, _SHIFT)
        assert served.share() == 0.5, at
        served.release.kill(run_id, _SHIFT.id)
        served.check(run_id, allowed, at, made)
    return [f"{each['name']} {each['outcome']}" for each in served.stages()]


def killed_in_step_2(served: Served, _: Calls) -> None:
    """The process, with tries left: it goes on with that step."""
    found = second_step(served, {"released"}, "killed in step 2")
    assert found == ["25-percent passed", "50-percent passed", "100-percent passed"]


def lost_in_step_2(served: Served, _: Calls) -> None:
    """The process, with no try left."""
    assert second_step(served, {"rolled_back"}, "lost in step 2") == ["25-percent passed", "50-percent None"]


_SPECS: dict[Callable[[Served, Calls], None], dict[str, Any]] = {
    killed: spec(retries=0),
    marked_failed: spec(),
    marked_failed_later: spec(),
    run_marked_failed: spec(),
    direct: spec(strategy="direct"),
    gone_on: spec(),
    step: in_steps(3600),
    watch: in_steps(1, watch=3600),
    killed_in_step_2: in_steps(1),
    lost_in_step_2: in_steps(1, retries=0),
}
# What of them is a part of `make test`: the tasks at which the cases end a release, where they have a choice.
_FEW: dict[Callable[[Served, Calls], None], tuple[str, ...]] = {
    killed: ("apply_endpoint",),
    step: (),
}
_CASES = {case.__name__: case for case in (_SPECS if _WHOLE else _FEW)}


def through(rig: LiveRig, case: str, calls: "Future[Calls]") -> None:
    """All of a case, on a deployment of its own."""
    served = Served(rig)
    found = calls.result()
    if not _WHOLE:
        found = {task_id: found[task_id] for task_id in _FEW[_CASES[case]]}
    _CASES[case](served, found)
    if _WHOLE:
        served.clean(_SPECS[_CASES[case]])


def met(rig: LiveRig) -> Calls:
    """Where each task that calls anything in a staged update is to be met: as many as the DAG has by now."""
    served = Served(rig)
    found = served.release.calls(_FIRST, served.released)
    assert set(_DIRECT) <= found.keys()
    assert found.items() >= _KNOWN.items()
    return found


@pytest.fixture(scope="module")
def cases(
    request: pytest.FixtureRequest, stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, "Future[None]"]]:
    """Those of the cases that are to be run, side by side: most of the time they wait."""
    wanted = [
        item.callspec.params["case"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path
    ]
    specs = {case: _SPECS[_CASES[case]] for case in wanted} | ({"met": spec()} if _WHOLE else {})
    rigs = side_by_side(stack, tmp_path_factory.mktemp("gates"), specs, patience=PATIENCE)
    with ThreadPoolExecutor(len(rigs)) as pool:
        calls = pool.submit(met, rigs["met"]) if _WHOLE else pool.submit(lambda: _KNOWN)
        yield {case: pool.submit(through, rigs[case], case, calls) for case in wanted}


@pytest.mark.parametrize("case", _CASES)
def test_a_release_ended_at_each_task_leaves_one_complete_release(
    cases: dict[str, "Future[None]"], case: str
) -> None:
    cases[case].result()

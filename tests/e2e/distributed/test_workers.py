"""A release that two Celery workers carry out, and one of them killed in the middle of a change."""

import signal
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from celery import Celery

from local_stack.stack import Stack, attach
from tests.e2e.aborting import Task, at_once_and_answered_never
from tests.e2e.conftest import side_by_side
from tests.e2e.live import LiveRig, until
from tests.e2e.served import TAKEN_BACK, Served

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

WORKERS = ("worker-1", "worker-2")
_APPLY = Task("apply_endpoint", "ApplyEndpointOperator")
_UPDATE = ("sagemaker", "Update*")


def ran(stack: Stack) -> dict[str, int]:
    """How many tasks each worker has run since it was started, as it says itself."""
    broker = (stack.secrets_dir / "broker_url").read_text()
    with Celery(broker=broker) as app:
        stats: dict[str, Any] = app.control.inspect(timeout=5).stats() or {}
    return {name.partition("@")[0]: sum(said["total"].values()) for name, said in stats.items()}


def worker_of(stack: Stack, pid: int) -> str:
    """Which worker a task's process belongs to."""
    family = {pid, *(parent.pid for parent in psutil.Process(pid).parents())}
    (name,) = [each for each in WORKERS if stack.services[each].pid in family]
    return name


def kill(pid: int) -> None:
    """SIGKILL for a worker and all that it has started, as when its machine is gone."""
    worker = psutil.Process(pid)
    for process in (worker, *worker.children(recursive=True)):
        process.send_signal(signal.SIGKILL)


def test_a_release_is_carried_out_by_both_workers(stack: Stack, deployment: Callable[..., LiveRig]) -> None:
    before = ran(stack)
    rig = deployment()
    first = rig.deploy(bias=1)
    assert (first.state, first.outcome) == ("success", "released"), first
    assert rig.predict() == [2.0, 3.0, 4.0]
    now = ran(stack)
    assert now.keys() == set(WORKERS)
    assert all(now[name] > before.get(name, 0) for name in WORKERS), (before, now)


@pytest.mark.parametrize(("retries", "allowed"), [(3, {"released"}), (0, TAKEN_BACK)], ids=["again", "back"])
def test_a_worker_dies_while_it_changes_an_endpoint(
    stack: Stack, deployment: Callable[..., LiveRig], retries: int, allowed: set[str]
) -> None:
    rig = deployment(run={"retries": retries, "retry_delay_seconds": 0})
    served = Served(rig)
    made = rig.made()
    with served.release.held({_APPLY.id: (_APPLY, _UPDATE)}, at_once_and_answered_never) as held:
        run_id = rig.start(artifact=rig.artifact(bias=served.next()))
        served.release.await_held(held, _APPLY)
        dead = worker_of(stack, rig.task(run_id, _APPLY.id)["pid"])
        kill(stack.services[dead].pid)
        served.check(run_id, allowed, f"{dead} killed", made)
    until(lambda: ran(stack).keys() == set(WORKERS), f"{dead} is there again")

"""A release that two Celery workers carry out, and one of them killed in the middle of a change."""

import signal
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from celery import Celery

from local_stack.stack import Stack
from tests.e2e.aborting import Task, at_once_and_answered_never
from tests.e2e.conftest import deployments
from tests.e2e.live import get, until
from tests.e2e.served import TAKEN_BACK, Served
from tests.soak import in_soak

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

WORKERS = ("worker-1", "worker-2")
_APPLY = Task("apply_endpoint", "ApplyEndpointOperator")
_UPDATE = ("sagemaker", "Update*")


@pytest.fixture(scope="module")
def served(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A deployment of which one release serves."""
    with deployments(stack, tmp_path_factory.mktemp("gates")) as make:
        yield Served(make())


def ran(stack: Stack) -> dict[str, int]:
    """How many tasks each worker has run since it was started, as it says itself."""
    with Celery(broker=(stack.secrets_dir / "broker_url").read_text()) as app:
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


def test_a_release_is_carried_out_by_both_workers(stack: Stack, served: Served) -> None:
    assert served.rig.predict() == [2.0, 3.0, 4.0]
    assert [record["outcome"] for record in served.rig.ledger()] == ["released"]
    tasks = ran(stack)
    assert tasks.keys() == set(WORKERS)
    assert all(tasks.values()), tasks


@in_soak
@pytest.mark.parametrize(
    ("retries", "allowed"),
    [
        pytest.param(2, {"released"}, id="tried-again"),
        pytest.param(0, TAKEN_BACK, id="no-try-left"),
    ],
)
def test_a_worker_dies_while_it_changes_an_endpoint(
    stack: Stack, served: Served, retries: int, allowed: set[str]
) -> None:
    rig = served.rig
    if retries != rig.retries:
        rig.spec(run={"retries": retries, "retry_delay_seconds": 0})
        rig.airflow.parse_file_of(rig.dag_id())
    until(lambda: retries_of(served) == retries, "Airflow has read the number of retries")
    made = rig.made()
    with served.release.held({_APPLY.id: (_APPLY, _UPDATE)}, at_once_and_answered_never) as held:
        run_id = rig.start(artifact=rig.artifact(bias=served.next()))
        served.release.await_held(held, _APPLY)
        dead = worker_of(stack, rig.task(run_id, _APPLY.id)["pid"])
        kill(stack.services[dead].pid)
        served.check(run_id, allowed, f"{dead} killed", made)
    assert rig.task(run_id, _APPLY.id)["try_number"] == (2 if retries else 1)
    until(lambda: ran(stack).keys() == set(WORKERS), f"{dead} is there again")


def retries_of(served: Served) -> int:
    """How often Airflow tries the task again, as it knows by now."""
    tasks = get(served.rig.stack, f"/dags/{served.rig.dag_id()}/tasks")["tasks"]
    return int(next(each["retries"] for each in tasks if each["task_id"] == _APPLY.id))

"""Releases that are ended from outside, in the middle of a task of one's choice."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.e2e.live import LiveRig, call, get, until

# What a task is in the middle of: the first of these that it calls at all.
_MIDDLES = (
    ("sagemaker", "Create*"),
    ("sagemaker", "Update*"),
    ("sagemaker-runtime", "*"),
    ("sagemaker", "*"),
    ("*", "*"),
)
Middle = tuple[str, str]  # service and operation


def at_once_and_answered_never(call_: dict[str, Any]) -> dict[str, Any]:
    """The call takes effect, and its caller does not learn of it."""
    return {**call_, "fault": "delay", "delay": 3600, "effect_first": True, "count": 1}


def late(call_: dict[str, Any]) -> dict[str, Any]:
    """The call takes effect a while after its caller was told to end."""
    return {**call_, "fault": "delay", "delay": 3, "count": 1}


def second_at_once_and_answered_never(call_: dict[str, Any]) -> dict[str, Any]:
    """The same of the second such call."""
    return {**at_once_and_answered_never(call_), "after": 1}


@dataclass
class Task:
    """A task of the happy path: its id, and its operator, by which its calls are known."""

    id: str
    operator: str


Calls = dict[str, tuple[Task, Middle]]  # by task id, in the order of the tasks


class Release:
    """The deploy DAG of a deployment, and runs of it."""

    def __init__(self, rig: LiveRig) -> None:
        self.rig = rig
        self.url = f"{rig.stack.sagemaker_url}/_local/faults"

    def _tasks(self, first: str) -> list[Task]:
        """The happy path from a task on, in its order, as Airflow knows it."""
        found = get(self.rig.stack, f"/dags/{self.rig.dag_id()}/tasks")["tasks"]
        known = {each["task_id"]: each for each in found}
        path, at = [], first
        while at != "complete":
            path.append(Task(at, known[at]["operator_name"]))
            (at,) = [each for each in known[at]["downstream_task_ids"] if each != "roll_back"]
        return path

    @contextmanager
    def _rule(
        self, task: Task, middle: Middle, how: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> Iterator[str]:
        """A fault of this task's calls, in this deployment; its address."""
        service, operation = middle
        told = {"user_agent": f"*Caller/{task.operator} *", "resource": f"*{self.rig.name}*"}
        answer = httpx.post(self.url, json=how({**told, "service": service, "operation": operation}))
        assert answer.status_code == httpx.codes.CREATED, answer.text
        url = f"{self.url}/{answer.json()['faults'][0]['id']}"
        try:
            yield url
        finally:
            httpx.delete(url)

    def calls(self, first: str, release: Callable[[], None]) -> Calls:
        """Where to meet each task, from the first one on, that calls anything in a release."""
        found: Calls = {}
        with ExitStack() as rules:
            urls = {
                (task.id, middle): (task, rules.enter_context(self._rule(task, middle, _counted)))
                for task in self._tasks(first)
                for middle in _MIDDLES
            }
            release()
            for (task_id, middle), (task, url) in urls.items():
                if task_id not in found and _hits(url):
                    found[task_id] = (task, middle)
        return found

    @contextmanager
    def held(self, calls: Calls, how: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[dict[str, str]]:
        """Have each of these tasks held in the middle of its call; the faults' addresses by task id."""
        with ExitStack() as rules:
            yield {
                task.id: rules.enter_context(self._rule(task, middle, how)) for task, middle in calls.values()
            }

    def await_held(self, held: dict[str, str], task: Task) -> None:
        """Wait until the task is in the middle of its call."""
        met = f"{task.id} of {self.rig.name} is in the middle of its call"
        until(lambda: _hits(held[task.id]), met, seconds=self.rig.patience)

    def kill(self, run_id: str, task_id: str) -> None:
        """SIGKILL for the task's process."""
        os.kill(self.rig.task(run_id, task_id)["pid"], signal.SIGKILL)

    def mark_task(self, run_id: str, task_id: str) -> None:
        """As *Mark as failed* of a task does."""
        path = f"{self.rig.path(run_id)}/taskInstances/{task_id}"
        call(self.rig.stack, "PATCH", path, {"new_state": "failed"})

    def mark_run(self, run_id: str, task_id: str) -> None:
        """As *Mark as failed* of a run does, whichever task is at work."""
        call(self.rig.stack, "PATCH", self.rig.path(run_id), {"state": "failed"})

    def clear(self, run_id: str, task_id: str) -> None:
        """As *Clear* of a task does."""
        self.rig.airflow.clear(self.rig.dag_id(), run_id, task_id)

    def ended(self, run_id: str, task_id: str) -> datetime:
        """When a task ended; far in the future where it has not."""
        end = self.rig.task(run_id, task_id)["end_date"]
        return datetime.fromisoformat(end) if end else datetime.max.replace(tzinfo=UTC)

    def deferred(self, run_id: str, task_id: str) -> bool:
        """Whether a task waits in the triggerer."""
        return bool(self.rig.task(run_id, task_id)["state"] == "deferred")


def _counted(call_: dict[str, Any]) -> dict[str, Any]:
    return {**call_, "fault": "delay", "delay": 0}


def _hits(url: str) -> int:
    return int(httpx.get(url).json()["hits"])

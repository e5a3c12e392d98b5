"""DAG runs, followed from outside: those one triggers, and those that start by themselves."""

import time
from collections.abc import Callable
from typing import Any

from local_stack.airflow_api import TERMINAL_STATES, AirflowApi, AirflowApiError

_POLL_SECONDS = 0.7  # each look costs Airflow's API server some 50 ms of processor time
_BUSY = frozenset({"queued", "running", "deferred"})


class Runs:
    """The runs of one Airflow."""

    def __init__(self, airflow: AirflowApi) -> None:
        self._airflow = airflow

    def trigger(self, dag_id: str, form: dict[str, Any]) -> str:
        """Start a run as a person does who fills in its form, and return its id."""
        return self._airflow.trigger(dag_id, form)

    def known(self, dag_id: str) -> frozenset[str]:
        """The ids of the runs there have been."""
        return frozenset(run["dag_run_id"] for run in self._airflow.runs(dag_id))

    def kind(self, dag_id: str, run_id: str) -> str:
        """What started a run, in Airflow's words: manual, scheduled, asset_triggered."""
        runs = self._airflow.runs(dag_id)
        return next(str(run["run_type"]) for run in runs if run["dag_run_id"] == run_id)

    def await_new(self, dag_id: str, known: frozenset[str], *, seconds: float) -> str:
        """Wait until there is a run besides the known ones, and return its id; the first of several."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if new := self.known(dag_id) - known:
                return min(new)
            time.sleep(_POLL_SECONDS)
        raise AirflowApiError(f"no run of {dag_id} started by itself within {seconds:.0f} s")

    def await_end(
        self, dag_id: str, run_id: str, *, seconds: float, on_look: Callable[[str], None] = lambda _busy: None
    ) -> str:
        """Wait until a run has ended, and return its state; `on_look` is told what it is at, at each look."""
        deadline = time.monotonic() + seconds
        while (state := self._airflow.state(dag_id, run_id)) not in TERMINAL_STATES:
            if time.monotonic() > deadline:
                raise AirflowApiError(f"{run_id} of {dag_id} did not end within {seconds:.0f} s")
            tasks = self._airflow.task_instances(dag_id, run_id)
            on_look(", ".join(t["task_id"] for t in tasks if t["state"] in _BUSY) or "between tasks")
            time.sleep(_POLL_SECONDS)
        return state

    def outcome(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """What the run's last task says of it."""
        found: dict[str, Any] = self._airflow.xcom(dag_id, run_id, "outcome")
        return found

"""`watch`: follow a running release by Airflow's API, task by task, to its end.

Exit codes: 0 released, torn down, or nothing was to be done; 1 it cannot be told; 2 a command that is typed
wrongly; 3 rolled back; 4 the way back failed: look at the endpoint; 5 refused, rejected or failed, with the
endpoint as it was.
"""

import json
import time
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from endpoint_deploy.airflow_client import AirflowClient, Run, TaskState
from endpoint_deploy.commands import FINE, AsJson, Named, Specs, deployment_named, out, stop
from endpoint_deploy.core.render_release import duration, one_line
from endpoint_deploy.errors import EndpointDeployError

COMMANDS = frozenset({"watch"})
ROLLED_BACK, ROLLBACK_FAILED, UNCHANGED = 3, 4, 5
_EXIT_CODES = {
    "released": FINE,
    "nothing_to_do": FINE,
    "planned": FINE,
    "torn_down": FINE,
    "rolled_back": ROLLED_BACK,
    "rollback_failed": ROLLBACK_FAILED,
}
_POLL_SECONDS = 1.0
_FOLLOWED = ("deploy", "rollback", "teardown")
_WORDS = {"deferred": "waiting", "awaiting_input": "asks a person", "upstream_failed": "not reached"}
_COLOURS = {
    "success": "green",
    "failed": "red",
    "running": "cyan",
    "waiting": "cyan",
    "asks a person": "yellow",
}
_UNSAID = frozenset({"none", "scheduled", "queued", "removed"})


def watch(
    name: Named,
    airflow: Annotated[
        str, typer.Option(envvar="AIRFLOW_API_URL", help="Where Airflow's API is, as in the browser.")
    ] = "http://localhost:8080",
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for a run where none runs.")] = 0,
    specs: Specs = None,
    as_json: AsJson = False,
) -> None:
    """Follow the deployment's running deploy, rollback or teardown to its end: tasks and how long each took.

    Airflow is asked with the token of AIRFLOW_CLI_TOKEN, else with AIRFLOW_USERNAME and AIRFLOW_PASSWORD.
    """
    deployment = deployment_named(name, specs)
    try:
        with AirflowClient(airflow) as client:
            run = _found(client, [f"{kind}__{deployment.key}" for kind in _FOLLOWED], wait)
            if run is None:
                raise stop(f"{deployment.key}: no deploy, rollback or teardown runs")
            raise typer.Exit(_follow(client, run, as_json=as_json))
    except EndpointDeployError as error:
        raise stop(f"{deployment.key}: {error}") from None


def _found(client: AirflowClient, dag_ids: list[str], wait: float) -> Run | None:
    deadline = time.monotonic() + wait
    while (run := client.running(dag_ids)) is None and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return run


def _follow(client: AirflowClient, run: Run, *, as_json: bool) -> int:
    """Say what changes until the run has ended; the exit code."""
    show = _Lines(as_json=as_json) if as_json or not out.is_terminal else _Screen()
    with show.shown():
        show.begin(run)
        while True:
            # Asked before the tasks: what they say last is then all there is.
            ended = client.run(run).ended
            show.tasks(client.tasks(run))
            if ended:
                break
            time.sleep(_POLL_SECONDS)
    result = client.result(run)
    outcome = str(result.get("outcome") or client.run(run).state)
    show.end(run, outcome, str(result.get("reason") or ""))
    return _EXIT_CODES.get(outcome, FINE if outcome == "success" else UNCHANGED)


class _Lines:
    """A line a change: for pipes and logs, and with `as_json` for programs."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._known: dict[str, str] = {}

    def shown(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def begin(self, run: Run) -> None:
        self._say(f"{run.dag_id} {run.run_id}", event="run", dag_id=run.dag_id, run_id=run.run_id)

    def tasks(self, tasks: list[TaskState]) -> None:
        for task in tasks:
            if task.state in _UNSAID or self._known.get(task.task_id) == task.state:
                continue
            self._known[task.task_id] = task.state
            seconds = task.seconds if task.ended else None
            took = f"\t{duration(seconds)}" if seconds is not None else ""
            self._say(
                f"{task.task_id}\t{_word(task)}{took}",
                event="task",
                task_id=task.task_id,
                state=task.state,
                seconds=seconds,
            )

    def end(self, run: Run, outcome: str, reason: str) -> None:
        seconds = _since(run)
        self._say(
            f"{outcome}: {one_line(reason)} ({duration(seconds)})",
            event="end",
            outcome=outcome,
            reason=reason,
            seconds=round(seconds, 3),
        )

    def _say(self, line: str, **document: Any) -> None:
        typer.echo(json.dumps(document, ensure_ascii=False) if self._as_json else line)


class _Screen(_Lines):
    """One table that changes: for a terminal."""

    def __init__(self) -> None:
        super().__init__(as_json=False)
        self._live = Live(console=out, refresh_per_second=4, transient=False)

    def shown(self) -> AbstractContextManager[Any]:
        return self._live

    def tasks(self, tasks: list[TaskState]) -> None:
        table = Table("task", "state", "took")
        for task in tasks:
            if task.state not in _UNSAID:
                word = _word(task)
                table.add_row(
                    escape(task.task_id), f"[{_COLOURS.get(word, 'dim')}]{word}[/]", duration(task.seconds)
                )
        self._live.update(table)


def _word(task: TaskState) -> str:
    return _WORDS.get(task.state, task.state)


def _since(run: Run) -> float:
    return (datetime.now(UTC) - run.started_at).total_seconds()

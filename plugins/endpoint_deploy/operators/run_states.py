"""How the tasks of this run ended, for whoever records it."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from airflow.sdk import Context

from endpoint_deploy.airflow_versions import conf
from endpoint_deploy.core.outcome import TaskError
from endpoint_deploy.errors import ReleaseFailed
from endpoint_deploy.run_context import holder_of, pull
from endpoint_deploy.task_base import FAILURE

_ESCALATION_SECONDS = 5  # between SIGTERM and SIGKILL (ActivitySubprocess.kill of the task SDK's supervisor)
_MARGIN_SECONDS = 1


def states_and_phases(context: Context) -> tuple[dict[str, str | None], dict[str, float]]:
    """State and seconds by task id, as Airflow knows them."""
    holder = holder_of(context)
    crumbs = cast("Any", context["ti"]).get_task_breadcrumbs(holder.dag_id, holder.run_id)
    states: dict[str, str | None] = {}
    phases: dict[str, float] = {}
    for crumb in crumbs:
        state = crumb["state"]
        states[crumb["task_id"]] = getattr(state, "value", state)
        if crumb.get("duration") is not None:
            phases[crumb["task_id"]] = round(float(crumb["duration"]), 3)
    return states, phases


def errors_of(
    context: Context, tasks: Iterable[str], states: Mapping[str, str | None]
) -> dict[str, TaskError]:
    """What those of the tasks that failed have left, by task id."""
    return {
        task: TaskError.model_validate(error)
        for task in tasks
        if states.get(task) == "failed" and (error := pull(context, task, FAILURE)) is not None
    }


def check_nothing_failed(context: Context) -> None:
    """Raise ReleaseFailed where a person has marked a task before this one as failed after it had ended.

    Airflow looks no further back than to the task just before, and would go on.
    """
    states, _ = states_and_phases(context)
    earlier = context["task"].get_flat_relative_ids(upstream=True)
    for task in sorted(earlier):
        if states.get(task) == "failed":
            raise ReleaseFailed(f"{task} was marked failed after it had ended: the release goes no further")


def longest_life() -> int:
    """Seconds for which a task's process may live on once Airflow has its task down as ended.

    Its supervisor learns of that from the answer to a heartbeat, or gives up after so many without one.
    """
    beats = conf.getint("workers", "min_heartbeat_interval") * conf.getint("workers", "max_failed_heartbeats")
    return int(beats) + _ESCALATION_SECONDS + _MARGIN_SECONDS

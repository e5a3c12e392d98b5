"""Skip what a plan leaves nothing to do, without starting it.

Each start of a task costs a release about half a second, only to find that there is nothing to do.
"""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.airflow_versions import DownstreamTasksSkipped
from endpoint_deploy.core.outcome import COMPLETE
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.slots import OPTIONAL, why_idle
from endpoint_deploy.errors import NotAsPlanned
from endpoint_deploy.operators.run_states import states_and_phases
from endpoint_deploy.task_base import ReleaseTask


def hand_on(task: ReleaseTask, context: Context, plan: Plan, *, holds: bool) -> dict[str, Any]:
    """Return the plan, for the tasks after `task`; skips those of them that have nothing to do.

    holds: whether `hold` has something to do. A task that is skipped so and cleared by a person finds out by
    itself that it has nothing to do. Raises NotAsPlanned where a try before this one skipped what is needed.
    """
    said = plan.model_dump(mode="json")
    chain = [
        each.task_id
        for each in task.get_flat_relatives(upstream=False)
        if not each.is_teardown and each.task_id != COMPLETE
    ]
    idle = _idle(task, plan, chain, holds=holds)
    _check_none_is_lost(context, [task_id for task_id in chain if task_id not in idle])
    if not idle:
        return said
    for task_id, why in idle.items():
        task.log.info("%s is skipped: %s", task_id, why)
    context["ti"].xcom_push(key="return_value", value=said)
    raise DownstreamTasksSkipped(tasks=list(idle))


def _idle(task: ReleaseTask, plan: Plan, chain: list[str], *, holds: bool) -> dict[str, str]:
    """Reasons by task id."""
    if why := why_idle(plan):
        return dict.fromkeys(chain, why)
    empty = task.empty_slots(plan)
    if not holds:
        empty["hold"] = "nothing holds the release"
    return {task_id: empty[task_id] for task_id in chain if task_id in OPTIONAL and task_id in empty}


def _check_none_is_lost(context: Context, needed: list[str]) -> None:
    """A try that skipped tasks and died may have seen another endpoint; what is skipped would not run."""
    if context["ti"].try_number == 1:
        return
    states, _ = states_and_phases(context)
    if lost := [task_id for task_id in needed if states.get(task_id) == "skipped"]:
        raise NotAsPlanned(
            f"{', '.join(lost)}: skipped by a try before this one, whose plan did not need it, and needed "
            "now; clear from `plan`, downstream tasks included"
        )

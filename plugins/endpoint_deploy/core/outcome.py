"""From the states of a run's tasks to what became of the release."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.release import Failure
from endpoint_deploy.core.spec import Strict

RunOutcome = Literal[
    "released", "nothing_to_do", "planned", "refused", "failed", "rolled_back", "rollback_failed"
]
_GOOD = frozenset({"success", "skipped"})
# States of a task that did not fail itself: its cause stands further up.
_NOT_THE_CAUSE = frozenset({"upstream_failed", "removed", None})


class TaskError(Strict):
    """What a failed task left. `passing`: another try may do better (a lock, a network, a throttle)."""

    message: str
    passing: bool


class Verdict(Strict):
    """What became of the release, and why in one sentence."""

    outcome: RunOutcome
    reason: str
    failure: Failure | None = None


def judge_run(
    chain: Sequence[str],
    states: Mapping[str, str | None],
    said: Mapping[str, TaskError],
    plan: Plan | None,
    rolled_back: Mapping[str, Any] | None,
) -> Verdict:
    """Judge a run.

    chain: the tasks of the happy path, in order; states: by task id, `roll_back` included; said: what failed
    tasks left; rolled_back: what `roll_back` returned, None where it did not run or had nothing to do.
    """
    failure = _first_failure(chain, states, said)
    if failure is None:
        if plan is None:
            return Verdict(outcome="failed", reason="the run made no plan and no task failed")
        if plan.action == "nothing":
            return Verdict(outcome="nothing_to_do", reason=plan.summary)
        if plan.plan_only:
            return Verdict(outcome="planned", reason=plan.summary)
        return Verdict(outcome="released", reason=plan.summary)
    why = f"{failure.task_id}: {failure.message}"
    if plan is None:
        cause = said.get(failure.task_id)
        refused = cause is not None and not cause.passing
        reason = f"{why} Nothing was changed."
        return Verdict(outcome="refused" if refused else "failed", reason=reason, failure=failure)
    if rolled_back is not None:
        reason = f"{why} {rolled_back.get('reason', '')}".strip()
        return Verdict(outcome="rolled_back", reason=reason, failure=failure)
    if states.get("roll_back") == "skipped":
        return Verdict(outcome="failed", reason=why, failure=failure)
    undone = said["roll_back"].message if "roll_back" in said else f"it ended {states.get('roll_back')}"
    return Verdict(
        outcome="rollback_failed", reason=f"{why} The rollback failed too: {undone}", failure=failure
    )


def _first_failure(
    chain: Sequence[str], states: Mapping[str, str | None], said: Mapping[str, TaskError]
) -> Failure | None:
    for task_id in chain:
        state = states.get(task_id)
        if state not in _GOOD and state not in _NOT_THE_CAUSE:
            lost = f"ended {state}: marked so by a person, or its worker was lost"
            return Failure(task_id=task_id, message=said[task_id].message if task_id in said else lost)
    for task_id in chain:
        if states.get(task_id) not in _GOOD:
            return Failure(task_id=task_id, message=f"did not run ({states.get(task_id)})")
    return None

"""From the states of a run's tasks to what became of the release."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from endpoint_deploy.core.approval import Decision
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.record import Failure
from endpoint_deploy.core.strict import Strict

RunOutcome = Literal[
    "released",
    "nothing_to_do",
    "planned",
    "rejected",
    "refused",
    "failed",
    "rolled_back",
    "rollback_failed",
]
COMPLETE = "complete"  # the task after the happy path's last; skipped only where a person ended the run
_GOOD = frozenset({"success", "skipped"})
# States of a task that did not fail itself: its cause stands further up.
_NOT_THE_CAUSE = frozenset({"upstream_failed", "removed", None})


class TaskError(Strict):
    """What a failed task left.

    `passing`: another try may do better (a lock, a network, a throttle). `refusal`: it is a gate's judgement.
    `data_docs`: s3:// address of the report that shows it.
    """

    message: str
    passing: bool
    refusal: bool = False
    data_docs: str | None = None


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
    *,
    decision: Decision | None = None,
) -> Verdict:
    """Judge a run.

    chain: the tasks of the happy path, in order; states: by task id, `complete` and `roll_back` included;
    said: what failed tasks left; rolled_back: what `roll_back` returned, None where it did not run or had
    nothing to do; decision: what was decided about the plan in this run, None where nobody was asked.
    """
    failure = why_incomplete(chain, states, said)
    if failure is None:
        if plan is None:
            return Verdict(outcome="failed", reason="the run made no plan and no task failed")
        if plan.action == "nothing":
            return Verdict(outcome="nothing_to_do", reason=plan.summary)
        if plan.plan_only:
            return Verdict(outcome="planned", reason=plan.summary)
        return Verdict(outcome="released", reason=plan.summary)
    if failure.task_id == "approve" and decision is not None and not decision.approved:
        reason = f"The release was {decision.sentence}. Nothing was changed."
        return Verdict(outcome="rejected", reason=reason, failure=failure)
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


def why_incomplete(
    chain: Sequence[str], states: Mapping[str, str | None], said: Mapping[str, TaskError]
) -> Failure | None:
    """What kept a run's happy path from its end: a task, or a person who ended the run; None if nothing.

    `states` and `said` as for `judge_run`.
    """
    failure = first_failure(chain, states, said)
    if failure is None and states.get(COMPLETE) == "skipped":
        ended = "the run was ended by a person before it was complete."
        return Failure(task_id=COMPLETE, message=ended)
    return failure


def was_cut_off(
    chain: Sequence[str], states: Mapping[str, str | None], said: Mapping[str, TaskError]
) -> bool:
    """Whether a task may still be running though it has ended: marked so by a person, or its run was ended.

    `states` and `said` as for `judge_run`.
    """
    ended = any(states.get(task_id) == "failed" and task_id not in said for task_id in chain)
    return ended or states.get(COMPLETE) == "skipped"


def first_failure(
    chain: Sequence[str], states: Mapping[str, str | None], said: Mapping[str, TaskError]
) -> Failure | None:
    """The first task of a chain that failed by itself, else the first that did not run; None where all did.

    `states` and `said` as for `judge_run`.
    """
    for task_id in chain:
        state = states.get(task_id)
        if state not in _GOOD and state not in _NOT_THE_CAUSE:
            lost = f"ended {state}: marked so by a person, or its worker was lost"
            return Failure(task_id=task_id, message=said[task_id].message if task_id in said else lost)
    for task_id in chain:
        if states.get(task_id) not in _GOOD:
            return Failure(task_id=task_id, message=f"did not run ({states.get(task_id)})")
    return None

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


class Verdict(Strict):
    """What became of the release, and why in one sentence."""

    outcome: RunOutcome
    reason: str
    failure: Failure | None = None


def judge_run(
    chain: Sequence[str],
    states: Mapping[str, str | None],
    messages: Mapping[str, str],
    plan: Plan | None,
    rolled_back: Mapping[str, Any] | None,
) -> Verdict:
    """Judge a run.

    chain: the tasks of the happy path, in order; states: by task id, `roll_back` included; messages: what
    failed tasks left; rolled_back: what `roll_back` returned, None where it did not run or had nothing to do.
    """
    failure = _first_failure(chain, states, messages)
    if failure is None:
        if plan is None:
            return Verdict(outcome="failed", reason="the run made no plan and no task failed")
        if plan.action == "nothing":
            return Verdict(outcome="nothing_to_do", reason=plan.summary)
        if plan.plan_only:
            return Verdict(outcome="planned", reason=plan.summary)
        return Verdict(outcome="released", reason=plan.summary)
    said = f"{failure.task_id}: {failure.message}"
    if plan is None:
        return Verdict(outcome="refused", reason=f"{said} Nothing was changed.", failure=failure)
    if rolled_back is not None:
        reason = f"{said} {rolled_back.get('reason', '')}".strip()
        return Verdict(outcome="rolled_back", reason=reason, failure=failure)
    if states.get("roll_back") == "skipped":
        return Verdict(outcome="failed", reason=said, failure=failure)
    undone = messages.get("roll_back") or f"roll_back ended {states.get('roll_back')}"
    return Verdict(
        outcome="rollback_failed", reason=f"{said} The rollback failed too: {undone}", failure=failure
    )


def _first_failure(
    chain: Sequence[str], states: Mapping[str, str | None], messages: Mapping[str, str]
) -> Failure | None:
    for task_id in chain:
        state = states.get(task_id)
        if state not in _GOOD and state not in _NOT_THE_CAUSE:
            said = messages.get(task_id) or f"ended {state}: marked so by a person, or its worker was lost"
            return Failure(task_id=task_id, message=said)
    for task_id in chain:
        if states.get(task_id) not in _GOOD:
            return Failure(task_id=task_id, message=f"did not run ({states.get(task_id)})")
    return None

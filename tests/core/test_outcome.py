"""What became of a run that a person ended, or a task of it."""

import pytest

from endpoint_deploy.core.outcome import TaskError, judge_run, was_cut_off, why_incomplete
from tests.core.builders import spec, staged

CHAIN = ("plan", "create_model", "apply_endpoint", "smoke_test")
THROUGH: dict[str, str | None] = {**dict.fromkeys((*CHAIN, "complete"), "success"), "roll_back": "skipped"}
OWN = {"smoke_test": TaskError(message="it does not answer", passing=False)}


@pytest.mark.parametrize(
    ("changed", "said", "at", "cut_off"),
    [
        ({}, {}, None, False),
        # A task that skips itself, and tasks that are skipped since the run was marked.
        ({"create_model": "skipped"}, {}, None, False),
        ({"smoke_test": "skipped", "complete": "skipped"}, {}, "complete", True),
        (
            {"apply_endpoint": "failed", "smoke_test": "skipped", "complete": "skipped"},
            {},
            "apply_endpoint",
            True,
        ),
        ({"smoke_test": "failed", "complete": "upstream_failed"}, OWN, "smoke_test", False),
        ({"smoke_test": "failed", "complete": "upstream_failed"}, {}, "smoke_test", True),
        # Marked failed while a later one was at work, which then went through.
        ({"create_model": "failed"}, {}, "create_model", True),
    ],
)
def test_what_kept_a_release_from_its_end(
    changed: dict[str, str | None], said: dict[str, TaskError], at: str | None, cut_off: bool
) -> None:
    states = {**THROUGH, **changed}
    failure = why_incomplete(CHAIN, states, said)
    assert (failure.task_id if failure else None) == at
    assert was_cut_off(CHAIN, states, said) is cut_off


def test_a_run_that_a_person_ended_is_no_release() -> None:
    _, plan = staged(spec())
    states = {**THROUGH, "smoke_test": "skipped", "complete": "skipped"}
    assert judge_run(CHAIN, THROUGH, {}, plan, None).outcome == "released"
    ended = judge_run(
        CHAIN, {**states, "roll_back": "success"}, {}, plan, {"reason": "Rolled back: it serves."}
    )
    assert ended.outcome == "rolled_back"
    assert ended.reason == (
        "complete: the run was ended by a person before it was complete. Rolled back: it serves."
    )
    assert judge_run(CHAIN, states, {}, plan, None).outcome == "failed"
    early = judge_run(CHAIN, states, {}, None, None)
    assert (early.outcome, early.reason.endswith("Nothing was changed.")) == ("failed", True)
    undone = judge_run(CHAIN, {**states, "roll_back": "failed"}, {}, plan, None)
    assert undone.outcome == "rollback_failed"

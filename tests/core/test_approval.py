"""Decisions, and what they mean for a plan and for a run."""

import pytest

from endpoint_deploy.core.approval import Decision, check_approved, plan_digest
from endpoint_deploy.core.outcome import TaskError, judge_run
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.errors import NotAsPlanned
from tests.core.builders import spec, staged

CHAIN = ("validate_artifact", "plan", "approve", "create_model")


def decided(plan: Plan, **changes: str) -> Decision:
    body = {
        "verdict": "approved",
        "by": "person",
        "user": "ann",
        "at": "2026-02-03T04:05:06+00:00",
        "plan": plan_digest(plan),
        "asked": "s3://models/approvals/question.json",
        **changes,
    }
    return Decision.model_validate(body)


def test_the_plan_that_was_approved_may_be_carried_out() -> None:
    _, plan = staged(spec())
    check_approved(plan, decided(plan))
    # A plan that has been through XCom is the same plan.
    check_approved(Plan.model_validate(plan.model_dump(mode="json")), decided(plan))


def test_no_other_plan_may() -> None:
    _, plan = staged(spec())
    _, other = staged(spec(), after="c")
    for decision, why in (
        (None, "nobody has decided"),
        (decided(plan, verdict="rejected", note="no"), "was rejected by ann in Airflow at .*: no"),
        (decided(other), "another plan was approved by ann"),
    ):
        with pytest.raises(NotAsPlanned, match=f"{why}.* start a new run"):
            check_approved(plan, decision)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"note": "not on a Friday"},
            "rejected by ann in Airflow at 2026-02-03T04:05:06+00:00: not on a Friday",
        ),
        ({"by": "registry"}, "rejected by ann in the model registry at 2026-02-03T04:05:06+00:00"),
        ({"by": "timeout"}, "rejected, since nobody had decided by 2026-02-03T04:05:06+00:00"),
    ],
)
def test_a_rejected_run_says_who_and_why(changes: dict[str, str], said: str) -> None:
    _, plan = staged(spec())
    states = {"validate_artifact": "success", "plan": "success", "approve": "failed"}
    states |= {"create_model": "upstream_failed", "roll_back": "skipped"}
    errors = {"approve": TaskError(message="the release was rejected", passing=False)}
    decision = decided(plan, verdict="rejected", **changes)
    verdict = judge_run(CHAIN, states, errors, plan, None, decision=decision)
    assert (verdict.outcome, verdict.reason) == ("rejected", f"The release was {said}. Nothing was changed.")
    assert verdict.failure is not None
    assert verdict.failure.task_id == "approve"


def test_an_approval_that_fails_for_another_reason_is_no_rejection() -> None:
    _, plan = staged(spec())
    states = {"validate_artifact": "success", "plan": "success", "approve": "failed"}
    states |= {"create_model": "upstream_failed", "roll_back": "skipped"}
    errors = {"approve": TaskError(message="the plan is stale", passing=False)}
    for decision in (None, decided(plan)):
        verdict = judge_run(CHAIN, states, errors, plan, None, decision=decision)
        assert (verdict.outcome, verdict.reason) == ("failed", "approve: the plan is stale")

"""A person's approval, through Airflow's own API of required actions."""

import re
from collections.abc import Callable

import httpx
import pytest

from tests.deploy.packages import Group
from tests.deploy.rig import BUCKET
from tests.e2e.live import LiveRig
from tests.e2e.people import answer, decide, mark, question
from tests.soak import in_soak

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

_SOON = {"timeout_seconds": 600}


def test_what_a_person_approves_is_released_and_the_ledger_says_who(
    deployment: Callable[..., LiveRig],
) -> None:
    rig = deployment(approval=_SOON)
    first = rig.start(artifact=rig.artifact(bias=1))
    asked = question(rig, first)
    assert asked["options"] == ["Approve", "Reject"]
    assert asked["defaults"] == ["Reject"]
    assert "1 x ml.m5.large" in asked["body"]
    assert rig.locks() == []
    assert rig.made() == (set(), set())

    assert answer(rig, first, "Approve", user="viewer").status_code == httpx.codes.FORBIDDEN
    decide(rig, first, "Approve", note="the first one")
    run = rig.end(first)
    assert (run.state, run.outcome) == ("success", "released"), run
    assert rig.predict() == [2.0, 3.0, 4.0]
    approval = rig.ledger()[-1]["approval"]
    assert (approval["verdict"], approval["by"], approval["user"], approval["note"]) == (
        "approved",
        "person",
        "admin",
        "the first one",
    )

    again = rig.run(artifact=rig.artifact(bias=1))
    assert (again.state, again.outcome) == ("success", "nothing_to_do"), again
    assert again.tasks["approve"] == "skipped"


def test_what_a_person_rejects_changes_nothing(deployment: Callable[..., LiveRig]) -> None:
    rig = deployment(approval=_SOON)
    run_id = rig.start(artifact=rig.artifact(bias=1))
    decide(rig, run_id, "Reject", note="not on a Friday")
    run = rig.end(run_id)
    assert (run.state, run.outcome) == ("failed", "rejected"), run
    assert "rejected by admin" in run.result["reason"]
    assert "not on a Friday" in run.result["reason"]
    assert (run.tasks["create_model"], run.tasks["roll_back"]) == ("upstream_failed", "skipped")
    assert rig.made() == (set(), set())
    record = rig.ledger()[-1]
    assert (record["outcome"], record["approval"]["user"]) == ("rejected", "admin")

    # Cleared, it asks again, with the same question.
    rig.airflow.clear(rig.dag_id(), run_id, "approve")
    decide(rig, run_id, "Approve")
    run = rig.end(run_id)
    assert (run.state, run.outcome) == ("success", "released"), run
    assert [each["outcome"] for each in rig.ledger()] == ["rejected", "released"]


def test_nobody_s_answer_is_a_rejection(deployment: Callable[..., LiveRig]) -> None:
    rig = deployment(approval={"timeout_seconds": 10})
    run_id = rig.start(artifact=rig.artifact(bias=1))
    run = rig.end(run_id)
    assert (run.state, run.outcome) == ("failed", "rejected"), run
    assert "nobody had decided" in run.result["reason"]
    record = rig.ledger()[-1]
    assert (record["approval"]["by"], record["approval"]["user"]) == ("timeout", None)
    assert answer(rig, run_id, "Approve").status_code == httpx.codes.CONFLICT
    assert rig.made() == (set(), set())


def test_only_whom_the_spec_names_may_decide(deployment: Callable[..., LiveRig]) -> None:
    rig = deployment(approval={**_SOON, "approvers": ["release-board"]})
    run_id = rig.start(artifact=rig.artifact(bias=1))
    assert [user["id"] for user in question(rig, run_id)["assigned_users"]] == ["release-board"]
    refused = answer(rig, run_id, "Approve")
    assert refused.status_code == httpx.codes.FORBIDDEN
    assert "not a respondent" in refused.text

    other = deployment(approval={**_SOON, "approvers": ["admin"]})
    run_id = other.start(artifact=other.artifact(bias=1))
    decide(other, run_id, "Approve")
    assert other.end(run_id).outcome == "released"


def test_an_archive_that_is_gone_meanwhile_is_pinned_again_first(deployment: Callable[..., LiveRig]) -> None:
    rig = deployment(approval=_SOON)
    run_id = rig.start(artifact=rig.artifact(bias=1))
    question(rig, run_id)
    pinned = rig.xcom(run_id, "validate_artifact")["candidate"]["pinned"]
    rig.clients("s3").delete_object(Bucket=BUCKET, Key=pinned.removeprefix(f"s3://{BUCKET}/"))
    decide(rig, run_id, "Approve")
    run = rig.end(run_id)
    assert (run.state, run.outcome) == ("failed", "failed"), run
    said = f"{pinned} is gone since it was pinned; clear from `validate_artifact`"
    assert said in run.result["reason"]
    assert (rig.made(), rig.locks()) == ((set(), set()), [])

    rig.airflow.clear(rig.dag_id(), run_id, "validate_artifact")
    decide(rig, run_id, "Approve")
    run = rig.end(run_id)
    assert (run.state, run.outcome) == ("success", "released"), run
    assert rig.predict() == [2.0, 3.0, 4.0]


def test_a_plan_that_went_stale_meanwhile_is_not_carried_out(deployment: Callable[..., LiveRig]) -> None:
    rig = deployment(approval=_SOON)
    for bias in (1, 2):
        approve(rig, rig.start(artifact=rig.artifact(bias=bias)))
    waiting = rig.start(artifact=rig.artifact(bias=3))
    question(rig, waiting)
    # Nobody is asked for the way back, and a question that waits does not hold it up.
    assert rig.run("rollback", release=1).outcome == "released"
    decide(rig, waiting, "Approve")
    run = rig.end(waiting)
    assert (run.state, run.outcome) == ("failed", "failed"), run
    assert "the plan is stale" in run.result["reason"]
    assert rig.predict() == [2.0, 3.0, 4.0]

    # Cleared from `plan` there is another plan, and Airflow would show the question about the old one.
    rig.airflow.clear(rig.dag_id(), waiting, "plan")
    run = rig.end(waiting)
    assert (run.state, run.outcome) == ("failed", "failed"), run
    assert "start a new run" in run.result["reason"]
    assert rig.predict() == [2.0, 3.0, 4.0]


def test_a_task_marked_as_a_success_approves_nothing(deployment: Callable[..., LiveRig]) -> None:
    rig = deployment(approval=_SOON)
    run_id = rig.start(artifact=rig.artifact(bias=1))
    question(rig, run_id)
    mark(rig, run_id, "success")
    run = rig.end(run_id)
    assert (run.state, run.outcome) == ("failed", "failed"), run
    assert "nobody has decided" in run.result["reason"]
    assert rig.made() == (set(), set())


def test_who_decided_about_a_package_stands_in_the_registry_too(deployment: Callable[..., LiveRig]) -> None:
    rig, group = packaged(deployment)
    first = group.register(rig.artifact(bias=1))
    run_id = rig.start(model_package=first)
    asked = question(rig, run_id)
    assert asked["task_instance"]["state"] == "deferred"
    assert first in asked["body"]
    approve(rig, run_id, note="the first one")
    package = rig.sagemaker.describe_model_package(ModelPackageName=first)
    assert package["ModelApprovalStatus"] == "Approved"
    assert re.fullmatch("approved by admin in Airflow at .*: the first one", package["ApprovalDescription"])

    second = group.register(rig.artifact(bias=2))
    run_id = rig.start(model_package=second)
    decide(rig, run_id, "Reject", note="too good to be true")
    run = rig.end(run_id)
    assert (run.state, run.outcome) == ("failed", "rejected"), run
    package = rig.sagemaker.describe_model_package(ModelPackageName=second)
    assert package["ModelApprovalStatus"] == "Rejected"
    assert "rejected by admin in Airflow" in package["ApprovalDescription"]
    assert rig.predict() == [2.0, 3.0, 4.0]
    assert [each["approval"]["verdict"] for each in rig.ledger()] == ["approved", "rejected"]


def test_a_package_rejected_in_the_registry_ends_the_question(deployment: Callable[..., LiveRig]) -> None:
    rig, group = packaged(deployment)
    arn = group.register(rig.artifact(bias=1))
    run_id = rig.start(model_package=arn)
    question(rig, run_id)
    group.set_status(arn, "Rejected", "biased")
    run = rig.end(run_id)
    assert (run.state, run.outcome) == ("failed", "rejected"), run
    assert "in the model registry" in run.result["reason"]
    assert "biased" in run.result["reason"]
    assert answer(rig, run_id, "Approve").status_code == httpx.codes.CONFLICT
    assert rig.ledger()[-1]["approval"]["by"] == "registry"
    assert rig.made() == (set(), set())


@in_soak
def test_the_end_of_the_time_rejects_a_package_as_well(deployment: Callable[..., LiveRig]) -> None:
    rig, group = packaged(deployment, timeout_seconds=10)
    arn = group.register(rig.artifact(bias=1))
    run = rig.run(model_package=arn)
    assert (run.state, run.outcome) == ("failed", "rejected"), run
    assert rig.ledger()[-1]["approval"]["by"] == "timeout"
    package = rig.sagemaker.describe_model_package(ModelPackageName=arn)
    assert package["ModelApprovalStatus"] == "Rejected"
    assert "nobody had decided" in package["ApprovalDescription"]


def packaged(deployment: Callable[..., LiveRig], **approval: int) -> tuple[LiveRig, Group]:
    """A deployment that asks before it releases a package of its group."""
    asks = {**_SOON, **approval}
    rig = deployment(approval=asks)
    group = Group(rig)
    # Tasks read the spec when they run; of the DAG that is listed already nothing changes by it.
    rig.spec(approval=asks, registry={"group": group.name, "poll_seconds": 0.5})
    return rig, group


def approve(rig: LiveRig, run_id: str, note: str | None = None) -> None:
    """Approve a release, and see it through."""
    decide(rig, run_id, "Approve", note=note)
    run = rig.end(run_id)
    assert (run.state, run.outcome) == ("success", "released"), run

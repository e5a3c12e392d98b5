"""What became of a retraining: from states and what the tasks said to one word and one sentence."""

import pytest

from endpoint_deploy.core.outcome import TaskError
from endpoint_deploy.core.retrain import GatedMetrics, MetricResult, RegisteredPackage
from endpoint_deploy.core.retrain_outcome import RetrainVerdict, judge_retrain

CHAIN = (
    "merge_feedback",
    "select_data",
    "check_data",
    "train",
    "validate_candidate",
    "evaluate",
    "gate_metrics",
    "register",
)
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/3"


def package(status: str = "Approved") -> RegisteredPackage:
    return RegisteredPackage(arn=ARN, group="churn", version=3, status=status)


def metrics(**champion: float) -> GatedMetrics:
    result = MetricResult(name="accuracy", candidate=0.9567, **champion)
    return GatedMetrics(rows=10, confidence=0.95, metrics=(result,))


def judge(
    failed: str | None = None,
    said: TaskError | None = None,
    *,
    state: str = "failed",
    nothing_new: str | None = None,
    registered: RegisteredPackage | None = None,
    gated: GatedMetrics | None = None,
) -> RetrainVerdict:
    """The verdict on a run whose tasks succeeded up to the given one."""
    states: dict[str, str | None] = dict.fromkeys(CHAIN, "success")
    if failed is not None:
        at = CHAIN.index(failed)
        states |= {failed: state} | dict.fromkeys(CHAIN[at + 1 :], "upstream_failed")
    return judge_retrain(
        CHAIN,
        states,
        {failed: said} if failed and said else {},
        nothing_new=nothing_new,
        package=registered,
        metrics=gated,
    )


def refusal(message: str) -> TaskError:
    return TaskError(message=message, passing=False, refusal=True)


@pytest.mark.parametrize(
    ("task", "outcome"),
    [
        ("merge_feedback", "data_refused"),
        ("select_data", "data_refused"),
        ("check_data", "data_refused"),
        ("validate_candidate", "model_refused"),
        ("evaluate", "model_refused"),
        ("gate_metrics", "model_refused"),
    ],
)
def test_a_gate_s_judgement_is_a_refusal_of_what_it_judges(task: str, outcome: str) -> None:
    verdict = judge(task, refusal("12 of 100 rows have no age."))
    assert verdict.outcome == outcome
    assert verdict.reason == (
        f"{task}: 12 of 100 rows have no age. Nothing was registered, and the endpoint is as it was."
    )
    assert verdict.failure is not None
    assert verdict.failure.task_id == task


@pytest.mark.parametrize("task", CHAIN)
def test_a_task_that_could_not_do_its_work_has_judged_nothing(task: str) -> None:
    for passing in (True, False):
        verdict = judge(task, TaskError(message="AccessDenied", passing=passing))
        assert verdict.outcome == "failed"
        assert verdict.reason.startswith(f"{task}: AccessDenied. ")
    assert judge(task).outcome == "failed"


@pytest.mark.parametrize("task", ["train", "register"])
def test_what_trains_and_registers_judges_nothing(task: str) -> None:
    assert judge(task, refusal("no")).outcome == "failed"


def test_a_lost_worker_is_named_as_the_cause() -> None:
    verdict = judge("check_data", state="failed")
    assert "check_data: ended failed: marked so by a person, or its worker was lost" in verdict.reason


def test_registered_says_which_version_and_how_it_compares() -> None:
    gains = {"champion": 0.9, "gain": 0.0567, "gain_low": 0.01, "gain_high": 0.1}
    assert judge(registered=package(), gated=metrics(**gains)) == RetrainVerdict(
        outcome="registered",
        reason="version 3 of churn is registered, Approved: accuracy 0.9567 (champion 0.9, gain +0.0567, "
        "from +0.01 to +0.1)",
    )
    first = judge(registered=package(), gated=metrics())
    assert first.reason == "version 3 of churn is registered, Approved: accuracy 0.9567"


def test_registered_and_pending_says_that_somebody_has_to_approve_it() -> None:
    verdict = judge(registered=package("PendingManualApproval"))
    assert verdict.outcome == "registered"
    assert verdict.reason == (
        "version 3 of churn is registered, PendingManualApproval, which waits for approval in the registry"
    )


def test_nothing_new_is_what_select_data_said() -> None:
    verdict = judge(nothing_new="the same 3 files")
    assert (verdict.outcome, verdict.reason, verdict.failure) == ("nothing_new", "the same 3 files", None)


def test_a_run_that_did_nothing_at_all_has_failed() -> None:
    assert judge().outcome == "failed"

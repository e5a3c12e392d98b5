"""Whole retrainings by `dag.test()` against the local SageMaker: what is registered, and what never is."""

import json
from typing import Any

import pytest

from tests.deploy.packages import published
from tests.deploy.rig import AS_IN_PRODUCTION, Rig
from tests.retrain.rig import Retraining, csv_of

pytestmark = AS_IN_PRODUCTION
_TASKS = (
    "merge_feedback",
    "select_data",
    "check_data",
    "train",
    "validate_candidate",
    "evaluate",
    "gate_metrics",
    "register",
)


@pytest.fixture
def retraining(rig: Rig) -> Retraining:
    made = Retraining(rig)
    made.spec()
    made.held_out()
    return made


def biases(retraining: Retraining) -> list[float]:
    """What the endpoint adds to 1, 2 and 3."""
    return [round(said - sent, 6) for sent, said in zip((1, 2, 3), retraining.rig.predict(), strict=True)]


def test_what_passes_its_gates_is_registered_released_and_then_compared_with(retraining: Retraining) -> None:
    retraining.data("1.csv", 2.0)
    first = retraining.run()
    assert (first.state, first.outcome) == ("success", "registered"), first
    (package,) = retraining.packages()
    arn = package["ModelPackageArn"]
    assert first.result["model_package"] == arn
    assert package["ModelApprovalStatus"] == "Approved"
    assert published(f"package__{retraining.rig.key}") == [{"model_package": arn}]
    (record,) = retraining.records()
    assert (record["outcome"], record["sequence"], record["package"]["arn"]) == ("registered", 1, arn)
    assert record["data"]["rows"] == 20
    assert record["trained"]["job"] in retraining.jobs("training")
    assert set(record["phases"]) >= set(_TASKS)
    assert {"check_data", "gate_metrics"} <= set(record["data_docs"])
    assert "<html" in retraining.docs(record["data_docs"]["check_data"])

    deployed = retraining.rig.run("deploy")
    assert deployed.outcome == "released", deployed
    (release,) = retraining.rig.ledger()
    assert release["artifact_sha256"] == record["candidate_sha256"]
    assert release["model_package"] == arn
    assert biases(retraining) == [2.0] * 3

    retraining.data("2.csv", 0.0)
    better = retraining.run(reason="the data grew")
    assert better.outcome == "registered", better
    (_, record) = retraining.records()
    assert record["asked_because"] == "the data grew"
    (mae,) = record["metrics"]["metrics"]
    assert mae["champion"] > mae["candidate"]
    assert mae["gain_low"] > 0
    assert "mae" in better.result["reason"]
    assert "champion" in better.result["reason"]
    assert retraining.rig.run("deploy").outcome == "released"
    assert biases(retraining) == [1.0] * 3


def test_the_same_data_code_and_hyperparameters_make_nothing_new(retraining: Retraining) -> None:
    retraining.data("1.csv", 1.0)
    assert retraining.run().outcome == "registered"
    again = retraining.run()
    assert (again.state, again.outcome) == ("success", "nothing_new"), again
    assert "same 1 files" in again.result["reason"]
    assert {again.tasks[task] for task in _TASKS} == {"skipped"}
    assert (len(retraining.packages()), len(retraining.records())) == (1, 1)

    # By force, whatever has the same content is taken over, and paid for once.
    forced = retraining.run(force=True)
    assert forced.outcome == "registered", forced
    assert len(retraining.jobs("training")) == 1
    assert len(retraining.packages()) == 1
    assert [record["outcome"] for record in retraining.records()] == ["registered"] * 2

    other = retraining.run(hyperparameters={"shift": 0.05})
    assert other.outcome == "registered", other
    assert len(retraining.jobs("training")) == 2
    assert retraining.records()[-1]["trained"]["hyperparameters"] == {"shift": "0.05"}


def test_poisoned_data_are_stopped_before_anything_is_paid_for(retraining: Retraining) -> None:
    retraining.data("1.csv", 1.0)
    retraining.put("2.csv", csv_of(1.0) + b"3,999\n")
    run = retraining.run()
    assert (run.state, run.outcome) == ("failed", "data_refused"), run
    assert run.result["reason"].startswith("check_data: the training data are refused: ")
    assert "999" in run.result["reason"]
    assert run.result["reason"].endswith("Nothing was registered, and the endpoint is as it was.")
    assert "999" in retraining.docs(run.result["data_docs"]["check_data"])
    assert run.tasks["train"] == "upstream_failed"
    assert retraining.jobs("training") == []
    (record,) = retraining.records()
    assert (record["outcome"], record["data"], record["failure"]["task_id"]) == (
        "data_refused",
        None,
        "check_data",
    )
    # With the window on the data that are good, the same run passes.
    retraining.data("3.csv", 1.0)
    assert retraining.run(window=1).outcome == "registered"
    assert retraining.records()[-1]["data"]["rows"] == 20


def test_a_worse_model_is_stopped_and_its_champion_stays(retraining: Retraining) -> None:
    retraining.data("1.csv", 1.0)
    assert retraining.run().outcome == "registered"
    assert retraining.rig.run("deploy").outcome == "released"
    worse = retraining.run(hyperparameters={"shift": 0.5})
    assert (worse.state, worse.outcome) == ("failed", "model_refused"), worse
    assert worse.result["reason"].startswith("gate_metrics: the candidate is refused: mae")
    assert worse.tasks["register"] == "upstream_failed"
    record = retraining.records()[-1]
    assert (record["outcome"], record["package"]) == ("model_refused", None)
    (mae,) = record["metrics"]["metrics"]
    assert mae["gain"] < 0
    assert "<html" in retraining.docs(record["data_docs"]["gate_metrics"])
    assert len(retraining.packages()) == 1
    assert retraining.rig.run("deploy").outcome == "nothing_to_do"


def test_a_training_script_that_fails_has_failed_and_refused_nothing(retraining: Retraining) -> None:
    retraining.data("1.csv", 1.0)
    run = retraining.run(hyperparameters={"depth": 3})
    assert (run.state, run.outcome) == ("failed", "failed"), run
    assert run.result["reason"].startswith("train: training job ")
    assert retraining.packages() == []


def test_a_given_package_is_judged_without_data_or_training(retraining: Retraining) -> None:
    retraining.data("1.csv", 1.0)
    arn = retraining.run().result["model_package"]
    retraining.put("1.csv", b"no,table\n")
    run = retraining.run(model_package=arn)
    assert run.outcome == "registered", run
    assert {run.tasks[task] for task in ("select_data", "check_data")} == {"skipped"}
    assert run.result["model_package"] == arn
    assert len(retraining.packages()) == 1
    assert len(retraining.jobs("training")) == 1
    assert retraining.records()[-1]["trained"]["kind"] == "package"


def test_a_package_that_waits_for_approval_starts_nothing(retraining: Retraining) -> None:
    retraining.spec(registry={"approval": "manual"})
    retraining.data("1.csv", 1.0)
    run = retraining.run()
    assert run.outcome == "registered", run
    assert "waits for approval" in run.result["reason"]
    (package,) = retraining.packages()
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert published(f"package__{retraining.rig.key}") == []


def test_how_it_ended_is_told_to_the_topic_that_asked(retraining: Retraining) -> None:
    rig = retraining.rig
    sns, sqs = rig.clients("sns"), rig.clients("sqs")
    topic = sns.create_topic(Name=rig.name)["TopicArn"]
    queue = sqs.create_queue(QueueName=rig.name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"])
    retraining.spec(notifications=[{"sns_topic_arn": topic, "on": ["data_refused"]}])
    retraining.data("1.csv", 1.0)
    assert retraining.run(hyperparameters={"depth": 3}).outcome == "failed"  # nobody asked to be told of it
    retraining.put("1.csv", csv_of(1.0) + b"3,999\n")
    assert retraining.run().outcome == "data_refused"
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    (said,) = [json.loads(message["Body"]) for message in messages]
    assert said["Subject"] == f"{rig.endpoint}: data refused (retraining 2)"
    assert "999" in said["Message"]


def test_the_form_s_values_are_checked_before_anything_runs(retraining: Retraining) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    wrong: list[dict[str, Any]] = [{"window": 0}, {"hyperparameters": {"a": [1]}}, {"model_package": "churn"}]
    for conf in wrong:
        with pytest.raises(ParamValidationError):
            retraining.run(**conf)

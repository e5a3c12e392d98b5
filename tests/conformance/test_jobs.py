"""The states of training, processing and transform jobs, and what is refused about them."""

import io
import json
import tarfile

import pytest

from tests.conformance.account import refusal
from tests.conformance.jobs import KINDS, Jobs


@pytest.fixture(scope="module")
def jobs(shared_account):
    return Jobs(shared_account)


@pytest.fixture(scope="module")
def completed(jobs):
    """A job of each kind that has gone well: the states it passed, and its description."""
    names = {kind: jobs.begin(kind, "succeed") for kind in KINDS}
    return {kind: (name, *jobs.history(kind, name)) for kind, name in names.items()}


def of_kinds(transition):
    """A case for each kind of job, each with its own fact."""
    cases = [pytest.param(kind, marks=pytest.mark.fact(f"{kind}-{transition}")) for kind in KINDS]
    return pytest.mark.parametrize("kind", cases)


@of_kinds("completed")
def test_a_job_completes(jobs, completed, kind):
    name, states, described = completed[kind]
    assert described[f"{kind.title()}JobStatus"] == "Completed", described.get("FailureReason")
    assert states in (["InProgress", "Completed"], ["Completed"])
    assert "FailureReason" not in described
    outputs = jobs.outputs(kind, name)
    if kind == "transform":
        (body,) = outputs.values()
        assert list(outputs) == ["/succeed.csv.out"]
        answers = [json.loads(line) for line in body.decode().splitlines()]
        assert [answer["release"] for answer in answers] == ["transform", "transform"]
    elif kind == "processing":
        assert outputs == {"/answer.txt": b"42"}
    else:
        archive = outputs["/output/model.tar.gz"]
        assert described["ModelArtifacts"]["S3ModelArtifacts"].endswith(f"/{name}/output/model.tar.gz")
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            assert tar.extractfile("answer.txt").read() == b"42"


@of_kinds("failed")
def test_a_job_fails(jobs, kind):
    states, described = jobs.history(kind, jobs.begin(kind, "fail"))
    assert states in (["InProgress", "Failed"], ["Failed"])
    assert described["FailureReason"]
    if kind == "training":
        assert described["FailureReason"].startswith("AlgorithmError: ")


@of_kinds("stopped")
def test_a_job_is_stopped(jobs, kind):
    name = jobs.begin(kind, "wait")
    assert jobs.call("describe", kind, name)[f"{kind.title()}JobStatus"] == "InProgress"
    jobs.call("stop", kind, name)
    states, _ = jobs.history(kind, name)
    assert states in (["Stopping", "Stopped"], ["Stopped"])


@pytest.mark.fact("error-23")
def test_a_training_job_name_is_taken(account, jobs, completed):
    name, _, described = completed["training"]
    request = jobs.training_request("succeed")
    code, message = refusal(account.sagemaker.create_training_job, TrainingJobName=name, **request)
    assert code == "ResourceInUse"
    assert message.startswith(
        "Training job names must be unique within an AWS account and region, and a training job with this "
        f"name already exists ({described['TrainingJobArn']})"
    )


@pytest.mark.fact("error-23")
@pytest.mark.parametrize("operation", ["describe_training_job", "stop_training_job"])
def test_a_missing_training_job(account, operation):
    assert refusal(getattr(account.sagemaker, operation), TrainingJobName=account.name("Missing")) == (
        "ValidationException",
        "Requested resource not found.",
    )


@pytest.mark.fact("error-23")
def test_stopping_a_training_job_that_is_over(account, completed):
    name, _, _ = completed["training"]
    code, message = refusal(account.sagemaker.stop_training_job, TrainingJobName=name)
    assert code == "ValidationException"
    assert message.startswith("The request was rejected because the training job is in status Completed")

"""The operations on training jobs: what is refused, names, lists and quotas."""

import json
import urllib.request
from typing import Any

import pytest

from tests.local_sagemaker.trainer import WAITS, Trainer
from tests.local_sagemaker.world import World


@pytest.fixture
def trainer(world: World) -> Trainer:
    return Trainer(world)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"EnableManagedSpotTraining": True},
            "Invalid MaxWaitTimeInSeconds. It must be present and",
        ),
        ({"AlgorithmSpecification": {"TrainingInputMode": "Pipe"}, "pipe": True}, "Pipe mode"),
        ({"nothing": True}, 'No S3 objects found under S3 URL "s3://models/nothing/here/"'),
        ({"plain": True}, "the 'train' program of an image"),
        ({"HyperParameters": {"sagemaker_submit_directory": '"/opt/ml/code"'}}, "sagemaker_submit_directory"),
        ({"OutputDataConfig": {"S3OutputPath": "https://s3.amazonaws.com/models"}}, "Invalid S3 URI"),
        ({"CheckpointConfig": {"S3Uri": "https://s3.amazonaws.com/models"}}, "Invalid S3 URI"),
    ],
)
def test_what_cannot_be_served_is_refused(
    trainer: Trainer, refusal: Any, members: dict[str, Any], message: str
) -> None:
    request = trainer.request("pass")
    if members.pop("pipe", False):
        members["InputDataConfig"] = [trainer.channel("train", a="1")]
    if members.pop("nothing", False):
        channel = trainer.channel("train", a="1")
        channel["DataSource"]["S3DataSource"]["S3Uri"] = "s3://models/nothing/here/"
        members["InputDataConfig"] = [channel]
    if members.pop("plain", False):
        request["HyperParameters"] = {}
    for name, value in members.items():
        request[name] = {**request.get(name, {}), **value} if isinstance(value, dict) else value
    code, text = refusal(trainer.sagemaker.create_training_job, **request)
    assert code == "ValidationException"
    assert message in text


def test_names_are_unique_and_missing_jobs_are_told(trainer: Trainer, refusal: Any, world: World) -> None:
    request = trainer.request("pass")
    trainer.sagemaker.create_training_job(**request)
    name = request["TrainingJobName"]
    arn = world.arn("training-job", name)
    code, message = refusal(trainer.sagemaker.create_training_job, **request)
    assert code == "ResourceInUse"
    assert message == (
        "Training job names must be unique within an AWS account and region, and a training job with this "
        f"name already exists ({arn})"
    )
    assert refusal(trainer.sagemaker.describe_training_job, TrainingJobName="none-such") == (
        "ValidationException",
        "Requested resource not found.",
    )
    trainer.ended(name)
    trainer.sagemaker.delete_training_job(TrainingJobName=name)
    assert refusal(trainer.sagemaker.describe_training_job, TrainingJobName=name)[1].startswith("Requested")
    trainer.sagemaker.create_training_job(**request)
    assert trainer.ended(name)["TrainingJobStatus"] == "Completed"


def test_lists_are_filtered_ordered_and_paged(trainer: Trainer, world: World) -> None:
    mark = world.name("listed")
    names = [trainer.begin("pass", TrainingJobName=f"{mark}-{number}") for number in range(3)]
    for name in names:
        trainer.ended(name)
    failed = trainer.begin(["false"], TrainingJobName=f"{mark}-bad")
    trainer.ended(failed)
    pages = trainer.sagemaker.get_paginator("list_training_jobs").paginate(
        NameContains=mark, SortBy="Name", SortOrder="Descending", PaginationConfig={"PageSize": 2}
    )
    listed = [[each["TrainingJobName"] for each in page["TrainingJobSummaries"]] for page in pages]
    assert listed == [[failed, names[2]], [names[1], names[0]]]
    only = trainer.sagemaker.list_training_jobs(NameContains=mark, StatusEquals="Failed")
    assert [each["TrainingJobName"] for each in only["TrainingJobSummaries"]] == [failed]
    warm = trainer.sagemaker.list_training_jobs(NameContains=mark, WarmPoolStatusEquals="InUse")
    assert warm["TrainingJobSummaries"] == [], "no instances are kept warm here"
    waiter = trainer.sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=names[0], WaiterConfig={"Delay": 1, "MaxAttempts": 2})


def test_quotas_count_what_trains(trainer: Trainer, world: World, refusal: Any) -> None:
    quota = "ml.c4.8xlarge for training job usage"
    body = json.dumps({quota: 1}).encode()
    put = urllib.request.Request(f"{world.server.url}/_local/quotas", body, method="PUT")  # noqa: S310
    urllib.request.urlopen(put, timeout=10).close()  # noqa: S310
    where = {"InstanceType": "ml.c4.8xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}
    name = trainer.begin(WAITS, ResourceConfig=where)
    code, message = refusal(
        trainer.sagemaker.create_training_job, **trainer.request("pass", ResourceConfig=where)
    )
    assert code == "ResourceLimitExceeded"
    assert message.startswith(f"The account-level service limit '{quota}' is 1 Instances, with current util")
    trainer.sagemaker.stop_training_job(TrainingJobName=name)
    trainer.ended(name)
    assert trainer.train("pass", ResourceConfig=where)["TrainingJobStatus"] == "Completed"

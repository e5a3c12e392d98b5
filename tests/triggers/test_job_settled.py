"""The trigger for jobs and its shared poller, over HTTP, against the local SageMaker."""

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from pkgutil import resolve_name
from typing import Any

import pytest
from airflow.triggers.base import TriggerEvent
from botocore.exceptions import ClientError

from endpoint_deploy.triggers.job_settled import JobSettledTrigger
from tests.local_sagemaker.trainer import IMAGE, WAITS, source_archive
from tests.triggers.conftest import REGION
from tests.triggers.wire import Wire

_POLL = 0.05
_FAR = 3600.0
SETTLED = {"settled": True, "carried": {}}
_BUCKET = "job-trigger-tests"
_ROLE = "arn:aws:iam::123456789012:role/sagemaker-execution"


class Jobs:
    """Training jobs that go on until they are stopped."""

    def __init__(self, local: Any) -> None:
        self.sagemaker = local.client("sagemaker")
        s3 = local.client("s3")
        s3.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket=_BUCKET, Key="sourcedir.tar.gz", Body=source_archive(train__py=WAITS))
        self.made: list[str] = []

    def make(self) -> str:
        name = f"waits-{uuid.uuid4().hex[:8]}"
        self.sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn=_ROLE,
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            HyperParameters={
                "sagemaker_program": json.dumps("train.py"),
                "sagemaker_submit_directory": json.dumps(f"s3://{_BUCKET}/sourcedir.tar.gz"),
            },
            OutputDataConfig={"S3OutputPath": f"s3://{_BUCKET}/out"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 86400},
        )
        self.made.append(name)
        return name

    def status(self, name: str) -> str:
        return str(self.sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"])

    def stop(self, name: str) -> None:
        self.sagemaker.stop_training_job(TrainingJobName=name)


@pytest.fixture(scope="module")
def jobs(local_sagemaker: Any) -> Iterator[Jobs]:
    made = Jobs(local_sagemaker)
    yield made
    for name in made.made:
        if made.status(name) == "InProgress":
            made.stop(name)


def trigger(wire: Wire, name: str, seconds: float = _FAR, **more: Any) -> JobSettledTrigger:
    """A trigger whose wait runs through the wire."""
    return JobSettledTrigger(
        conn_id=wire.conn_id,
        region=REGION,
        name=name,
        poll_seconds=_POLL,
        deadline=time.time() + seconds,
        **{"kind": "training", **more},
    )


def begun(waits: JobSettledTrigger) -> "asyncio.Task[TriggerEvent]":
    return asyncio.create_task(anext(waits.run()))  # type: ignore[arg-type]  # an async generator's


async def told(task: "asyncio.Task[TriggerEvent]") -> Any:
    return (await task).payload


async def test_fires_once_the_job_is_over(wire: Wire, jobs: Jobs) -> None:
    name = jobs.make()
    event = begun(trigger(wire, name, carried={"job": name}))
    await wire.passed("DescribeTrainingJob", 3)
    assert not event.done()
    jobs.stop(name)
    assert await told(event) == {"settled": True, "carried": {"job": name}}
    assert jobs.status(name) == "Stopped"


@pytest.mark.parametrize("kind", ["training", "tuning", "processing", "transform"])
async def test_a_job_that_is_gone_is_over(wire: Wire, kind: str) -> None:
    assert await told(begun(trigger(wire, "there-is-none", kind=kind))) == SETTLED


async def test_the_deadline_ends_the_wait_and_leaves_the_job(wire: Wire, jobs: Jobs) -> None:
    name = jobs.make()
    assert await told(begun(trigger(wire, name, seconds=-1, stop_on_kill=True))) == {
        "settled": False,
        "carried": {},
    }
    assert jobs.status(name) == "InProgress"


async def test_one_job_that_cannot_be_described_fails_its_own_wait_only(wire: Wire, jobs: Jobs) -> None:
    name = jobs.make()
    good = begun(trigger(wire, name))
    await wire.passed("DescribeTrainingJob", 1)
    wire.refuse("DescribeProcessingJob", 400, "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        await begun(trigger(wire, "not-allowed", kind="processing"))
    await wire.passed("DescribeTrainingJob", 2)
    assert not good.done()
    jobs.stop(name)
    assert await told(good) == SETTLED


async def test_a_job_whose_description_is_throttled_holds_up_no_other(wire: Wire, jobs: Jobs) -> None:
    wire.refuse("DescribeProcessingJob", 400, "ThrottlingException", times=30)
    throttled = begun(trigger(wire, "throttled", kind="processing"))
    await wire.passed("DescribeProcessingJob", 3)
    assert await told(begun(trigger(wire, "there-is-none"))) == SETTLED
    assert not throttled.done()
    throttled.cancel()


async def test_all_waits_share_one_client(wire: Wire) -> None:
    names = [f"none-{number}" for number in range(20)]
    wire.hold()
    events = [begun(trigger(wire, name)) for name in names]
    wire.release()
    assert [await told(event) for event in events] == [SETTLED] * 20
    assert len(wire.connections) == 1


async def test_a_person_who_kills_the_task_stops_the_job_it_began(wire: Wire, jobs: Jobs) -> None:
    ours, others = jobs.make(), jobs.make()
    waits = [trigger(wire, ours, stop_on_kill=True), trigger(wire, others)]
    events = [begun(each) for each in waits]
    await wire.passed("DescribeTrainingJob", 2)
    for event, each in zip(events, waits, strict=True):
        event.cancel()
        await each.on_kill()
    assert jobs.status(ours) in {"Stopping", "Stopped"}
    assert jobs.status(others) == "InProgress"
    # What has ended cannot be stopped, and that is no error.
    jobs.stop(others)
    assert await told(begun(trigger(wire, others))) == SETTLED
    await trigger(wire, others, stop_on_kill=True).on_kill()
    await trigger(wire, "there-is-none", stop_on_kill=True).on_kill()


async def test_a_wait_that_is_cancelled_by_a_triggerer_that_goes_down_leaves_the_job(
    wire: Wire, jobs: Jobs
) -> None:
    name = jobs.make()
    waits = trigger(wire, name, stop_on_kill=True)
    event = begun(waits)
    await wire.passed("DescribeTrainingJob", 1)
    event.cancel()
    await waits.cleanup()
    assert event.cancelling()
    assert jobs.status(name) == "InProgress"


def test_a_stored_trigger_is_made_again_as_it_was() -> None:
    made = JobSettledTrigger(
        conn_id="aws_default",
        region=REGION,
        kind="tuning",
        name="churn-prod-1",
        poll_seconds=30,
        deadline=1_900_000_000.0,
        stop_on_kill=True,
        carried={"job": "churn-prod-1"},
    )
    path, arguments = made.serialize()
    # The path is in metadata databases: it may only change together with a shim at the old place.
    assert path == "endpoint_deploy.triggers.job_settled.JobSettledTrigger"
    assert resolve_name(path) is JobSettledTrigger
    assert resolve_name(path)(**arguments).serialize() == (path, arguments)

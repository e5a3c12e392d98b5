"""The watcher of a model package group, over HTTP, against the local registry."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from airflow.triggers.base import TriggerEvent

from endpoint_deploy.aws.claims import Claims
from endpoint_deploy.core.package import Approval
from endpoint_deploy.triggers.package_approved import PackageApprovedTrigger
from tests.triggers.conftest import REGION
from tests.triggers.wire import Wire

_BUCKET = "approved-tests"
_LIST = "ListModelPackages"


@dataclass
class Group:
    """A model package group of its own for a test, with a store beside it."""

    sagemaker: Any
    s3: Any
    name: str

    def register(self, status: str = "Approved") -> str:
        made = self.sagemaker.create_model_package(
            ModelPackageGroupName=self.name,
            ModelApprovalStatus=status,
            InferenceSpecification={"Containers": [{"Image": "i", "ModelDataUrl": "s3://b-b/m.tar.gz"}]},
        )
        return str(made["ModelPackageArn"])

    def set_status(self, arn: str, status: str) -> None:
        self.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status)

    def watch(self, wire: Wire) -> AsyncIterator[TriggerEvent]:
        """What a triggerer that has just started runs."""
        trigger = PackageApprovedTrigger(
            group=self.name,
            endpoint="churn-prod",
            conn_id=wire.conn_id,
            region=REGION,
            store=f"s3://{_BUCKET}/{self.name}",
            memory="announced/churn-prod.json",
            poll_seconds=0.05,
        )
        return trigger.run()


@pytest.fixture
def group(local_sagemaker: Any) -> Iterator[Group]:
    s3, sagemaker = local_sagemaker.client("s3"), local_sagemaker.client("sagemaker")
    if _BUCKET not in {b["Name"] for b in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    made = Group(sagemaker, s3, f"g{uuid.uuid4().hex[:8]}")
    sagemaker.create_model_package_group(ModelPackageGroupName=made.name)
    yield made
    s3.close()
    sagemaker.close()


async def told(events: AsyncIterator[TriggerEvent]) -> str:
    payload: Any = (await anext(events)).payload
    return str(payload["model_package"])


async def silent(events: AsyncIterator[TriggerEvent], wire: Wire, looks: int = 4) -> None:
    """Nothing is told in as many looks."""
    task: asyncio.Task[TriggerEvent] = asyncio.create_task(anext(events))  # type: ignore[arg-type]  # a generator's
    await wire.passed(_LIST, looks)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_approval_is_told_once_also_to_who_starts_later(wire: Wire, group: Group) -> None:
    group.register("PendingManualApproval")
    arn = group.register()
    events = group.watch(wire)
    assert await told(events) == arn
    await silent(events, wire)
    await silent(group.watch(wire), wire)


async def test_what_was_told_and_not_remembered_is_told_again(wire: Wire, group: Group) -> None:
    arn = group.register()
    assert await told(group.watch(wire)) == arn
    assert await told(group.watch(wire)) == arn


async def test_rejected_and_approved_again_is_another_approval(wire: Wire, group: Group) -> None:
    arn = group.register()
    events = group.watch(wire)
    assert await told(events) == arn
    await silent(events, wire)
    group.set_status(arn, "Rejected")
    await silent(group.watch(wire), wire)
    group.set_status(arn, "Approved")
    assert await told(group.watch(wire)) == arn


async def test_an_older_version_that_is_approved_later_is_told_too(wire: Wire, group: Group) -> None:
    older, newer = group.register("PendingManualApproval"), group.register()
    events = group.watch(wire)
    assert await told(events) == newer
    group.set_status(older, "Approved")
    assert await told(events) == older


async def test_a_rejection_does_not_release_what_was_approved_before(wire: Wire, group: Group) -> None:
    group.register()
    newer = group.register()
    events = group.watch(wire)
    assert await told(events) == newer
    await silent(events, wire)
    group.set_status(newer, "Rejected")
    await silent(group.watch(wire), wire)


async def test_an_edit_of_an_approved_package_is_no_approval(wire: Wire, group: Group) -> None:
    arn = group.register()
    events = group.watch(wire)
    assert await told(events) == arn
    await silent(events, wire)
    group.sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"owner": "ann"})
    await silent(group.watch(wire), wire)


async def test_what_a_retraining_announces_itself_is_passed_by(wire: Wire, group: Group) -> None:
    arn = group.register("PendingManualApproval")
    claims = Claims(group.s3, f"s3://{_BUCKET}/{group.name}", "churn-prod")
    claims.claim(Approval(model_package=arn, given=None))
    group.set_status(arn, "Approved")
    await silent(group.watch(wire), wire)


async def test_a_group_that_does_not_exist_yet_is_waited_for(wire: Wire, group: Group) -> None:
    group.sagemaker.delete_model_package_group(ModelPackageGroupName=group.name)
    events = group.watch(wire)
    task: asyncio.Task[TriggerEvent] = asyncio.create_task(anext(events))  # type: ignore[arg-type]  # a generator's
    await wire.passed(_LIST, 2)
    group.sagemaker.create_model_package_group(ModelPackageGroupName=group.name)
    arn = group.register()
    assert (await task).payload == {"model_package": arn}

"""The watcher of a prefix, over HTTP, against the local S3."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from airflow.triggers.base import TriggerEvent

from endpoint_deploy.triggers.new_data import NewDataTrigger
from tests.triggers.conftest import REGION
from tests.triggers.wire import Wire

_BUCKET = "watched-tests"
_LIST = "ListObjectsV2"


@dataclass
class Prefix:
    """A prefix of its own for a test, with the store beside it."""

    s3: Any
    name: str

    def put(self, file: str, content: bytes = b"1\n") -> None:
        self.s3.put_object(Bucket=_BUCKET, Key=f"{self.name}/data/{file}", Body=content)

    def watch(self, wire: Wire) -> AsyncIterator[TriggerEvent]:
        """What a triggerer that has just started runs."""
        trigger = NewDataTrigger(
            prefix=f"s3://{_BUCKET}/{self.name}/data",
            conn_id=wire.conn_id,
            region=REGION,
            store=f"s3://{_BUCKET}/{self.name}/store",
            memory="watched/data.json",
            poll_seconds=0.05,
        )
        return trigger.run()


@pytest.fixture
def prefix(local_sagemaker: Any) -> Iterator[Prefix]:
    s3 = local_sagemaker.client("s3")
    if _BUCKET not in {b["Name"] for b in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield Prefix(s3, f"p{uuid.uuid4().hex[:8]}")
    s3.close()


def following(events: AsyncIterator[TriggerEvent]) -> "asyncio.Task[TriggerEvent]":
    return asyncio.create_task(anext(events))  # type: ignore[arg-type]  # an async generator's


async def files_told(events: AsyncIterator[TriggerEvent]) -> int:
    payload: Any = (await anext(events)).payload
    return int(payload["files"])


async def silent(events: AsyncIterator[TriggerEvent], wire: Wire, looks: int = 4) -> None:
    """Nothing is told in as many looks."""
    task = following(events)
    await wire.passed(_LIST, looks)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_upload_of_several_files_is_one_event(wire: Wire, prefix: Prefix) -> None:
    prefix.put("1.csv")
    wire.afterwards(_LIST, lambda: prefix.put("2.csv"), lambda: prefix.put("3.csv"))
    assert await files_told(prefix.watch(wire)) == 3
    assert wire.calls[_LIST] == 4  # the fourth look found what the third had


async def test_nothing_is_announced_of_an_empty_prefix_or_of_its_markers(wire: Wire, prefix: Prefix) -> None:
    prefix.put("")
    prefix.put("_SUCCESS")
    await silent(prefix.watch(wire), wire)


async def test_what_was_announced_is_not_repeated_after_a_restart_and_a_change_is(
    wire: Wire, prefix: Prefix
) -> None:
    prefix.put("1.csv")
    events = prefix.watch(wire)
    assert await files_told(events) == 1
    await silent(events, wire)
    assert wire.calls["PutObject"] == 1
    restarted = prefix.watch(wire)
    changes = following(restarted)
    await wire.passed(_LIST, 4)
    assert not changes.done()
    prefix.put("1.csv", b"2\n")
    assert (await changes).payload["files"] == 1
    await silent(restarted, wire)
    await silent(prefix.watch(wire), wire)


async def test_an_event_that_may_not_have_reached_airflow_is_told_again(wire: Wire, prefix: Prefix) -> None:
    prefix.put("1.csv")
    assert await files_told(prefix.watch(wire)) == 1
    assert wire.calls["PutObject"] == 0
    assert await files_told(prefix.watch(wire)) == 1


@pytest.mark.parametrize(
    ("status", "code", "times"), [(503, "SlowDown", 4), (403, "AccessDenied", 2), (404, "NoSuchBucket", 2)]
)
async def test_no_error_ends_the_watch(
    wire: Wire, prefix: Prefix, status: int, code: str, times: int
) -> None:
    prefix.put("1.csv")
    wire.refuse(_LIST, status, code, times)
    assert await files_told(prefix.watch(wire)) == 1
    assert wire.calls[_LIST] >= times + 2


async def test_what_could_not_be_remembered_is_not_announced_again(wire: Wire, prefix: Prefix) -> None:
    prefix.put("1.csv")
    wire.refuse("PutObject", 503, "SlowDown", times=4)
    events = prefix.watch(wire)
    assert await files_told(events) == 1
    await silent(events, wire)
    assert wire.calls["PutObject"] == 5

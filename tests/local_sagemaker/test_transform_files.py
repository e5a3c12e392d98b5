"""A transform job's files through one instance, without an instance: order, bounds, failures."""

import asyncio
import random
import tracemalloc

import pytest

from local_sagemaker.jobs.transform_files import CLIENT_ERROR, Lane, Reading, TransformError
from local_sagemaker.jobs.transform_joining import processing
from local_sagemaker.jobs.transform_records import MEGABYTE
from local_sagemaker.jobs.transform_settings import environment, exchange


def lane(invoke, concurrency=4, **members):
    request = {"TransformInput": {"ContentType": "text/csv", "SplitType": "Line"}, "TransformOutput": {}}
    reading = {
        "compressed": False,
        "split_type": "Line",
        "strategy": "SingleRecord",
        "limit": MEGABYTE,
        "processing": processing(request, "SingleRecord"),
        "assemble_with": "Line",
        **members,
    }
    return Lane(Reading(**reading), concurrency, invoke)


class Model:
    """Answers after a while of its own choosing, and remembers how many it answered at once."""

    def __init__(self, fails_on=None):
        self.now = self.most = self.seen = 0
        self._fails_on = fails_on
        self._random = random.Random(7)

    async def __call__(self, body):
        self.now += 1
        self.seen += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self._random.random() / 1000)
            if self._fails_on and self._fails_on in body:
                raise TransformError("reason", f"cannot do {body!r}")
            return b"p" + body.strip()
        finally:
            self.now -= 1


async def test_answers_are_written_in_order_whatever_order_they_come_in(tmp_path):
    model = Model()
    shared = lane(model, concurrency=8)
    names = ["a", "b", "c"]
    for name in names:
        (tmp_path / name).write_bytes(b"".join(b"%s%d\n" % (name.encode(), number) for number in range(300)))
    await asyncio.gather(*(shared.transform(tmp_path / name, tmp_path / f"{name}.out") for name in names))
    for name in names:
        lines = (tmp_path / f"{name}.out").read_text().splitlines()
        assert lines == [f"p{name}{number}" for number in range(300)]
    assert model.most == 8


async def test_a_failure_ends_its_file_alone_and_gives_back_its_room(tmp_path):
    model = Model(fails_on=b"bad")
    shared = lane(model, concurrency=2)
    (tmp_path / "bad").write_bytes(b"1\n2\n3\nbad\n" + b"4\n" * 100)
    (tmp_path / "good").write_bytes(b"5\n" * 50)
    outcomes = await asyncio.gather(
        *(shared.transform(tmp_path / name, tmp_path / f"{name}.out") for name in ("bad", "good")),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], TransformError)
    assert "bad" in str(outcomes[0])
    assert outcomes[1] is None
    assert (tmp_path / "good.out").read_bytes() == b"p5\n" * 50
    assert model.seen < 60
    # The room is whole again.
    await shared.transform(tmp_path / "good", tmp_path / "again.out")
    assert shared.window._value == 4
    assert shared.requests._value == 2


@pytest.mark.parametrize(
    ("body", "members"),
    [
        (b"no gzip", {"compressed": True}),
        (b"1,2\n" * 3, {"split_type": "RecordIO"}),
        (b"too long for this\n", {"limit": 4}),
    ],
)
async def test_a_file_that_cannot_be_read_is_the_clients_error(tmp_path, body, members):
    (tmp_path / "in").write_bytes(body)
    with pytest.raises(TransformError) as failed:
        await lane(Model(), **members).transform(tmp_path / "in", tmp_path / "out")
    assert failed.value.reason == CLIENT_ERROR


async def test_a_long_file_is_never_whole_in_memory(tmp_path):
    with (tmp_path / "in").open("wb") as file:
        for _ in range(64):
            file.write((b"x" * 1023 + b"\n") * 1024)

    async def model(body):
        return body

    through = lane(model, strategy="MultiRecord", concurrency=2)
    tracemalloc.start()
    await through.transform(tmp_path / "in", tmp_path / "out")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "out").stat().st_size == 64 * MEGABYTE
    assert peak < 20 * MEGABYTE


async def test_cancelling_ends_every_request(tmp_path):
    (tmp_path / "in").write_bytes(b"1\n" * 10)
    begun = asyncio.Event()
    ended = []

    async def model(body):
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(body)

    through = lane(model, concurrency=2)
    task = asyncio.create_task(through.transform(tmp_path / "in", tmp_path / "out"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert 1 <= len(ended) <= 2
    assert through.window._value == 4


@pytest.mark.parametrize(
    ("request_", "suggested", "announced"),
    [
        ({}, None, "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"),
        (
            {},
            b'{"MaxConcurrentTransforms": 8, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 2}',
            "MaxConcurrentTransforms=8, MaxPayloadInMB=2, BatchStrategy=SINGLE_RECORD",
        ),
        (
            {"MaxConcurrentTransforms": 2, "BatchStrategy": "MultiRecord", "MaxPayloadInMB": 0},
            b'{"MaxConcurrentTransforms": 8, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 2}',
            "MaxConcurrentTransforms=2, MaxPayloadInMB=0, BatchStrategy=MULTI_RECORD",
        ),
        (
            {"MaxConcurrentTransforms": 0},
            b'{"MaxConcurrentTransforms": 8}',
            "MaxConcurrentTransforms=8, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD",
        ),
        (
            {},
            b'{"MaxConcurrentTransforms": "many", "BatchStrategy": 1}',
            "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD",
        ),
        ({}, b"<html>", "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"),
    ],
)
def test_the_request_goes_before_the_container_goes_before_the_defaults(request_, suggested, announced):
    assert exchange(request_, suggested).announced == announced


def test_containers_are_told_only_what_the_request_says():
    assert environment({}) == {"SAGEMAKER_BATCH": "true"}
    told = environment(
        {
            "MaxPayloadInMB": 1,
            "BatchStrategy": "SingleRecord",
            "MaxConcurrentTransforms": 3,
            "Environment": {"OWN": "1", "SAGEMAKER_BATCH": "changed"},
        }
    )
    assert told == {
        "SAGEMAKER_BATCH": "changed",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "1",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "3",
        "OWN": "1",
    }

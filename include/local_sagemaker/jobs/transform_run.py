"""One transform job from its input to its output: instances, files shared among them, what is stored."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

from local_sagemaker.faults.engine import Place
from local_sagemaker.hosting.fleet import FleetTools
from local_sagemaker.hosting.records import Container
from local_sagemaker.jobs.inputs import Item, S3Source, items_of
from local_sagemaker.jobs.run import JobFailed, JobRun
from local_sagemaker.jobs.transform_capture import manifests
from local_sagemaker.jobs.transform_files import CLIENT_ERROR, Lane, Reading, TransformError
from local_sagemaker.jobs.transform_instances import ModelInstance, start_instances
from local_sagemaker.jobs.transform_joining import JoinError, processing
from local_sagemaker.jobs.transform_log import InstanceLogs
from local_sagemaker.jobs.transform_settings import Exchange, environment, exchange
from local_sagemaker.s3.objects import S3Error, split_prefix


@dataclass(frozen=True)
class Output:
    """A file that is ready to be stored: `key` is below the job's S3OutputPath."""

    path: Path
    item: Item
    key: str


class TransformRun:
    """A transform job while it runs.

    Outputs are stored when every file has been through: a job that is stopped stores none
    (StopTransformJob's reference), one of which a file failed stores those of the others (guide,
    Troubleshooting batch transform).
    """

    def __init__(
        self, run: JobRun, containers: Sequence[Container], role_arn: str, tools: FleetTools
    ) -> None:
        self._run = run
        self._containers = containers
        self._role_arn = role_arn
        self._tools = tools
        self._request = run.request
        self._failures: list[TransformError] = []
        self._outputs: list[Output] = []
        self._logs: list[InstanceLogs] = []

    async def to_end(self) -> None:
        """Do all of it; raises JobFailed or JobStopped."""
        directory = self._run.directory
        shutil.rmtree(directory, ignore_errors=True)  # of a run that was broken off
        directory.mkdir(parents=True)
        try:
            await self._run.finish_step(self._transform())
        finally:
            await asyncio.gather(*(log.finish() for log in self._logs))
        await self._store()
        if self._failures:
            raise JobFailed(self._failures[0].reason)

    async def _transform(self) -> None:
        items = self._items()
        count = min(self._request["TransformResources"]["InstanceCount"], len(items))
        # A job of more instances than objects leaves the others idle (guide, Use batch transform).
        began = self._run.tools.clock.now()
        self._logs = [InstanceLogs(self._run, began) for _ in range(count)]
        await self._run.tools.clock.sleep(self._run.tools.settings.provision_seconds)
        started = await start_instances(
            self._tools,
            self._containers,
            environment(self._request),
            [partial(log.of_container, only=len(self._containers) == 1) for log in self._logs],
            Place(
                "transform-job",
                self._run.job.name,
                instance_type=self._request["TransformResources"]["InstanceType"],
            ),
        )
        try:
            self._run.job.started = self._run.tools.clock.now()
            self._run.save()
            settled = exchange(self._request, await started[0].suggested())
            reading = self._reading(settled)
            # The objects are shared among the instances by key (guide, Use batch transform).
            async with asyncio.TaskGroup() as group:
                for number, (instance, log) in enumerate(zip(started, self._logs, strict=True)):
                    share = list(enumerate(items))[number::count]
                    group.create_task(self._work(instance, log, settled, reading, share))
        finally:
            await asyncio.gather(*(each.instance.stop() for each in started))

    def _items(self) -> list[Item]:
        source = self._request["TransformInput"]["DataSource"]["S3DataSource"]
        tools = self._run.tools
        return items_of(
            tools.s3,
            S3Source(source["S3Uri"], source["S3DataType"]),
            tools.settings.region,
            self._role_arn,
        )

    def _reading(self, settled: Exchange) -> Reading:
        given, wanted = self._request["TransformInput"], self._request["TransformOutput"]
        try:
            used = processing(self._request, settled.strategy, self._run.job.started)
        except JoinError as error:
            for log in self._logs:
                log.write(str(error))
            raise JobFailed(CLIENT_ERROR) from error
        return Reading(
            compressed=given.get("CompressionType") == "Gzip",
            split_type=given.get("SplitType", "None"),
            strategy=settled.strategy,
            limit=settled.limit,
            processing=used,
            assemble_with=wanted.get("AssembleWith", "None"),
        )

    async def _work(
        self,
        instance: ModelInstance,
        log: InstanceLogs,
        settled: Exchange,
        reading: Reading,
        share: list[tuple[int, Item]],
    ) -> None:
        """One instance's share of the files, as many at a time as it takes requests."""
        log.write(settled.announced)
        headers = {}
        if content_type := self._request["TransformInput"].get("ContentType"):
            headers["content-type"] = content_type
        if accept := self._request["TransformOutput"].get("Accept"):
            headers["accept"] = accept
        lane = Lane(reading, settled.concurrency, partial(instance.ask, headers=headers, exchange=settled))
        waiting = iter(share)

        async def take() -> None:
            for number, item in waiting:
                await self._one(lane, log, number, item)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(settled.concurrency, len(share))):
                group.create_task(take())

    async def _one(self, lane: Lane, log: InstanceLogs, number: int, item: Item) -> None:
        """One file; its failure is the job's, but stops nothing (guide, Troubleshooting batch transform)."""
        source, target = (self._run.directory / f"{number}.{end}" for end in ("in", "out"))
        try:
            self._pin(item, source)
            await lane.transform(source, target)
        except TransformError as error:
            log.write(str(error), f"{item.bucket}/{item.key}")
            self._failures.append(error)
            target.unlink(missing_ok=True)
        else:
            self._outputs.append(Output(target, item, f"{item.relative}.out"))
        finally:
            source.unlink(missing_ok=True)

    def _pin(self, item: Item, path: Path) -> None:
        """A name of the job's own for the object's bytes as they are now, whatever is written later."""
        for _ in range(2):  # it may be written anew between the look and the link
            found = self._run.tools.s3.path(item.bucket, item.key)
            try:
                if found:
                    os.link(found, path)
                    return
            except FileNotFoundError:
                continue
        raise TransformError(CLIENT_ERROR, "NoSuchKey: The specified key does not exist.")

    async def _store(self) -> None:
        self._run.check_stop()
        bucket, prefix = split_prefix(self._request["TransformOutput"]["S3OutputPath"])
        prefix = prefix.rstrip("/") + "/" if prefix.rstrip("/") else ""
        try:
            for output in self._outputs:
                await self._run.tools.s3.upload(output.path, bucket, prefix + output.key)
            if "DataCaptureConfig" in self._request:
                await self._capture(f"s3://{bucket}/{prefix}")
        except S3Error as error:
            raise JobFailed(f"ClientError: Failed to upload the transform output: {error}") from error

    async def _capture(self, output_uri: str) -> None:
        started = datetime.fromtimestamp(self._run.job.started or self._run.job.created, UTC)
        bucket, prefix = split_prefix(self._request["DataCaptureConfig"]["DestinationS3Uri"])
        items = [(f"s3://{each.item.bucket}/{each.item.key}", each.key) for each in self._outputs]
        for key, body in manifests(items, output_uri, started, uuid4().hex):
            path = self._run.directory / "manifest"
            path.write_text(body)
            await self._run.tools.s3.upload(path, bucket, f"{prefix.rstrip('/')}/{key}".lstrip("/"))

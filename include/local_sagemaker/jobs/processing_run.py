"""One processing job from its input to its output."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from local_sagemaker.faults.engine import Place
from local_sagemaker.faults.instances import NoCapacity
from local_sagemaker.jobs.container import DEFAULT_MAX_RUNTIME, Container, run_to_end, runtime_limit
from local_sagemaker.jobs.inputs import S3Source, download, items_of, shard
from local_sagemaker.jobs.kinds import PROCESSING
from local_sagemaker.jobs.processing_checks import declared_outputs
from local_sagemaker.jobs.processing_uploads import Upload, Uploads
from local_sagemaker.jobs.run import JobFailed, JobRun, JobStopped
from local_sagemaker.s3.objects import split_prefix

EXIT_MESSAGE = "exit_message"  # in the job's details
_OPT_ML = Path("/opt/ml")
# CreateProcessingJob gives no default; the SDK's and the console's is a day.
_MESSAGE_BYTES = 1024


class ProcessingRun:
    """A processing job while it runs."""

    def __init__(self, run: JobRun) -> None:
        self._run = run
        self._request = run.request
        self._cluster: dict[str, Any] = run.request["ProcessingResources"]["ClusterConfig"]
        self._hosts = [f"algo-{number}" for number in range(1, self._cluster["InstanceCount"] + 1)]

    async def to_end(self) -> None:
        """Do all of it; raises JobFailed or JobStopped."""
        run = self._run
        shutil.rmtree(run.directory, ignore_errors=True)  # of a run that was broken off
        run.job.details.pop(EXIT_MESSAGE, None)
        containers = [self._container(host) for host in self._hosts]
        try:
            await run.finish_step(self._prepare(containers))
            await self._process(containers)
        finally:
            await asyncio.gather(*(run.tools.logs.finish(each.log_path) for each in containers))

    def _container(self, host: str) -> Container:
        run = self._run
        stream = f"{run.job.name}/{host}-{int(run.tools.clock.now() * 1000)}"
        directory = run.tools.logs_dir / PROCESSING.arn_kind / run.job.name.lower()
        container = Container(host, run.directory / host, directory / f"{stream.rpartition('/')[2]}.log")
        run.tools.logs.follow(PROCESSING.log_group, stream, container.log_path)
        return container

    async def _prepare(self, containers: list[Container]) -> None:
        """Everything that is there before the program runs, the instances first."""
        await self._provision()
        for declared in self._request.get("ProcessingInputs", []):
            if not declared.get("AppManaged"):
                await self._bring(declared["S3Input"], containers)
        for container in containers:
            for declared in declared_outputs(self._request):
                # "This directory will be created by the platform" (ProcessingS3Output's reference).
                if "LocalPath" in declared["S3Output"]:
                    _inside(container, declared["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)
            (container.ml / "output").mkdir(exist_ok=True)
            config = container.ml / "config"
            config.mkdir()
            (config / "processingjobconfig.json").write_text(json.dumps(self._job_config()))
            (config / "resourceconfig.json").write_text(json.dumps(self._resources(container.host)))

    async def _provision(self) -> None:
        place = Place(PROCESSING.arn_kind, self._run.job.name, instance_type=self._cluster["InstanceType"])
        for index in range(len(self._hosts)):
            try:
                await self._run.tools.instances.before_start(replace(place, index=index))
            except NoCapacity as error:
                raise JobFailed(str(error)) from error
        await self._run.tools.clock.sleep(self._run.tools.settings.provision_seconds)

    async def _bring(self, declared: dict[str, Any], containers: list[Container]) -> None:
        tools = self._run.tools
        sharded = declared.get("S3DataDistributionType") == "ShardedByS3Key"
        source = S3Source(declared["S3Uri"], declared["S3DataType"], sharded)
        items = items_of(tools.s3, source, tools.settings.region, self._request["RoleArn"])
        for number, container in enumerate(containers):
            share = shard(items, source, number, len(containers))
            await download(tools.s3, share, _inside(container, declared["LocalPath"]))

    def _job_config(self) -> dict[str, Any]:
        """The request and the job's ARN, as containers find them."""
        return {"ProcessingJobArn": self._run.job.arn, "Environment": {}, **self._request}

    def _resources(self, host: str) -> dict[str, Any]:
        return {
            "current_host": host,
            "hosts": self._hosts,
            "network_interface_name": "lo",
            "current_instance_type": self._cluster["InstanceType"],
            "current_group_name": "homogeneousCluster",
            "instance_groups": [
                {
                    "instance_group_name": "homogeneousCluster",
                    "instance_type": self._cluster["InstanceType"],
                    "hosts": self._hosts,
                }
            ],
        }

    async def _process(self, containers: list[Container]) -> None:
        run = self._run
        specification = self._request["AppSpecification"]
        argv = [*specification["ContainerEntrypoint"], *specification.get("ContainerArguments", [])]
        environment = await self._environment()
        clock = run.tools.clock
        uploads = Uploads(run.tools.s3, clock, self._uploads(containers))
        limit = self._request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME)
        run.job.started = clock.now()
        run.save()
        async with uploads.continuing():
            await asyncio.gather(*(container.start(argv, environment) for container in containers))
            outcome = await run_to_end(containers, clock, run.stopping, runtime_limit(clock, limit))
        self._keep_message(containers)
        if outcome.ended_by == "stop":
            raise JobStopped("Stopped")
        if outcome.ended_by == "limit":
            raise JobStopped("MaxRuntimeExceeded")
        if outcome.failed:
            # As the SageMaker guide's own troubleshooting page shows it for a processing job.
            raise JobFailed(f"AlgorithmError: , exit code: {outcome.failed[1]}")
        await uploads.at_end()

    async def _environment(self) -> Mapping[str, str]:
        network = self._request.get("NetworkConfig", {})
        role = self._request["RoleArn"]
        # A job without a network reaches no AWS service, so it gets no way to one.
        own = {} if network.get("EnableNetworkIsolation") else await self._run.tools.credentials(role)
        return {**own, **self._request.get("Environment", {})}

    def _uploads(self, containers: list[Container]) -> list[Upload]:
        return [
            Upload(
                _inside(container, place["LocalPath"]),
                *split_prefix(place["S3Uri"]),
                continuous=place["S3UploadMode"] == "Continuous",
            )
            for container in containers
            for declared in declared_outputs(self._request)
            if not declared.get("AppManaged") and (place := declared["S3Output"])
        ]

    def _keep_message(self, containers: list[Container]) -> None:
        """What the containers left in /opt/ml/output/message, one after the other, cut to 1 KB (guide,
        Save and Access Metadata Information About Your Processing Job)."""
        message = b""
        for container in containers:
            with contextlib.suppress(OSError), (container.ml / "output" / "message").open("rb") as file:
                message += file.read(_MESSAGE_BYTES)
        try:
            # A character that the cut divides is no mistake of the program's.
            text = message[:_MESSAGE_BYTES].decode(
                "utf-8", "strict" if len(message) <= _MESSAGE_BYTES else "ignore"
            )
        except UnicodeDecodeError as error:
            raise JobFailed("ClientError: The file /opt/ml/output/message is not UTF-8 encoded.") from error
        if text:
            self._run.job.details[EXIT_MESSAGE] = text


def _inside(container: Container, local_path: str) -> Path:
    """Where a path that the container sees below /opt/ml is."""
    return container.ml / Path(local_path).relative_to(_OPT_ML)

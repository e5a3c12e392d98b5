"""Batch transform: a model's answers to every object of an S3 prefix, each in an object of its own."""

from collections.abc import Mapping
from typing import Any

from local_sagemaker.api import errors
from local_sagemaker.hosting.catalog import Catalog
from local_sagemaker.hosting.deployments import containers_of
from local_sagemaker.hosting.fleet import FleetTools
from local_sagemaker.hosting.records import Container
from local_sagemaker.jobs.inputs import require_place
from local_sagemaker.jobs.kinds import TRANSFORM
from local_sagemaker.jobs.records import Job
from local_sagemaker.jobs.run import JobRun
from local_sagemaker.jobs.transform_run import TransformRun
from local_sagemaker.jobs.transform_settings import check_payload
from local_sagemaker.jobs.work import JobWork
from local_sagemaker.quotas import instances

Request = dict[str, Any]
_DEFAULT_PROCESSING = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}


class TransformWork(JobWork):
    """What a transform job does."""

    kind = TRANSFORM

    def __init__(self, models: Catalog, tools: FleetTools) -> None:
        self._models = models
        self._tools = tools

    def check(self, request: Request) -> None:
        """The model is there, payloads are not too large, the input is of a kind that can be read, and what
        comes out goes to S3."""
        model = self._models.get(request["ModelName"])
        if any(container.mode == "MultiModel" for container in containers_of(model)):
            raise errors.unsupported("batch transform does not take multi-model containers")
        check_payload(request)
        source = request["TransformInput"]["DataSource"]["S3DataSource"]
        capture = request.get("DataCaptureConfig", {}).get("DestinationS3Uri")
        for uri in (source["S3Uri"], request["TransformOutput"]["S3OutputPath"], capture):
            if uri is not None:
                require_place(uri)
        data_type = source["S3DataType"]
        if data_type not in ("S3Prefix", "ManifestFile"):
            # "The following values are compatible: ManifestFile, S3Prefix" (TransformS3DataSource).
            raise errors.invalid(f"S3DataType {data_type} is not compatible with transform jobs.")

    def use(self, request: Request) -> Mapping[str, int]:
        """Its instances."""
        resources = request["TransformResources"]
        return instances("transform job", {resources["InstanceType"]: resources["InstanceCount"]})

    def describe(self, job: Job) -> dict[str, Any]:
        """Times, and the defaults of what was not asked for."""
        shown: dict[str, Any] = {
            "DataProcessing": {**_DEFAULT_PROCESSING, **job.request.get("DataProcessing", {})}
        }
        if job.started is not None:
            shown["TransformStartTime"] = job.started
        return {**shown, **self._end(job)}

    def summary(self, job: Job) -> dict[str, Any]:
        """The end, and why it failed."""
        failed = {} if job.failure_reason is None else {"FailureReason": job.failure_reason}
        return {**self._end(job), **failed}

    @staticmethod
    def _end(job: Job) -> dict[str, Any]:
        return {} if job.ended is None else {"TransformEndTime": job.ended}

    async def run(self, run: JobRun) -> None:
        """Transform every object; Failed if one could not be, Stopped without any output."""
        details = run.job.details
        if not details:
            # Kept as it is now: the model may be deleted while the job runs.
            model = self._models.get(run.request["ModelName"])
            details["containers"] = [container.model_dump() for container in containers_of(model)]
            details["role"] = model.request.get("ExecutionRoleArn", "")
        containers = [Container.model_validate(container) for container in details["containers"]]
        await TransformRun(run, containers, details["role"], self._tools).to_end()

"""Processing jobs: a program over files from S3, on one instance or several."""

from collections.abc import Mapping
from typing import Any

from local_sagemaker.api.errors import ServiceError
from local_sagemaker.jobs.book import JobBook
from local_sagemaker.jobs.container import DEFAULT_MAX_RUNTIME
from local_sagemaker.jobs.kinds import PROCESSING
from local_sagemaker.jobs.processing_checks import processing_check
from local_sagemaker.jobs.processing_run import EXIT_MESSAGE, ProcessingRun
from local_sagemaker.jobs.records import Job
from local_sagemaker.jobs.run import JobRun
from local_sagemaker.jobs.work import JobWork, Request
from local_sagemaker.quotas import instances


class ProcessingWork(JobWork):
    """What a processing job does."""

    kind = PROCESSING

    def check(self, request: Request) -> None:
        """Its program, inputs and outputs can be served."""
        processing_check(request)

    def use(self, request: Request) -> Mapping[str, int]:
        """Its instances."""
        cluster = request["ProcessingResources"]["ClusterConfig"]
        return instances("processing job", {cluster["InstanceType"]: cluster["InstanceCount"]})

    def describe(self, job: Job) -> dict[str, Any]:
        """Times, exit message, and the default of its longest runtime."""
        started = {} if job.started is None else {"ProcessingStartTime": job.started}
        limit = {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME, **job.request.get("StoppingCondition", {})}
        return {"StoppingCondition": limit, **started, **self._end(job)}

    def summary(self, job: Job) -> dict[str, Any]:
        """The end, the exit message, and why it failed."""
        failed = {} if job.failure_reason is None else {"FailureReason": job.failure_reason}
        return {**self._end(job), **failed}

    @staticmethod
    def _end(job: Job) -> dict[str, Any]:
        shown: dict[str, Any] = {} if job.ended is None else {"ProcessingEndTime": job.ended}
        message = job.details.get(EXIT_MESSAGE)
        return {**shown, "ExitMessage": message} if message and not job.unfinished else shown

    async def run(self, run: JobRun) -> None:
        """Bring the input, run the program on every instance, store the output."""
        await ProcessingRun(run).to_end()


class ProcessingBook(JobBook):
    """The processing jobs: unlike the other kinds they can be deleted."""

    def delete(self, request: Request) -> dict[str, Any]:
        """DeleteProcessingJob: "only processing jobs that are in a terminal state"."""
        job = self.get(request["ProcessingJobName"])
        if job.unfinished:
            raise ServiceError(
                "ResourceInUse",
                f"The request was rejected because the processing job is in status {job.status}.",
            )
        self.forget(job)
        return {}

    def operations(self) -> dict[str, Any]:
        """The API's operations on processing jobs, by name."""
        return {**super().operations(), "DeleteProcessingJob": self.delete}

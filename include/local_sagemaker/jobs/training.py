"""Training jobs."""

import asyncio
from collections.abc import Mapping
from math import ceil
from typing import Any

from local_sagemaker.api.errors import ServiceError
from local_sagemaker.jobs.book import JobBook
from local_sagemaker.jobs.container import DEFAULT_MAX_RUNTIME
from local_sagemaker.jobs.kinds import TRAINING
from local_sagemaker.jobs.records import Job
from local_sagemaker.jobs.run import JobRun, JobTools
from local_sagemaker.jobs.training_checks import check_training
from local_sagemaker.jobs.training_plan import model_uri, plan_training
from local_sagemaker.jobs.training_session import TrainingSession
from local_sagemaker.jobs.work import JobWork, Request
from local_sagemaker.quotas import instances


class TrainingWork(JobWork):
    """What a training job does."""

    kind = TRAINING

    def __init__(self, tools: JobTools) -> None:
        self._tools = tools
        self._interruptions: dict[str, asyncio.Event] = {}

    def check(self, request: Request) -> None:
        """Raise what CreateTrainingJob refuses."""
        check_training(request, self._tools.s3, self._tools.settings.region)

    def use(self, request: Request) -> Mapping[str, int]:
        """Its instances, counted apart for spot."""
        resources = request["ResourceConfig"]
        kind = "spot training job" if request.get("EnableManagedSpotTraining") else "training job"
        return instances(kind, {resources["InstanceType"]: resources["InstanceCount"]})

    async def run(self, run: JobRun) -> None:
        """Train; an interruption of its instances reaches it by `interrupt`."""
        plan = plan_training(run.job.name, run.job.arn, run.request)
        interrupted = self._interruptions[run.job.name] = asyncio.Event()
        try:
            await TrainingSession(plan, run, interrupted).run()
        finally:
            self._interruptions.pop(run.job.name, None)

    def interrupt(self, name: str) -> bool:
        """Take its instances away from a job that trains; False when it does not."""
        event = self._interruptions.get(name)
        if event:
            event.set()
        return event is not None

    def describe(self, job: Job) -> dict[str, Any]:
        """What DescribeTrainingJob adds to the request, with the defaults of what was not asked for."""
        shown: dict[str, Any] = {
            "OutputDataConfig": {
                "KmsKeyId": "",
                "CompressionType": "GZIP",
                **job.request["OutputDataConfig"],
            },
            "StoppingCondition": {
                "MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME,
                **job.request.get("StoppingCondition", {}),
            },
            "SecondaryStatus": job.secondary,
            "SecondaryStatusTransitions": [_transition(each) for each in job.transitions],
            "ModelArtifacts": {"S3ModelArtifacts": model_uri(job.request, job.name)},
            "EnableNetworkIsolation": job.request.get("EnableNetworkIsolation", False),
            "EnableInterContainerTrafficEncryption": job.request.get(
                "EnableInterContainerTrafficEncryption", False
            ),
            "EnableManagedSpotTraining": job.request.get("EnableManagedSpotTraining", False),
            **times(job),
        }
        metrics = job.details.get("metrics")
        if metrics:
            shown["FinalMetricDataList"] = [
                {"MetricName": name, "Value": value, "Timestamp": at} for name, (value, at) in metrics.items()
            ]
        if "tuning_job_arn" in job.details:
            shown["TuningJobArn"] = job.details["tuning_job_arn"]
        return shown

    def summary(self, job: Job) -> dict[str, Any]:
        """What ListTrainingJobs adds."""
        ended = {} if job.ended is None else {"TrainingEndTime": job.ended}
        return {"SecondaryStatus": job.secondary, **ended}


class TrainingBook(JobBook):
    """Training jobs, with the operations that only they have."""

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries; no job here keeps a warm pool or has a training plan."""
        if "WarmPoolStatusEquals" in request or "TrainingPlanArnEquals" in request:
            return {"TrainingJobSummaries": []}
        return super().list_page(request)

    def delete(self, request: Request) -> dict[str, Any]:
        """DeleteTrainingJob: only of one that is over."""
        job = self.get(request["TrainingJobName"])
        if job.unfinished:
            raise ServiceError(
                "ResourceInUse",
                f"The request was rejected because the training job is in status {job.status}.",
            )
        self.forget(job)
        return {}

    def update(self, request: Request) -> dict[str, Any]:
        """UpdateTrainingJob: what it changes of profiling and warm pools is kept and shown."""
        job = self.get(request["TrainingJobName"])
        for member in ("ProfilerConfig", "ProfilerRuleConfigurations", "RemoteDebugConfig"):
            if member in request:
                job.request[member] = request[member]
        if "ResourceConfig" in request:
            job.request["ResourceConfig"] |= request["ResourceConfig"]
        self.save(job)
        return {"TrainingJobArn": job.arn}

    def operations(self) -> dict[str, Any]:
        """The API's operations on training jobs, by name."""
        return {
            **super().operations(),
            "DeleteTrainingJob": self.delete,
            "UpdateTrainingJob": self.update,
        }


def times(job: Job) -> dict[str, Any]:
    """When it ran, and how much is billed: not the time from an interruption to the next start."""
    shown: dict[str, Any] = {}
    if job.started is not None:
        shown["TrainingStartTime"] = job.started
    if job.ended is not None:
        shown["TrainingEndTime"] = job.ended
        if job.started is not None:
            total = job.ended - job.started
            # A second that was begun counts: no job that ran is shown to have cost nothing.
            shown["TrainingTimeInSeconds"] = ceil(total)
            shown["BillableTimeInSeconds"] = ceil(max(total - job.details.get("idle", 0.0), 0.0))
    return shown


def _transition(transition: Any) -> dict[str, Any]:
    shown = {
        "Status": transition.status,
        "StartTime": transition.started,
        "StatusMessage": transition.message,
    }
    return shown if transition.ended is None else {**shown, "EndTime": transition.ended}

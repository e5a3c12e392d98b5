"""Hyperparameter tuning: training jobs over a space of values, some at a time, and the best of them."""

import asyncio
import secrets
from typing import Any

from local_sagemaker.api.errors import ServiceError
from local_sagemaker.api.listing import page
from local_sagemaker.jobs.book import JobBook
from local_sagemaker.jobs.container import runtime_limit
from local_sagemaker.jobs.early_stopping import CHECK_SECONDS, lags
from local_sagemaker.jobs.kinds import TUNING
from local_sagemaker.jobs.records import Job
from local_sagemaker.jobs.run import JobFailed, JobRun, JobStopped, JobTools
from local_sagemaker.jobs.training import TrainingBook
from local_sagemaker.jobs.tuning_checks import check_tuning
from local_sagemaker.jobs.tuning_plan import TuningPlan, plan_tuning, training_name
from local_sagemaker.jobs.tuning_views import (
    best,
    counters,
    not_improving,
    objective_status,
    reached,
    training_summary,
)
from local_sagemaker.jobs.work import JobWork, Request

_ATTEMPTS = 5  # without one success, after which the service gives up (its own message names the number)


class TuningWork(JobWork):
    """What a tuning job does. Its `details`: `seed`, and `launched`, the training jobs' names in order."""

    kind = TUNING

    def __init__(self, tools: JobTools, training: TrainingBook) -> None:
        self._tools = tools
        self._training = training

    def check(self, request: Request) -> None:
        """Raise what CreateHyperParameterTuningJob refuses."""
        check_tuning(request, self._tools.s3, self._tools.settings.region)

    async def run(self, run: JobRun) -> None:
        """Keep as many training jobs running as may, until there are no more to start."""
        plan = plan_tuning(run.job.name, run.request)
        seed = secrets.randbelow(1 << 31) if plan.seed is None else plan.seed
        run.job.details.setdefault("seed", seed)
        run.job.started = run.job.started or self._tools.clock.now()
        self._relaunch(run, plan)
        try:
            async with asyncio.timeout(self._time_left(run.job, plan)):
                await self._search(run, plan)
        except TimeoutError:
            await self._stop_all(run.job)
        except JobStopped:
            await self._stop_all(run.job)
            raise

    def jobs_of(self, job: Job) -> list[Job]:
        """The training jobs that a tuning job has started and that have not been deleted."""
        found = (self._training.find(name) for name in job.details.get("launched", []))
        return [each for each in found if each]

    def describe(self, job: Job) -> dict[str, Any]:
        """What DescribeHyperParameterTuningJob adds to the request."""
        jobs = self.jobs_of(job)
        shown: dict[str, Any] = {
            **counters(jobs),
            "TuningJobCompletionDetails": {"NumberOfTrainingJobsObjectiveNotImproving": not_improving(jobs)},
            **_ended(job),
        }
        leader = best(jobs)
        if leader:
            shown["BestTrainingJob"] = training_summary(leader, job.name)
        if job.started is not None:
            until = job.ended or self._tools.clock.now()
            shown["ConsumedResources"] = {"RuntimeInSeconds": round(until - job.started)}
        return shown

    def summary(self, job: Job) -> dict[str, Any]:
        """What ListHyperParameterTuningJobs adds."""
        config = job.request["HyperParameterTuningJobConfig"]
        return {
            "Strategy": config["Strategy"],
            "ResourceLimits": config["ResourceLimits"],
            **counters(self.jobs_of(job)),
            **_ended(job),
        }

    async def _search(self, run: JobRun, plan: TuningPlan) -> None:
        while True:
            run.check_stop()
            jobs = self.jobs_of(run.job)
            if reached(plan, jobs):
                await self._stop_all(run.job)
                return
            self._judge(jobs, plan)
            running = [job for job in jobs if job.unfinished]
            while len(running) < plan.parallel and len(run.job.details.get("launched", [])) < plan.max_jobs:
                started = self._launch(run, plan, alone=not running)
                if started is None:
                    break
                running.append(started)
            if not running:
                return
            await run.finish_step(self._first_end(running, CHECK_SECONDS if plan.early_stopping else None))
            if plan.early_stopping:
                self._stop_lagging(jobs)

    def _launch(self, run: JobRun, plan: TuningPlan, *, alone: bool) -> Job | None:
        """Start the next training job; None when a quota lets it wait for one that runs."""
        launched = run.job.details.setdefault("launched", [])
        number = len(launched)
        definition, _ = plan.values(number, run.job.details["seed"])
        try:
            self._training.require(definition.training_request("", {}))
        except ServiceError as error:
            if alone:
                raise JobFailed(f"{error.code}: {error.message}") from error
            return None
        launched.append(training_name(plan.name, number))
        # Kept before it is started: after a kill in between, `_relaunch` starts it.
        run.save()
        return self._begin(run, plan, number)

    def _begin(self, run: JobRun, plan: TuningPlan, number: int) -> Job:
        definition, values = plan.values(number, run.job.details["seed"])
        name = run.job.details["launched"][number]
        details = {
            "tuning_job_arn": run.job.arn,
            "tuned": {
                "values": values,
                "metric": definition.metric,
                "maximize": definition.maximize,
                "definition": definition.name,
            },
        }
        return self._training.begin(definition.training_request(name, values), details)

    def _relaunch(self, run: JobRun, plan: TuningPlan) -> None:
        """Start the training job that a killed server had noted but not started."""
        launched = run.job.details.get("launched", [])
        if launched and self._training.find(launched[-1]) is None and not run.stopping.is_set():
            self._begin(run, plan, len(launched) - 1)

    def _judge(self, jobs: list[Job], plan: TuningPlan) -> None:
        """Give up when nothing has come of the first training jobs."""
        statuses = [objective_status(job) for job in jobs]
        failed = statuses.count("Failed")
        if "Succeeded" not in statuses and failed >= min(_ATTEMPTS, plan.max_jobs):
            raise JobFailed(
                f"No training job succeeded after {failed} attempts. Please take a look at the training job "
                "failures to get more details."
            )

    def _stop_lagging(self, jobs: list[Job]) -> None:
        for job in jobs:
            if job.status == "InProgress" and lags(job, jobs):
                self._training.stop_job(job)

    async def _first_end(self, jobs: list[Job], timeout: float | None) -> None:
        waits = [asyncio.create_task(self._training.ended(job.name)) for job in jobs]
        try:
            await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _stop_all(self, job: Job) -> None:
        running = [each for each in self.jobs_of(job) if each.unfinished]
        for each in running:
            if each.status == "InProgress":
                self._training.stop_job(each)
        await asyncio.gather(*(self._training.ended(each.name) for each in running))

    def _time_left(self, job: Job, plan: TuningPlan) -> float | None:
        if plan.max_runtime is None or job.started is None:
            return None
        limit = runtime_limit(self._tools.clock, plan.max_runtime)
        return max(limit - (self._tools.clock.now() - job.started), 0.0)


class TuningBook(JobBook):
    """Tuning jobs, with the operations that only they have."""

    def __init__(self, work: TuningWork, tools: JobTools) -> None:
        super().__init__(work, tools)
        self._tuning = work

    def delete(self, request: Request) -> dict[str, Any]:
        """DeleteHyperParameterTuningJob: the training jobs stay."""
        job = self.get(request["HyperParameterTuningJobName"])
        if job.unfinished:
            raise self.kind.finished(job.status)
        self.forget(job)
        return {}

    def list_training_jobs(self, request: Request) -> dict[str, Any]:
        """ListTrainingJobsForHyperParameterTuningJob; by value, those without one are left out."""
        job = self.get(request["HyperParameterTuningJobName"])
        summaries = [training_summary(each, job.name) for each in self._tuning.jobs_of(job)]
        metric = "FinalHyperParameterTuningJobObjectiveMetric"
        defaults = {"SortBy": "Name", "SortOrder": "Ascending"}
        if request.get("SortBy") == "FinalObjectiveMetricValue":
            summaries = [summary for summary in summaries if metric in summary]
        return page(
            {**defaults, **request},
            summaries,
            "TrainingJobSummaries",
            "TrainingJobName",
            "TrainingJobStatus",
            other_sorts={"FinalObjectiveMetricValue": lambda summary: summary[metric]["Value"]},
        )

    def operations(self) -> dict[str, Any]:
        """The API's operations on tuning jobs, by name."""
        return {
            **super().operations(),
            "DeleteHyperParameterTuningJob": self.delete,
            "ListTrainingJobsForHyperParameterTuningJob": self.list_training_jobs,
        }


def _ended(job: Job) -> dict[str, Any]:
    return {} if job.ended is None else {"HyperParameterTuningEndTime": job.ended}

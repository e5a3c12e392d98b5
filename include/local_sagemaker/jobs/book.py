"""Every job of one kind: create, describe, list and stop, and the tasks that run them."""

import asyncio
import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.api.listing import page
from local_sagemaker.jobs.records import Job
from local_sagemaker.jobs.run import INTERNAL_ERROR, JobFailed, JobRun, JobStopped, JobTools
from local_sagemaker.jobs.wording import ending_message, event_detail
from local_sagemaker.jobs.work import JobWork, Request

logger = logging.getLogger(__name__)


class JobBook:
    """The jobs of one kind, by name; names differ in more than case."""

    def __init__(self, work: JobWork, tools: JobTools) -> None:
        self.kind = work.kind
        self._work = work
        self._tools = tools
        self._jobs: dict[str, Job] = {}
        self._runs: dict[str, JobRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        tools.quotas.count(self._usage)

    def resume(self) -> None:
        """Read every job, and go on with those that had not finished."""
        for key, document in self._tools.store.all(self.kind.arn_kind):
            self._jobs[key] = Job.model_validate(document)
        for job in self._jobs.values():
            if job.unfinished:
                self._start(job, resumed=True)
        self._sweep()

    async def close(self) -> None:
        """Break off every job; those that had not finished go on after the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def all(self) -> list[Job]:
        """Every job of the kind."""
        return list(self._jobs.values())

    def find(self, name: str) -> Job | None:
        """The job of that name, in any case, or None."""
        return self._jobs.get(name.lower())

    def get(self, name: str) -> Job:
        """The job of that name, or the service's error."""
        job = self.find(name)
        if job is None:
            raise self.kind.not_found(name)
        return job

    async def ended(self, name: str) -> Job:
        """Wait until the job is over."""
        task = self._tasks.get(name.lower())
        if task:
            await asyncio.wait({task})
        return self.get(name)

    def create(self, request: Request) -> dict[str, Any]:
        """Keep the job and start it; refuses a name that is taken, and what goes over a quota."""
        name = request[f"{self.kind.prefix}Name"]
        taken = self.find(name)
        if taken:
            raise self.kind.already_exists(name, taken.arn)
        self._work.check(request)
        self.require(request)
        return {f"{self.kind.prefix}Arn": self.begin(request).arn}

    def require(self, request: Request) -> None:
        """Raise the service's error for a job that would go over a quota."""
        self._tools.quotas.require(self._work.use(request))

    def begin(self, request: Request, details: Mapping[str, Any] | None = None) -> Job:
        """Start a job whose request has been checked."""
        name = request[f"{self.kind.prefix}Name"]
        now = self._tools.clock.now()
        job = Job(
            name=name,
            arn=self.kind.arn(self._tools.settings.region, name),
            request={key: value for key, value in request.items() if key != "Tags"},
            created=now,
            modified=now,
            tags={tag["Key"]: tag["Value"] for tag in request.get("Tags", [])},
            details=dict(details or {}),
        )
        job.advance("Starting", "Starting the job", now)
        self._jobs[name.lower()] = job
        self._changed(job)
        self._start(job, resumed=False)
        return job

    def describe(self, request: Request) -> dict[str, Any]:
        """The job as it stands."""
        return self.view(self.get(request[f"{self.kind.prefix}Name"]))

    def view(self, job: Job) -> dict[str, Any]:
        """A job as the describe operation shows it."""
        shown = {**self._shared(job), **job.request, **self._work.describe(job)}
        if job.failure_reason is not None:
            shown["FailureReason"] = job.failure_reason
        return shown

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        prefix = self.kind.prefix
        summaries = [{**self._shared(job), **self._work.summary(job)} for job in self.all()]
        defaults = {"SortBy": self.kind.sort_by, "SortOrder": self.kind.sort_order}
        return page(
            {**defaults, **request}, summaries, f"{prefix}Summaries", f"{prefix}Name", f"{prefix}Status"
        )

    def stop(self, request: Request) -> dict[str, Any]:
        """Ask the job to stop; refused once it is over."""
        job = self.get(request[f"{self.kind.prefix}Name"])
        if not job.unfinished:
            raise self.kind.finished(job.status)
        self.stop_job(job)
        return {}

    def stop_job(self, job: Job) -> None:
        """Move a job that runs to Stopping, unless it is there already."""
        if job.status == "Stopping":
            return
        job.status = "Stopping"
        job.advance("Stopping", f"Stopping the {self.kind.label}", self._tools.clock.now())
        self._changed(job)
        self._runs[job.name.lower()].stopping.set()

    def forget(self, job: Job) -> None:
        """Remove a job that is over; its name is free again."""
        self._tools.store.delete(self.kind.arn_kind, job.name.lower())
        del self._jobs[job.name.lower()]

    def tags_of(self, name: str) -> tuple[dict[str, str], Callable[[dict[str, str]], None]]:
        """The tags of a job, and how to change them."""
        job = self.get(name)

        def save(tags: dict[str, str]) -> None:
            job.tags = tags
            self.save(job)

        return job.tags, save

    def operations(self) -> dict[str, Callable[[Request], dict[str, Any]]]:
        """The API's operations on this kind of job, by name."""
        prefix = self.kind.prefix
        return {
            f"Create{prefix}": self.create,
            f"Describe{prefix}": self.describe,
            f"List{prefix}s": self.list_page,
            f"Stop{prefix}": self.stop,
        }

    def _shared(self, job: Job) -> dict[str, Any]:
        prefix = self.kind.prefix
        return {
            f"{prefix}Name": job.name,
            f"{prefix}Arn": job.arn,
            f"{prefix}Status": job.status,
            "CreationTime": job.created,
            "LastModifiedTime": job.modified,
        }

    def _usage(self) -> Mapping[str, int]:
        total: dict[str, int] = {}
        for job in self._jobs.values():
            if job.unfinished:
                for name, count in self._work.use(job.request).items():
                    total[name] = total.get(name, 0) + count
        return total

    def _start(self, job: Job, *, resumed: bool) -> None:
        key = job.name.lower()
        run = JobRun(job, self._tools, self._directory(key), self._changed, resumed)
        if job.status == "Stopping":
            run.stopping.set()
        self._runs[key] = run
        task = asyncio.create_task(self._drive(run), name=f"{self.kind.label} {job.name}")
        self._tasks[key] = task

    async def _drive(self, run: JobRun) -> None:
        job = run.job
        try:
            await self._work.run(run)
        except JobStopped as stopped:
            await self._end(run, "Stopped", str(stopped))
        except JobFailed as failed:
            job.failure_reason = str(failed)[:1024]
            await self._end(run, "Failed", "Failed")
        except Exception:
            logger.exception("%s %s failed for a reason of the server's own", self.kind.label, job.name)
            job.failure_reason = INTERNAL_ERROR
            await self._end(run, "Failed", "Failed")
        else:
            await self._end(run, "Completed", "Completed")

    async def _end(self, run: JobRun, status: Any, secondary: str) -> None:
        """Its files go first: a job that is over has left nothing."""
        await asyncio.to_thread(shutil.rmtree, run.directory, ignore_errors=True)
        job = run.job
        job.status = status
        now = self._tools.clock.now()
        job.ended = now
        job.advance(secondary, ending_message(self.kind.label, secondary), now)
        job.transitions[-1].ended = now
        self._changed(job)
        self._runs.pop(job.name.lower(), None)
        self._tasks.pop(job.name.lower(), None)

    def _changed(self, job: Job) -> None:
        """Keep it, then tell EventBridge: an event is never ahead of what describe says."""
        self.save(job)
        self._tools.events.emit(
            self.kind.event, event_detail({**self.view(job), "Tags": job.tags}), [job.arn]
        )

    def save(self, job: Job) -> None:
        """Keep the job as it is now."""
        self._tools.store.put(self.kind.arn_kind, job.name.lower(), job.model_dump())

    def _directory(self, key: str) -> Path:
        return self._tools.jobs_dir / self.kind.arn_kind / key

    def _sweep(self) -> None:
        """Remove what jobs that are over left when the server was killed."""
        root = self._tools.jobs_dir / self.kind.arn_kind
        for path in root.iterdir() if root.is_dir() else ():
            if path.name not in self._runs:
                shutil.rmtree(path, ignore_errors=True)

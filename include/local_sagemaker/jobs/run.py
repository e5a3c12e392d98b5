"""One job while it runs: what its work is given, and how it says where it is."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_sagemaker.clock import Clock
from local_sagemaker.cloudwatch.metrics import Metrics
from local_sagemaker.events.bus import Events
from local_sagemaker.faults.instances import InstanceFaults
from local_sagemaker.jobs.records import Job
from local_sagemaker.logs.shipper import LogShipper
from local_sagemaker.quotas import Quotas
from local_sagemaker.s3.objects import S3Objects
from local_sagemaker.settings import Settings
from local_sagemaker.store import Store

INTERNAL_ERROR = "InternalServerError: We encountered an internal error. Please try again."


class JobFailed(Exception):
    """The job ends Failed; the message is its FailureReason."""


class JobInterrupted(JobFailed):
    """What it ran on was lost, through no fault of the job: the service calls that InternalServerError."""

    def __init__(self) -> None:
        super().__init__(INTERNAL_ERROR)


class JobStopped(Exception):
    """The job ends Stopped; the message is its last secondary status."""


@dataclass(frozen=True)
class JobTools:
    """What every job needs of the server.

    `endpoint_url` is where a job's own AWS calls go, `credentials` the variables that let it make them
    as the role it is given.
    """

    settings: Settings
    store: Store
    clock: Clock
    events: Events
    quotas: Quotas
    s3: S3Objects
    logs: LogShipper
    metrics: Metrics
    instances: InstanceFaults
    jobs_dir: Path
    logs_dir: Path
    endpoint_url: str
    credentials: Callable[[str], Awaitable[Mapping[str, str]]]


@dataclass
class JobRun:
    """A job that is being run. `stopping` is set once it is to stop; `resumed` after a restart."""

    job: Job
    tools: JobTools
    directory: Path
    changed: Callable[[Job], None]
    resumed: bool = False
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def request(self) -> dict[str, Any]:
        """The request that made the job."""
        return self.job.request

    def advance(self, secondary: str, message: str) -> None:
        """Enter a secondary status: kept on disk, and told to EventBridge."""
        self.job.advance(secondary, message, self.tools.clock.now())
        self.changed(self.job)

    def save(self) -> None:
        """Keep the job's `details` as they are now."""
        self.changed(self.job)

    def check_stop(self) -> None:
        """Raise JobStopped when the job is to stop: asked between steps that are not worth breaking off."""
        if self.stopping.is_set():
            raise JobStopped("Stopped")

    async def finish_step(self, step: Awaitable[Any]) -> Any:
        """Await `step`, but not past a stop: then it is cancelled and JobStopped raised."""
        task = asyncio.ensure_future(step)
        stop = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise JobStopped("Stopped")
        finally:
            for each in (task, stop):
                each.cancel()
            await asyncio.gather(task, stop, return_exceptions=True)

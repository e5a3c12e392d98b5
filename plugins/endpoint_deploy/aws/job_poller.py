"""Waiting for jobs of every kind."""

import asyncio

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.jobs import find_job, stop_job
from endpoint_deploy.aws.polling import Poller
from endpoint_deploy.core.jobs import Job, JobKind


class JobPoller(Poller[tuple[JobKind, str], Job | None]):
    """Waits for jobs by kind and name. What goes wrong with one fails no other's wait."""

    async def look(self, keys: set[tuple[JobKind, str]]) -> None:
        """Describe each job."""
        hook = await self.client()
        passing: Exception | None = None
        for kind, name in sorted(keys):
            try:
                seen = await asyncio.to_thread(find_job, hook.sagemaker, kind, name)
            except Exception as error:
                if errors.is_passing(error):
                    passing = error
                else:
                    self.fail(error, (kind, name))
            else:
                self.tell((kind, name), seen)
        if passing:
            raise passing

    async def stop(self, kind: JobKind, name: str) -> None:
        """Ask a job to stop, unless it is over."""
        hook = await self.client()
        await asyncio.to_thread(stop_job, hook.sagemaker, kind, name)

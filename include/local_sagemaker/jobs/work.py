"""What a kind of job is asked to do for its book."""

import abc
from collections.abc import Mapping
from typing import Any

from local_sagemaker.jobs.kinds import JobKind
from local_sagemaker.jobs.records import Job
from local_sagemaker.jobs.run import JobRun

Request = dict[str, Any]


class JobWork(abc.ABC):
    """What one kind of job does; the rest is the same for all."""

    kind: JobKind

    @abc.abstractmethod
    def check(self, request: Request) -> None:
        """Raise the service's error for a create that it would refuse beyond its form."""

    @abc.abstractmethod
    async def run(self, run: JobRun) -> None:
        """Do the work; raises JobFailed or JobStopped, and returns when it is Completed.

        After a restart of the server it is called again with `run.resumed`; cancelled when the server
        stops, it must leave no process behind.
        """

    @abc.abstractmethod
    def describe(self, job: Job) -> dict[str, Any]:
        """What the describe operation shows beside the names, times and status that all kinds have."""

    @abc.abstractmethod
    def summary(self, job: Job) -> dict[str, Any]:
        """What the list operation shows beside the names, times and status that all kinds have."""

    def use(self, request: Request) -> Mapping[str, int]:
        """What a job uses while it runs, by the names of the quotas."""
        del request
        return {}

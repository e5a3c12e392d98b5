"""The trigger behind every deferred wait for a job."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from endpoint_deploy.aws.job_poller import JobPoller
from endpoint_deploy.core.jobs import Job, JobKind

_LEAST_SECONDS = 5.0  # for one look, also where the triggerer comes to it late


class JobSettledTrigger(BaseTrigger):
    """Fires once a job is over, or gone.

    The event is `{"settled": bool, "carried": …}`, settled False at the deadline (seconds since the epoch).
    It judges nothing: whoever waited describes the job again, and finds in `carried` what it gave. With
    `stop_on_kill` the job is stopped when a person marks or clears the waiting task; a triggerer that
    restarts stops none.
    """

    def __init__(
        self,
        *,
        conn_id: str,
        region: str,
        kind: JobKind,
        name: str,
        poll_seconds: float,
        deadline: float,
        stop_on_kill: bool = False,
        carried: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's has no annotations
        self.conn_id = conn_id
        self.region = region
        self.kind: JobKind = kind
        self.name = name
        self.poll_seconds = poll_seconds
        self.deadline = deadline
        self.stop_on_kill = stop_on_kill
        self.carried = carried or {}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class path is stored with the deferred task: moving this class breaks what is deferred."""
        return (
            "endpoint_deploy.triggers.job_settled.JobSettledTrigger",
            {
                "conn_id": self.conn_id,
                "region": self.region,
                "kind": self.kind,
                "name": self.name,
                "poll_seconds": self.poll_seconds,
                "deadline": self.deadline,
                "stop_on_kill": self.stop_on_kill,
                "carried": self.carried,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait through the process's shared poller."""
        try:
            async with asyncio.timeout(max(self.deadline - time.time(), _LEAST_SECONDS)):
                await self._poller.wait((self.kind, self.name), _over, self.poll_seconds)
        except TimeoutError:
            yield TriggerEvent({"settled": False, "carried": self.carried})
        else:
            yield TriggerEvent({"settled": True, "carried": self.carried})

    async def on_kill(self) -> None:
        """Airflow calls this when a person acts on the task, and not when the triggerer goes down."""
        if self.stop_on_kill:
            await self._poller.stop(self.kind, self.name)

    @property
    def _poller(self) -> JobPoller:
        return JobPoller.shared(self.conn_id, self.region)


def _over(job: Job | None) -> bool:
    return job is None or job.phase != "in_progress"

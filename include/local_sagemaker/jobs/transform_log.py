"""The log streams of an instance of a transform job: its container's, and the service's own of the data."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from local_sagemaker.jobs.kinds import TRANSFORM
from local_sagemaker.jobs.run import JobRun


class InstanceLogs:
    """One instance's streams, `JOB/INSTANCE-TIME` and `JOB/INSTANCE-TIME/data-log` (guide, Logging)."""

    def __init__(self, run: JobRun, began: float) -> None:
        self._instance = f"i-{uuid4().hex[:17]}"
        self._stream = f"{run.job.name}/{self._instance}-{int(began)}"
        self._directory = run.tools.logs_dir / TRANSFORM.arn_kind / run.job.name.lower()
        self._logs = run.tools.logs
        self._paths: list[Path] = []
        self._data = self._followed("data", "/data-log")

    def of_container(self, hostname: str, *, only: bool) -> Path:
        """Where a container's output goes; the `only` one of an instance is not named."""
        return self._followed(hostname, "" if only else f"/{hostname}")

    def _followed(self, name: str, suffix: str) -> Path:
        path = self._directory / f"{self._instance}-{name}.log"
        self._logs.follow(TRANSFORM.log_group, self._stream + suffix, path)
        self._paths.append(path)
        return path

    def write(self, message: str, about: str | None = None) -> None:
        """A message for the data log; `about` is the object it is of, as `bucket/key`, if it is of one."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
        subject = f"{about}: " if about else ""
        with self._data.open("a", encoding="utf-8") as file:
            file.writelines(f"{now}:[sagemaker logs]: {subject}{line}\n" for line in message.split("\n"))

    async def finish(self) -> None:
        """Nothing more will be written: return when all of it is sent."""
        await asyncio.gather(*(self._logs.finish(path) for path in self._paths))

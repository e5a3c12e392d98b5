"""A job's programs, each run as the container of one instance would run it."""

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from local_sagemaker.clock import Clock

_LAUNCHER = Path(__file__).with_name("launcher.py")
_PASSED_ON = ("LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")
_DIRECTORIES = ("ml", "stage", "home", "tmp")
STOP_SECONDS = 120.0  # "which delays job termination for 120 seconds" (StopTrainingJob's reference)
MINIMUM_STOP_SECONDS = 5.0
MINIMUM_LIMIT_SECONDS = 5.0
DEFAULT_MAX_RUNTIME = 86400  # "The default value is 1 day" (StoppingCondition's reference)

EndedBy = Literal["itself", "stop", "limit", "interruption"]


@dataclass
class Container:
    """One instance's container: its files under `directory`, of which `ml` stands for /opt/ml.

    What the program writes goes to `log_path`.
    """

    host: str
    directory: Path
    log_path: Path
    _process: Process | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        for name in _DIRECTORIES:
            (self.directory / name).mkdir(parents=True, exist_ok=True)

    @property
    def ml(self) -> Path:
        """What the program sees as /opt/ml."""
        return self.directory / "ml"

    async def start(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        cwd: str = "/opt/ml",
        *,
        replaced: Mapping[str, Path] | None = None,
    ) -> None:
        """Start the program; it sees `environment`, a PATH with this Python, and nothing of the server's.

        `replaced` names files of the system that it is to see otherwise, where the kernel allows it.
        """
        spec = {
            "argv": list(argv),
            "base": str(self.ml),
            "stage": str(self.directory / "stage"),
            "cwd": cwd,
            "replaced": {target: str(source) for target, source in (replaced or {}).items()},
        }
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-IS",  # the standard library alone, whatever the program's environment says of Python
                str(_LAUNCHER),
                json.dumps(spec),
                stdin=PIPE,
                stdout=log,
                stderr=log,
                env={**self._base_environment(), **environment},
                start_new_session=True,  # Ctrl-C is for the server
            )

    def _base_environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        system = os.environ.get("PATH", os.defpath)
        return {
            **inherited,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{system}",
            "HOME": str(self.directory / "home"),
            "TMPDIR": str(self.directory / "tmp"),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "SAGEMAKER_BASE_DIR": "/opt/ml",
        }

    async def wait(self) -> int:
        """The exit status, once the program and all it started have ended."""
        if self._process is None:
            raise RuntimeError(f"{self.host} was not started")
        status = await self._process.wait()
        return status if status >= 0 else 128 - status

    def terminate(self) -> None:
        """SIGTERM to the program."""
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    async def kill(self) -> None:
        """End the program and all it started, at once."""
        if self._process is None:
            return
        if self._process.stdin:
            self._process.stdin.close()
        await self._process.wait()


@dataclass(frozen=True)
class Outcome:
    """How a job's programs ended: exit status by host, and what made them end."""

    statuses: Mapping[str, int]
    ended_by: EndedBy

    @property
    def failed(self) -> tuple[str, int] | None:
        """The first host that ended badly, with its status."""
        return next(((host, status) for host, status in self.statuses.items() if status), None)


def log_path_of(directory: Path, host: str, at: int) -> Path:
    """Where a host started in that second logs, or the next second's that is free: an instance's log is
    never another's. 0 stands for no instance at all."""
    path = directory / f"{host}-{at}.log"
    while at and path.exists():
        at += 1
        path = directory / f"{host}-{at}.log"
    return path


def runtime_limit(clock: Clock, service_seconds: float) -> float:
    """Real seconds that a job's programs may run: a job's own work is not scaled, so at least 5 s of it
    are granted at any scale, if the limit is that long."""
    return clock.limit(service_seconds, min(service_seconds, MINIMUM_LIMIT_SECONDS))


async def run_to_end(
    containers: Sequence[Container],
    clock: Clock,
    stopping: asyncio.Event,
    limit: float | None,
    interrupted: asyncio.Event | None = None,
) -> Outcome:
    """Wait until all programs have ended, or one has failed; leaves no process, whatever happens.

    On a stop, an interruption, or after `limit` (real seconds, see `runtime_limit`; None: no limit) each
    gets SIGTERM and 120 s of the service's time before it is killed.
    """
    waits = {container.host: asyncio.create_task(container.wait()) for container in containers}
    seconds = None if limit is None else max(limit, 0.0)
    try:
        ended_by = await _first_reason(list(waits.values()), stopping, interrupted, seconds)
        if ended_by != "itself":
            for container in containers:
                container.terminate()
            await asyncio.wait(waits.values(), timeout=clock.limit(STOP_SECONDS, MINIMUM_STOP_SECONDS))
        first = next((host for host, task in waits.items() if task.done() and task.result()), None)
        await asyncio.gather(*(container.kill() for container in containers))
        statuses = {host: await task for host, task in waits.items()}
        if ended_by == "itself" and first is not None:
            # The others were killed because this one failed; it is the one to speak of.
            statuses = {first: statuses[first], **statuses}
        return Outcome(statuses, ended_by)
    finally:
        await asyncio.shield(asyncio.gather(*(container.kill() for container in containers)))
        for task in waits.values():
            task.cancel()


async def _first_reason(
    tasks: list[asyncio.Task[int]],
    stopping: asyncio.Event,
    interrupted: asyncio.Event | None,
    seconds: float | None,
) -> EndedBy:
    events: dict[asyncio.Task[Any], EndedBy] = {asyncio.create_task(stopping.wait()): "stop"}
    if interrupted:
        events[asyncio.create_task(interrupted.wait())] = "interruption"
    programs = asyncio.create_task(_all_or_first_failure(tasks))
    try:
        done, _ = await asyncio.wait(
            {programs, *events}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if programs in done:
            return "itself"
        return next((events[task] for task in events if task in done), "limit")
    finally:
        for task in (programs, *events):
            task.cancel()


async def _all_or_first_failure(tasks: list[asyncio.Task[int]]) -> None:
    pending = set(tasks)
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if any(task.result() for task in done):
            return

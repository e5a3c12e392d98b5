"""The parent of the distributed set-up's processes: `python -m local_stack.distributed.supervisor PLAN`.

It does for the services of `docker-compose.yaml` what Docker does for their containers: starts each when
those it depends on are healthy, or through; starts again what has ended; and ends all of a service with its
first process.
"""

import logging
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import psutil

from local_stack.distributed.compose_file import read_services
from local_stack.distributed.native import NativeProcess, native_processes
from local_stack.distributed.plan import ComposePlan
from local_stack.paths import StatePaths
from local_stack.processes import Child, log_tail
from local_stack.supervisor import StackFailedError, Supervisor, hold

_log = logging.getLogger(__name__)

_START_SECONDS: Final = 280.0
_FIRST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 60.0
_LONG_ENOUGH: Final = 10.0  # who ran for so long is started again at once: Docker's rule, as the delays are
_CHECK_GAP: Final = 0.5


@dataclass
class _Waiting:
    """A service that has ended, and is to start again."""

    at: float
    delay: float


class ComposeSupervisor(Supervisor):
    """One run of the distributed set-up."""

    def __init__(self, plan: ComposePlan) -> None:
        super().__init__(plan)
        self._postgres_url = plan.database_url
        self._processes = native_processes(
            read_services(plan.compose_file, {**os.environ, **plan.all_variables()}), plan, os.environ
        )
        self._through: set[str] = set()
        self._healthy: set[str] = set()
        self._checks: dict[str, Child] = {}
        self._checked_at: dict[str, float] = {}
        self._started: dict[str, float] = {}
        self._waiting: dict[str, _Waiting] = {}

    def _start(self) -> None:
        self._paths.logs.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + _START_SECONDS
        while missing := self._processes.keys() - self._through - self._healthy:
            self._write("starting", ", ".join(sorted(missing)))
            for name in missing - self._started.keys():
                if self._may_start(self._processes[name]):
                    self._begin(name)
            for name in missing & self._started.keys():
                self._check(self._processes[name])
            if time.monotonic() > deadline:
                raise StackFailedError(f"not healthy within {_START_SECONDS:.0f} s: {self._said(missing)}")
            self._pause()

    def _pause(self) -> None:
        """Let a moment pass, and start what is to start again."""
        super()._pause()
        for name, waiting in tuple(self._waiting.items()):
            if name not in self._children and time.monotonic() >= waiting.at:
                self._begin(name)
                self._restarted()

    def _restarted(self) -> None:
        """Say which process a service is by now."""
        if self._healthy | self._through == self._processes.keys():
            self._write("ready", "everything answered, and some of it was started again")

    def _may_start(self, process: NativeProcess) -> bool:
        """Whether all it depends on is healthy, or through."""
        return all(
            each in (self._through if how == "service_completed_successfully" else self._healthy)
            for each, how in process.after.items()
        )

    def _begin(self, name: str) -> None:
        process = self._processes[name]
        for directory in process.directories:
            directory.mkdir(parents=True, exist_ok=True)
        self._started[name] = time.monotonic()
        self._add(Child(name, process.command, env=process.environment, log=self._paths.logs / f"{name}.log"))

    def _check(self, process: NativeProcess) -> None:
        """See what the last health check has said, and begin the next."""
        if process.check is None:
            return
        running = self._checks.get(process.name)
        if running is not None:
            code = running.exit_code()
            if code is None:
                return
            del self._checks[process.name]
            self._checked_at[process.name] = time.monotonic()
            if code == 0:
                self._healthy.add(process.name)
                return
        if time.monotonic() - self._checked_at.get(process.name, 0) > _CHECK_GAP:
            log = self._paths.logs / f"{process.name}.health.log"
            self._checks[process.name] = Child("check", process.check, env=process.environment, log=log)

    def _said(self, names: set[str]) -> str:
        """What the last health checks and the logs end with."""
        logs = [self._paths.logs / f"{name}{end}.log" for name in sorted(names) for end in (".health", "")]
        return "\n".join(f"{log}:\n{log_tail(log)}" for log in logs if log.exists())

    def _on_end(self, child: Child, code: int) -> None:
        """A service has ended: what runs once is through, what stays is started again."""
        process = self._processes[child.name]
        for left in _session(child):
            left.kill()
            left.wait()  # an orphan, and so ours to reap
        if process.once:
            if code != 0:
                super()._on_end(child, code)
            self._through.add(child.name)
            del self._children[child.name]
            return
        last = self._waiting.get(child.name)
        ran = time.monotonic() - self._started[child.name]
        delay = min(last.delay * 2, _LONGEST_DELAY) if last and ran < _LONG_ENOUGH else _FIRST_DELAY
        _log.warning("%s ended with status %d: it starts again in %.1f s", child.name, code, delay)
        self._waiting[child.name] = _Waiting(time.monotonic() + delay, delay)
        del self._children[child.name]


def _session(child: Child) -> Iterator[psutil.Process]:
    """What a process that has ended has left behind, wherever the kernel has put it since."""
    for process in psutil.Process().children(recursive=True):
        try:
            if os.getsid(process.pid) == child.record.pid:
                yield process
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    compose_plan = ComposePlan.model_validate_json(sys.argv[1])
    with hold(StatePaths(compose_plan.state_dir)):
        sys.exit(ComposeSupervisor(compose_plan).run())

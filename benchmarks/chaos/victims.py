"""The processes of a stack, found as an operator finds them, to be killed, stopped or left without a disk."""

import contextlib
import os
import random
import resource
import signal
import sys
from collections.abc import Iterator
from typing import Final

import psutil

from local_stack.paths import StatePaths
from local_stack.record import read_record

SERVICES: Final = ("scheduler", "triggerer", "dag-processor", "api-server", "sagemaker", "postgres")
_GONE: Final = (psutil.NoSuchProcess, ProcessLookupError)


class Victims:
    """The processes of the stack in a state directory, as its record has them at the moment."""

    def __init__(self, paths: StatePaths) -> None:
        self._paths = paths

    def service(self, name: str) -> psutil.Process | None:
        """A service's process; None while it is dead."""
        record = read_record(self._paths)
        if record is None or name not in record.services or not record.services[name].is_running():
            return None
        with contextlib.suppress(*_GONE):
            return psutil.Process(record.services[name].pid)
        return None

    def all_up(self) -> bool:
        """Whether every service has a process."""
        return all(self.service(name) for name in SERVICES)

    def tree(self, name: str) -> list[psutil.Process]:
        """A service's process and all beneath it, as a container holds them."""
        process = self.service(name)
        with contextlib.suppress(*_GONE):
            return [process, *process.children(recursive=True)] if process else []
        return []

    def at_work(self) -> list[tuple[psutil.Process, psutil.Process]]:
        """Workers that run a task now: each with the process of its task."""
        scheduler = self.service("scheduler")
        found = []
        with contextlib.suppress(*_GONE):
            for worker in scheduler.children() if scheduler else []:
                found += [(worker, task) for task in worker.children()[:1]]
        return found

    def backends(self) -> list[psutil.Process]:
        """PostgreSQL's processes that serve a connection."""
        found = []
        for process in self.tree("postgres")[1:]:
            with contextlib.suppress(*_GONE):
                if "[local]" in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def left_behind(self) -> list[psutil.Process]:
        """Workers whose scheduler was killed, with their tasks: adopted by the stack's supervisor."""
        record = read_record(self._paths)
        if record is None:
            return []
        services = {each.pid for each in record.services.values()}
        found = []
        with contextlib.suppress(*_GONE):
            for child in psutil.Process(record.supervisor.pid).children():
                if child.pid not in services and child.status() != psutil.STATUS_ZOMBIE:
                    found += [child, *child.children(recursive=True)]
        return found


def kill(processes: list[psutil.Process]) -> list[int]:
    """SIGKILL for all of them; the ids of those that were there."""
    struck = []
    for process in processes:
        with contextlib.suppress(*_GONE):
            process.kill()
            struck.append(process.pid)
    return struck


def signal_all(processes: list[psutil.Process], number: signal.Signals) -> list[int]:
    """A signal for all of them; the ids of those that were there."""
    struck = []
    for process in processes:
        with contextlib.suppress(*_GONE):
            process.send_signal(number)
            struck.append(process.pid)
    return struck


def limit_files(processes: list[psutil.Process], size: int) -> int:
    """Let no process write a file beyond so many bytes; how many processes took it.

    As where the disk is full, a write of any more fails (EFBIG where a disk says ENOSPC), in Airflow's logs,
    the local SageMaker's objects and PostgreSQL's journal alike; neither root nor a file system is needed.
    """
    took = 0
    for process in processes:
        with contextlib.suppress(*_GONE, PermissionError):
            if sys.platform == "linux":
                _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))
                took += 1
    return took


def limited() -> Iterator[psutil.Process]:
    """This process's descendants that are under a limit: a child made meanwhile has inherited it."""
    for process in psutil.Process(os.getpid()).children(recursive=True):
        with contextlib.suppress(*_GONE, PermissionError):
            if (
                sys.platform == "linux"
                and resource.prlimit(process.pid, resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY
            ):
                yield process


def one_of(chance: random.Random, found: list[psutil.Process]) -> list[psutil.Process]:
    """One of them at random; none of none."""
    return [chance.choice(found)] if found else []

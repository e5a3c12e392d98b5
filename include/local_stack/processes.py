"""Child processes that end with their parent and leave nothing behind."""

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

from local_stack.record import ProcessRecord

_log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
# Loaded before any fork: a child between fork and exec must not import anything.
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose own parent dies (Linux), so that it can end them."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _tie_to_parent(parent: int, death_signal: int) -> Callable[[], None]:
    """What a child runs before exec, so that the kernel signals it when its parent is gone, however."""

    def tie() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
            if os.getppid() != parent:  # it died before the call above
                os._exit(1)

    return tie


class Child:
    """One running process in a process group of its own, writing to one log file.

    Must be started from the main thread: Linux counts the *thread* that forked as the parent.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._env = dict(env)
        self._user = user
        self._stop_signal = stop_signal
        log.write_bytes(b"")
        self._start()

    def _start(self) -> None:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=self._user,
                start_new_session=True,
                preexec_fn=_tie_to_parent(os.getpid(), self._stop_signal),  # noqa: PLW1509 - one thread only
            )
        created = psutil.Process(self._process.pid).create_time()
        self.record = ProcessRecord(pid=self._process.pid, created=created, log=self.log)

    def start_again(self) -> None:
        """Start a process that has ended once more; its log goes on."""
        self._start()

    def exit_code(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> int:
        """Wait for a process that ends by itself; raises `subprocess.TimeoutExpired`."""
        return self._process.wait(seconds)

    def listens_on(self, port: int) -> bool:
        """Whether this very process, and not another server, accepts connections on a TCP port."""
        try:
            connections = psutil.Process(self.record.pid).net_connections("tcp")
        except psutil.NoSuchProcess:
            return False
        return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in connections)

    def ask_to_stop(self) -> None:
        """Send the stop signal to the process alone: it knows how to end its own children in order."""
        if self.exit_code() is None:
            self._process.send_signal(self._stop_signal)


def stop_all(children: Sequence[Child], *, patience: float) -> None:
    """Ask all of them to stop, and after `patience` seconds end what is left, descendants included.

    Two of Airflow's parts often need ending: the scheduler raises SystemExit from its signal handler, which
    Python swallows where it interrupts a destructor; the triggerer may sleep 10 s on a runner already gone.
    """
    families = [_family(child.record.pid) for child in children if child.exit_code() is None]
    for child in children:
        child.ask_to_stop()
    members = [member for family in families for member in family]
    _, alive = psutil.wait_procs(members, timeout=patience)
    for member in alive:
        _log.info("ending what did not stop within %.0f s: %s", patience, member)
        _kill(member)
    psutil.wait_procs(alive, timeout=patience)
    for child in children:
        child.exit_code()  # psutil reaped it: let Popen know


def bury_orphans(children: Iterable[Child]) -> None:
    """Let go of adopted processes that have ended, which would stay zombies otherwise."""
    own = {child.record.pid for child in children}
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, ChildProcessError):
            if process.pid not in own and process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)


def end_descendants() -> None:
    """Kill every process beneath this one: after an orderly stop there should be none."""
    for process in psutil.Process().children(recursive=True):
        _log.warning("killing a process that outlived its parent: %s", process)
        _kill(process)


def log_tail(log: Path, *, lines: int = 15) -> str:
    """The last lines of a log, for an error that must say what happened."""
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return

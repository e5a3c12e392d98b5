"""Nothing that a stack starts outlives it, however it ends."""

import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from local_stack.plan import StackPlan
from local_stack.ports import free_port
from local_stack.processes import Child, log_tail, stop_all
from local_stack.stack import launch

DEADLINE_SECONDS = 60.0
IGNORES_SIGTERM = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("started", flush=True)
time.sleep(600)
"""


def until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def python(code: str, log: Path, name: str = "child") -> Child:
    return Child(name, [sys.executable, "-c", code], env={}, log=log)


def test_what_ignores_the_request_to_stop_is_ended_with_its_children(tmp_path: Path) -> None:
    child = python(IGNORES_SIGTERM, tmp_path / "log")
    until(lambda: "started" in log_tail(child.log), "the child has started its own")
    family = [psutil.Process(child.record.pid), *psutil.Process(child.record.pid).children()]
    assert len(family) == 2

    stop_all([child], patience=0.2)

    until(lambda: not any(_runs(member) for member in family), "both are gone")
    assert child.exit_code() is not None
    assert not child.record.is_running()


def test_a_process_that_ends_by_itself_is_left_alone(tmp_path: Path) -> None:
    child = python("raise SystemExit(3)", tmp_path / "log")
    until(lambda: child.exit_code() is not None, "the child ends")
    stop_all([child], patience=0.2)
    assert child.exit_code() == 3


def test_a_process_that_is_started_again_goes_on_with_its_log(tmp_path: Path) -> None:
    child = python("import os; print(os.getpid())", tmp_path / "log")
    pids = [child.record.pid]
    assert child.wait(DEADLINE_SECONDS) == 0
    child.start_again()
    pids.append(child.record.pid)
    assert child.wait(DEADLINE_SECONDS) == 0
    assert log_tail(child.log).splitlines() == [str(pid) for pid in pids]
    assert pids[0] != pids[1]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal on a parent's death is Linux's")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(f"""
                import sys, time
                from pathlib import Path
                from local_stack.processes import Child
                child = Child("child", [sys.executable, "-c", "import time; time.sleep(600)"], env={{}},
                              log=Path({str(tmp_path / "log")!r}))
                print(child.record.pid, flush=True)
                time.sleep(600)
            """),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    child = psutil.Process(int(owner.stdout.readline()))
    assert child.is_running()

    owner.kill()
    owner.communicate()

    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, "the child ends")


def test_a_port_is_a_processs_own_only_where_it_listens_itself(tmp_path: Path) -> None:
    port = free_port()
    server = python(f"import http.server as h; h.test(port={port}, bind='127.0.0.1')", tmp_path / "server")
    other = python("import time; time.sleep(600)", tmp_path / "other")
    try:
        until(lambda: server.listens_on(port), "the server listens")
        assert not other.listens_on(port)
    finally:
        stop_all([server, other], patience=0.2)


@pytest.mark.e2e
@pytest.mark.parametrize("who", ["supervisor", "owner"])
def test_a_stack_leaves_nothing_behind_when_killed_while_it_starts(who: str, tmp_path: Path) -> None:
    plan = StackPlan(
        state_dir=tmp_path,
        dags_dir=tmp_path,
        specs_dir=tmp_path,
        api_port=free_port(),
        sagemaker_port=free_port(),
        time_scale=1.0,
        tied_to_owner=True,
    )
    with launch(plan) as supervisor:
        seen = psutil.Process(supervisor.pid)
        # PostgreSQL, the local SageMaker and what they start in turn.
        until(lambda: len(seen.children(recursive=True)) > 6, "the stack's processes have started")
        family = [seen, *seen.children(recursive=True)]
        if who == "supervisor":
            supervisor.send_signal(signal.SIGKILL)
        # Leaving the block closes the pipe that ties the supervisor to its owner, as its death would.

    until(lambda: not any(_runs(member) for member in family), f"all of {family} are gone")


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False

"""A stack seen from outside: start one, use it, stop it."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config

from local_stack.airflow_api import AirflowApi
from local_stack.paths import REPO_ROOT, StatePaths
from local_stack.plan import StackPlan
from local_stack.ports import free_port
from local_stack.processes import log_tail
from local_stack.record import ProcessRecord, StackRecord, read_record, read_running
from local_stack.sagemaker import boto3_session, make_client
from local_stack.secret_store import load_or_create_secrets

DEFAULT_DAGS_DIR = REPO_ROOT / "dags"
DEFAULT_SPECS_DIR = REPO_ROOT / "include" / "deployments"
_START_SECONDS = 300.0
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.1

Progress = Callable[[str], None]


class StackError(RuntimeError):
    """The stack did not start or stop: says why, and where its logs are."""


class Stack:
    """A stack that is ready: its addresses, and clients for what runs there."""

    def __init__(self, paths: StatePaths, record: StackRecord) -> None:
        self.paths = paths
        self.api_url = record.api_url
        self.sagemaker_url = record.sagemaker_url
        self.postgres_url = record.postgres_url
        self.specs_dir = record.specs_dir
        self.dags_dir = record.dags_dir
        self.secrets_dir = record.secrets_dir
        self.secrets = load_or_create_secrets(StatePaths(record.secrets_dir))

    @property
    def services(self) -> dict[str, ProcessRecord]:
        """The stack's processes by name, as they are now."""
        record = read_record(self.paths)
        return {} if record is None else record.services

    @cached_property
    def airflow(self) -> AirflowApi:
        """Airflow's API as the user `admin`."""
        return AirflowApi(self.api_url, "admin", self.secrets.admin_password)

    def boto3_session(self) -> boto3.Session:
        """A session with the stack's region and dummy keys; its clients still need `endpoint_url`."""
        return boto3_session()

    def client(self, service: str, config: Config | None = None) -> Any:
        """A boto3 client of one service of the local SageMaker, by boto3's name of the service."""
        return make_client(self.sagemaker_url, service, config)


@contextmanager
def running_stack(
    state_dir: Path,
    *,
    specs_dir: Path = DEFAULT_SPECS_DIR,
    dags_dir: Path = DEFAULT_DAGS_DIR,
    time_scale: float = 1.0,
    on_progress: Progress = lambda _detail: None,
    revive_seconds: float | None = None,
    airflow_options: Mapping[str, str] | None = None,
) -> Iterator[Stack]:
    """A stack that lives as long as the `with` block, and never longer than this process.

    `state_dir` is created where it is not there; ports are free ones; `time_scale` says how many of
    SageMaker's seconds pass in one of ours; `on_progress` is told what is being waited for. With
    `revive_seconds` a process that dies is started again after so long; `airflow_options` are Airflow's, as
    SECTION__OPTION. Raises `StackError` where a process does not start, with the end of its log.
    """
    plan = StackPlan(
        state_dir=state_dir.resolve(),
        specs_dir=specs_dir.resolve(),
        dags_dir=dags_dir.resolve(),
        api_port=free_port(),
        sagemaker_port=free_port(),
        time_scale=time_scale,
        tied_to_owner=True,
        revive_seconds=revive_seconds,
        airflow_options=dict(airflow_options or {}),
    )
    supervisor = launch(plan)
    try:
        yield await_ready(plan, supervisor, on_progress)
    finally:
        supervisor.terminate()
        supervisor.communicate(timeout=_STOP_SECONDS)


def launch(plan: StackPlan, supervisor: str = "local_stack.supervisor") -> subprocess.Popen[bytes]:
    """Start a supervisor in a session of its own; `await_ready` says when its stack can be used.

    `supervisor` names a module that takes the plan as JSON.
    """
    paths = StatePaths(plan.state_dir)
    paths.logs.mkdir(parents=True, exist_ok=True)
    with (paths.logs / "supervisor.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", supervisor, plan.model_dump_json()],
            stdin=subprocess.PIPE if plan.tied_to_owner else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def await_ready(plan: StackPlan, supervisor: subprocess.Popen[bytes], on_progress: Progress) -> Stack:
    """Wait until everything answers; raises `StackError` when the supervisor gave up."""
    paths = StatePaths(plan.state_dir)
    deadline = time.monotonic() + _START_SECONDS
    told = ""
    while time.monotonic() < deadline:
        ended = supervisor.poll() is not None
        record = read_record(paths)
        if record is not None and record.supervisor.pid == supervisor.pid:
            if record.phase == "ready":
                return Stack(paths, record)
            if record.phase == "failed":
                raise StackError(f"the stack did not start: {record.detail}")
            if record.detail != told:
                told = record.detail
                on_progress(told)
        if ended:
            log = paths.logs / "supervisor.log"
            raise StackError(
                f"the stack's supervisor ended with status {supervisor.returncode}:\n{log_tail(log)}"
            )
        time.sleep(_POLL_SECONDS)
    raise StackError(f"the stack was not ready within {_START_SECONDS:.0f} s; see the logs in {paths.logs}")


def attach(state_dir: Path) -> Stack | None:
    """The stack that runs in this state directory and is ready, or None."""
    paths = StatePaths(state_dir.resolve())
    record = read_running(paths)
    return Stack(paths, record) if record is not None and record.phase == "ready" else None


def stop(state_dir: Path) -> bool:
    """Stop the stack of this state directory; False where none runs. Raises `StackError`."""
    record = read_running(StatePaths(state_dir.resolve()))
    if record is None:
        return False
    try:
        supervisor = psutil.Process(record.supervisor.pid)
        supervisor.terminate()
        supervisor.wait(_STOP_SECONDS)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        raise StackError(
            f"the supervisor (process {record.supervisor.pid}) did not stop within {_STOP_SECONDS:.0f} s; "
            f"see {record.supervisor.log}"
        ) from None
    return True

"""The parent of a stack's processes: starts them in order, watches them, stops them.

`python -m local_stack.supervisor PLAN` where PLAN is a `StackPlan` as JSON. It ends, with everything it
started, on SIGTERM or SIGINT, when one of its processes dies (unless the plan has it started again), or when
its standard input closes (where the plan ties it to its owner). Its record, `stack.json`, is the only thing
others read of it.
"""

import fcntl
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

import httpx
import psutil

from local_stack.airflow_env import AirflowSettings, airflow_environment, clean_environment
from local_stack.paths import StatePaths
from local_stack.plan import StackPlan
from local_stack.ports import LOOPBACK
from local_stack.postgres import PostgresCluster
from local_stack.processes import Child, adopt_orphans, bury_orphans, end_descendants, log_tail, stop_all
from local_stack.record import Phase, ProcessRecord, StackRecord
from local_stack.sagemaker import SageMakerServer
from local_stack.secret_store import load_or_create_secrets

_START_SECONDS = 120.0
_STOP_SECONDS = 3.0
_POLL_SECONDS = 0.1
_READY = "everything answers"
_AIRFLOW_JOBS = ("scheduler", "triggerer", "dag_processor")


class StackFailedError(RuntimeError):
    """A process of the stack did not start, or died."""


class _StopRequestedError(Exception):
    """The owner wants the stack to end."""


class Supervisor:
    """One run of a stack, from its first process to its last."""

    def __init__(self, plan: StackPlan) -> None:
        self._plan = plan
        self._paths = StatePaths(plan.state_dir)
        self._children: dict[str, Child] = {}
        self._dead: dict[str, float] = {}  # since when, of those that are to be started again
        self._ready = False
        self._stop_requested = False
        self._postgres_url = ""
        self._started_at = datetime.now(UTC)

    def run(self) -> int:
        """Start, watch and stop; the exit status says whether the stack ended because it was asked to."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        adopt_orphans()
        phase: Phase = "stopped"
        detail = "stopped"
        try:
            self._start()
            self._ready = True
            self._write("ready", _READY)
            while True:
                self._pause()
        except _StopRequestedError:
            return 0
        except (StackFailedError, OSError, subprocess.SubprocessError) as error:
            phase, detail = "failed", str(error)
            return 1
        finally:
            self._write("stopping", detail)
            self._stop()
            self._write(phase, detail)

    def _start(self) -> None:
        plan, paths = self._plan, self._paths
        paths.logs.mkdir(parents=True, exist_ok=True)
        paths.airflow_home.mkdir(parents=True, exist_ok=True)
        secrets = load_or_create_secrets(paths)
        self._write("starting", "the local SageMaker and PostgreSQL")
        sagemaker = SageMakerServer(paths.sagemaker, port=plan.sagemaker_port, time_scale=plan.time_scale)
        self._add(sagemaker.start(paths.logs / "sagemaker.log"))
        cluster = PostgresCluster(paths.postgres)
        self._postgres_url = cluster.url
        environment = clean_environment(os.environ)
        durable = plan.revive_seconds is not None
        self._add(cluster.start(paths.logs / "postgres.log", environment, durable=durable))
        self._wait_until("PostgreSQL accepts connections", cluster.is_ready)
        settings = AirflowSettings(
            paths=paths,
            secrets=secrets,
            dags_dir=plan.dags_dir,
            specs_dir=plan.specs_dir,
            api_url=plan.api_url,
            sagemaker_url=plan.sagemaker_url,
            postgres_url=cluster.url,
            options=plan.airflow_options,
            # Who waits for an edit asks for it: parsing every 5 s takes a third of what a test's stack does.
            **({"parse_seconds": 30} if plan.tied_to_owner else {}),
        )
        self._start_airflow(airflow_environment(settings, os.environ))
        self._wait_until("the local SageMaker answers", sagemaker.is_ready)
        self._wait_until("Airflow is healthy", self._airflow_is_healthy)

    def _start_airflow(self, environment: dict[str, str]) -> None:
        logs = self._paths.logs
        airflow = [sys.executable, "-m", "airflow"]
        self._write("starting", "Airflow's metadata database")
        migrate = Child(
            "migrate", [*airflow, "db", "migrate"], env=environment, log=logs / "airflow-migrate.log"
        )
        self._wait_until("the metadata database is migrated", lambda: migrate.exit_code() is not None)
        if migrate.exit_code() != 0:
            raise StackFailedError(f"`airflow db migrate` failed:\n{log_tail(migrate.log)}")
        self._write("starting", "Airflow")
        port = str(self._plan.api_port)
        preloaded = [sys.executable, "-m", "local_stack.preloaded"]
        if self._plan.tied_to_owner:
            # A demo's or a test's: whoever edits the project works on a stack that outlives the command.
            preloaded.append("--with-project")
        # Log servers would listen on every address, and the API server reads the same files anyway.
        for name, command in {
            "api-server": [*airflow, "api-server", "--host", LOOPBACK, "--port", port],
            "scheduler": [*preloaded, "scheduler", "--skip-serve-logs"],
            "dag-processor": [*preloaded, "dag-processor"],
            "triggerer": [*airflow, "triggerer", "--skip-serve-logs"],
        }.items():
            self._add(Child(name, command, env=environment, log=logs / f"airflow-{name}.log"))

    def _airflow_is_healthy(self) -> bool:
        if not self._children["api-server"].listens_on(self._plan.api_port):
            return False  # another Airflow may have taken the port meanwhile, and be in good health
        try:
            health = httpx.get(f"{self._plan.api_url}/api/v2/monitor/health", timeout=5)
        except httpx.HTTPError:
            return False
        if health.status_code != httpx.codes.OK:
            return False
        parts = health.json()
        # A job that was killed counts as healthy for 30 s: only a heartbeat of this run's own will do.
        beats = [parts[job].get(f"latest_{job}_heartbeat") for job in _AIRFLOW_JOBS]
        return all(beat and datetime.fromisoformat(beat) > self._started_at for beat in beats)

    def _add(self, child: Child) -> None:
        self._children[child.name] = child

    def _wait_until(self, what: str, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not happened():
            if time.monotonic() > deadline:
                raise StackFailedError(
                    f"waited {_START_SECONDS:.0f} s in vain until {what}; see the logs in {self._paths.logs}"
                )
            self._pause()

    def _pause(self) -> None:
        """Let a moment pass; raises when the stack must end, by request or because a process died."""
        if self._plan.tied_to_owner:
            readable, _, _ = select.select([sys.stdin], [], [], _POLL_SECONDS)
            if readable and not os.read(sys.stdin.fileno(), 1):
                raise _StopRequestedError
        else:
            time.sleep(_POLL_SECONDS)
        if self._stop_requested:
            raise _StopRequestedError
        for child in tuple(self._children.values()):
            code = child.exit_code()
            if code is not None:
                self._on_end(child, code)

    def _on_end(self, child: Child, code: int) -> None:
        """One of the stack's processes has ended: the stack does, too, or starts it again."""
        if not self._ready or self._plan.revive_seconds is None:
            raise StackFailedError(
                f"{child.name} ended with status {code}; the end of {child.log}:\n{log_tail(child.log)}"
            )
        died = self._dead.setdefault(child.name, time.monotonic())
        if time.monotonic() - died < self._plan.revive_seconds:
            return
        del self._dead[child.name]
        bury_orphans(self._children.values())
        child.start_again()
        self._write("ready", _READY)

    def _stop(self) -> None:
        """Airflow first, then what it talks to."""
        backends = [self._children.pop(name) for name in ("sagemaker", "postgres") if name in self._children]
        stop_all(list(self._children.values()), patience=_STOP_SECONDS)
        stop_all(backends, patience=_STOP_SECONDS)
        end_descendants()
        self._children.clear()

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._stop_requested = True

    def _write(self, phase: Phase, detail: str) -> None:
        me = psutil.Process()
        StackRecord(
            phase=phase,
            detail=detail,
            api_url=self._plan.api_url,
            sagemaker_url=self._plan.sagemaker_url,
            postgres_url=self._postgres_url,
            specs_dir=self._plan.specs_dir,
            dags_dir=self._plan.dags_dir,
            secrets_dir=self._plan.secrets_dir,
            supervisor=ProcessRecord(
                pid=me.pid, created=me.create_time(), log=self._paths.logs / "supervisor.log"
            ),
            services={name: child.record for name, child in self._children.items()},
        ).write(self._paths)


def hold(paths: StatePaths) -> TextIO:
    """Hold the state directory for this process: two supervisors on one would ruin its database."""
    file = paths.lock.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit(f"another stack runs in {paths.root}: stop it with `make down`") from None
    return file


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    stack_plan = StackPlan.model_validate_json(sys.argv[1])
    with hold(StatePaths(stack_plan.state_dir)):
        sys.exit(Supervisor(stack_plan).run())

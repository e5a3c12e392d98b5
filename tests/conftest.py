"""Fixtures of the whole suite: a local SageMaker and a metadata database a session, a running stack a module.

Airflow reads its configuration when it is first imported, so it is set here, before any test module is.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# A busy machine takes its time over an example, which is no fault of what is tested.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

# As root, PostgreSQL's own user must be able to enter: the directory lies where everybody may, not in HOME.
_ROOT = Path(tempfile.mkdtemp(prefix="endpoint-deploy-tests-"))
atexit.register(shutil.rmtree, _ROOT, ignore_errors=True)
os.environ.setdefault("XDG_RUNTIME_DIR", str(_ROOT))

from local_stack.airflow_env import AirflowSettings, airflow_environment  # noqa: E402 - see XDG_RUNTIME_DIR
from local_stack.paths import StatePaths  # noqa: E402
from local_stack.ports import free_port  # noqa: E402
from local_stack.postgres import PostgresCluster, socket_url  # noqa: E402
from local_stack.preloaded import FOR_DAG_FILES, FOR_TASKS, preload  # noqa: E402
from local_stack.processes import Child, log_tail, stop_all  # noqa: E402
from local_stack.sagemaker import SageMakerServer, make_client  # noqa: E402
from local_stack.secret_store import load_or_create_secrets  # noqa: E402
from local_stack.stack import DEFAULT_DAGS_DIR, DEFAULT_SPECS_DIR, Stack, running_stack  # noqa: E402

_PATHS = StatePaths(_ROOT)
_TIME_SCALE = 20.0
_READY_SECONDS = 60.0
# Directories whose modules share one running stack: to start one takes half a minute of processor time.
_ON_ONE_STACK = frozenset({"tests/e2e/distributed", "tests/e2e/questions", "tests/e2e/runs"})
_SAGEMAKER = SageMakerServer(_PATHS.sagemaker, port=free_port(), time_scale=_TIME_SCALE)


def _configure_airflow() -> None:
    settings = AirflowSettings(
        paths=_PATHS,
        secrets=load_or_create_secrets(_PATHS),
        dags_dir=DEFAULT_DAGS_DIR,
        specs_dir=DEFAULT_SPECS_DIR,
        api_url=f"http://127.0.0.1:{free_port()}",
        sagemaker_url=_SAGEMAKER.url,
        postgres_url=socket_url(_PATHS.postgres),
    )
    configured = airflow_environment(settings, os.environ)
    # A test says itself which endpoint its clients talk to; Airflow's connection names the local one.
    del configured["AWS_ENDPOINT_URL"]
    os.environ.clear()
    os.environ.update(configured)


_configure_airflow()


class LocalSageMaker:
    """The session's local SageMaker: its address and clients for it."""

    url = _SAGEMAKER.url

    def client(self, service: str) -> Any:
        return make_client(self.url, service)


def _await(child: Child, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not ready():
        if child.exit_code() is not None or time.monotonic() > deadline:
            pytest.fail(f"{child.name} is not ready; the end of its log:\n{log_tail(child.log)}")
        time.sleep(0.05)


@pytest.fixture(scope="session")
def local_sagemaker() -> Iterator[LocalSageMaker]:
    """A local SageMaker behind Airflow's connection `aws_default`; its clock runs 20 times as fast."""
    child = _SAGEMAKER.start(_ROOT / "sagemaker.log")
    try:
        _await(child, _SAGEMAKER.is_ready)
        yield LocalSageMaker()
    finally:
        stop_all([child], patience=5)


def _import_what_tasks_do() -> None:
    """Import it once, and leave it out of garbage collections: each would walk a million objects of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        preload((*FOR_DAG_FILES, *FOR_TASKS))


@pytest.fixture(scope="session")
def airflow_db() -> Iterator[str]:
    """A migrated metadata database, as `dag.test()` needs it; yields its SQLAlchemy URL."""
    cluster = PostgresCluster(_PATHS.postgres)
    child = cluster.start(_ROOT / "postgres.log", os.environ)
    try:
        _await(child, cluster.is_ready)
        migrate = [sys.executable, "-m", "airflow", "db", "migrate"]
        done = subprocess.run(migrate, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        _import_what_tasks_do()
        yield cluster.url
    finally:
        stop_all([child], patience=5)


@pytest.fixture(scope="session")
def start_stack() -> Callable[[str], AbstractContextManager[Stack]]:
    """Start a whole stack by a name of its own; specs put into its `specs_dir` become DAGs within seconds."""

    @contextmanager
    def start(name: str) -> Iterator[Stack]:
        root = _ROOT / name
        root.mkdir()
        specs = root / "specs"
        shutil.copytree(DEFAULT_SPECS_DIR, specs)
        with (
            running_stack(root / "stack", specs_dir=specs, time_scale=_TIME_SCALE) as running,
            running.airflow,
        ):
            yield running

    return start


@pytest.fixture(scope="module")
def stack(
    request: pytest.FixtureRequest, start_stack: Callable[[str], AbstractContextManager[Stack]]
) -> Iterator[Stack]:
    """A running stack. It ends with the module: an idle Airflow takes a fifth of a core from what follows."""
    with start_stack(request.node.path.stem) as running:
        yield running


class _OneWorkerAStack(LoadFileScheduling):
    """A module's tests are one worker's, as with `--dist loadfile`; so are those of modules on one stack."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        folder = file.rpartition("/")[0]
        return folder if folder in _ON_ONE_STACK else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Hand out tests so that no two workers start the stack of one directory."""
    return _OneWorkerAStack(config, log)

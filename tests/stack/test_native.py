"""What `make up-distributed` starts is what `docker-compose.yaml` says, in this machine's terms."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from local_stack.distributed.compose_file import Service, read_services
from local_stack.distributed.native import NativeProcess, native_processes
from local_stack.distributed.plan import ComposePlan
from local_stack.paths import REPO_ROOT
from local_stack.ports import free_port

FILE = REPO_ROOT / "docker-compose.yaml"
BACKING = {"postgres", "redis"}
CONTAINERS_OWN = re.compile(r"/opt/airflow|/run/stack-secrets|0\.0\.0\.0|\b8080\b|\b8081\b|://[a-z-]+:|\$")


@pytest.fixture
def plan(tmp_path: Path) -> ComposePlan:
    return ComposePlan(
        state_dir=tmp_path / "state",
        dags_dir=REPO_ROOT / "dags",
        specs_dir=tmp_path / "specs",
        api_port=free_port(),
        sagemaker_port=free_port(),
        time_scale=20.0,
        tied_to_owner=False,
        database_url="postgresql://somebody@127.0.0.1:5432/ours",
        redis_url="redis://127.0.0.1:6379/9",
        variables={"TASK_HEARTBEAT_TIMEOUT": "15"},
    )


@pytest.fixture
def services(plan: ComposePlan) -> dict[str, Service]:
    return read_services(FILE, plan.all_variables())


@pytest.fixture
def processes(services: dict[str, Service], plan: ComposePlan) -> dict[str, NativeProcess]:
    caller = {"PATH": "/usr/bin:/bin", "AIRFLOW__CORE__EXECUTOR": "LocalExecutor", "AWS_PROFILE": "mine"}
    return native_processes(services, plan, caller)


def test_every_service_is_started_but_postgresql_and_redis(processes: dict[str, NativeProcess]) -> None:
    assert processes.keys() == yaml.safe_load(FILE.read_text())["services"].keys() - BACKING


def test_nothing_that_only_a_container_has_is_left(processes: dict[str, NativeProcess]) -> None:
    for process in processes.values():
        for said in (*process.command, *(process.check or []), *process.environment.values()):
            found = CONTAINERS_OWN.search(said.replace("://127.0.0.1:", "://"))
            assert found is None, f"{process.name}: {said}"


def test_what_is_said_of_the_services_is_said_of_the_processes(
    services: dict[str, Service], processes: dict[str, NativeProcess]
) -> None:
    for name, process in processes.items():
        service = services[name]
        assert len(process.command) == len(service.entrypoint) + len(service.command)
        assert process.environment.keys() == {"PATH", *service.environment}
        assert (process.check is None) == service.once
        # PostgreSQL and Redis run by now; in containers they would have waited for their passwords.
        instead = {"secrets"} if service.depends_on.keys() & BACKING else set()
        assert process.after.keys() == service.depends_on.keys() - BACKING | instead


def test_names_of_hosts_and_directories_are_translated(
    processes: dict[str, NativeProcess], plan: ComposePlan
) -> None:
    secrets = plan.state_dir / "volumes" / "secrets"
    api, worker, sagemaker = processes["api-server"], processes["worker-2"], processes["sagemaker"]
    assert api.command == [
        *(sys.executable, "-m", "airflow", "api-server"),
        *("--host", "127.0.0.1", "--port", str(plan.api_port)),
    ]
    assert sagemaker.command[2:] == [
        *("local_sagemaker", "--host=127.0.0.1", f"--port={plan.sagemaker_port}"),
        *(f"--state-dir={plan.state_dir / 'volumes' / 'sagemaker'}", "--time-scale=20.0"),
    ]
    assert worker.check is not None
    assert worker.check[-2:] == [str(secrets / "broker_url"), "worker-2"]
    said = worker.environment
    assert said["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"{plan.api_url}/execution/"
    assert f'"endpoint_url": "{plan.sagemaker_url}"' in said["AIRFLOW_CONN_AWS_DEFAULT"]
    assert said["AIRFLOW__CELERY__BROKER_URL_CMD"] == f"cat {secrets / 'broker_url'}"
    assert said["PYTHONPATH"] == f"{REPO_ROOT / 'plugins'}:{REPO_ROOT / 'include'}"
    assert said["ENDPOINT_DEPLOY_SPECS"] == str(plan.specs_dir)
    assert said["AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"] == "15"
    assert said["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert processes["worker-1"].environment["AIRFLOW_HOME"] != said["AIRFLOW_HOME"]
    given = processes["secrets"].environment
    assert (given["DATABASE_URL"], given["REDIS_URL"]) == (plan.database_url, plan.redis_url)


def test_variables_are_replaced_as_docker_compose_does(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(
        "services: {a: {environment: {set: '${SET:-x}', unset: '${UNSET:-y}', none: '<${NONE}>', cost: $$5}}}"
    )
    found = read_services(file, {"SET": "1"})["a"].environment
    assert found == {"set": "1", "unset": "y", "none": "<>", "cost": "$5"}


def test_a_check_says_what_is_wrong(processes: dict[str, NativeProcess]) -> None:
    check = processes["scheduler"].check
    assert check is not None
    done = subprocess.run(
        check, env=processes["scheduler"].environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "refused" in done.stderr

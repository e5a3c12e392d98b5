"""What the pages are measured over: deployments with endpoints, releases and DAGs, and Airflow's API server.

Endpoints are the local SageMaker's own, but for their instances, which never come up: none is asked for a
prediction, and 800 processes would be measured instead. Releases are written by the product's own code.
"""

import contextlib
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml

from endpoint_deploy.aws.ledger import Ledger
from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core.record import RunRef
from endpoint_deploy.core.release import Release
from local_stack.airflow_env import REGION, AirflowSettings, airflow_environment, clean_environment
from local_stack.paths import StatePaths
from local_stack.ports import LOOPBACK, free_port
from local_stack.postgres import PostgresCluster
from local_stack.processes import Child, log_tail, stop_all
from local_stack.sagemaker import make_client
from local_stack.secret_store import StackSecrets, load_or_create_secrets
from local_stack.stack import DEFAULT_DAGS_DIR

BUCKET = "bench-pages"
STORE = f"s3://{BUCKET}/endpoint-deploy"
_READY_SECONDS = 120.0
_STOP_SECONDS = 5.0
_WRITERS = 4
_PASSING = 10**9  # a fault that lets so many matches pass only counts them
_FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    """Deployments `bench-000` and so on, their endpoints and their ledgers; it only grows."""

    def __init__(self, directory: Path, url: str, role_arn: str) -> None:
        self.specs = directory / "specs"
        self.specs.mkdir()
        (self.specs / "payload.json").write_text("[1.0]")
        self.releases = 0
        self._url = url
        self._role = role_arn
        self._names: list[str] = []
        self._s3 = make_client(url, "s3")
        self._sagemaker = make_client(url, "sagemaker")
        self._s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self._s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=gzip.compress(bytes(1024)))
        self._sagemaker.create_model(
            ModelName="bench",
            ExecutionRoleArn=role_arn,
            PrimaryContainer={
                "Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sklearn:1",
                "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz",
            },
        )
        self._ask("POST", "faults", {"fault": "stuck_provisioning", "name": "bench-*", "id": "no-instances"})
        self._ask("POST", "faults", {"fault": "reset", "after": _PASSING, "id": "calls"})

    def grow(self, deployments: int, releases_each: int) -> list[str]:
        """Add deployments until there are so many, the new ones with so many releases; their keys, all."""
        names = [f"bench-{number:03}" for number in range(len(self._names), deployments)]
        with ThreadPoolExecutor(_WRITERS) as writers:
            list(writers.map(lambda name: self._add(name, releases_each), names))
        self._names += names
        self.releases += releases_each * len(names)
        return [f"{name}__prod" for name in self._names]

    def calls(self) -> int:
        """How many AWS calls the local SageMaker has been asked so far, by anybody."""
        seen: int = self._ask("GET", "faults/calls")["seen"]
        return seen

    @contextlib.contextmanager
    def delayed(self, seconds: float) -> Iterator[None]:
        """Every AWS call takes so much longer: a region is farther away than this machine's loopback."""
        self._ask("POST", "faults", {"fault": "delay", "delay": seconds, "id": "far"})
        try:
            yield
        finally:
            self._ask("DELETE", "faults/far")

    def _add(self, name: str, releases: int) -> None:
        endpoint = f"{name}-prod"
        self._sagemaker.create_endpoint_config(
            EndpointConfigName=endpoint,
            ProductionVariants=[
                {
                    "VariantName": "main",
                    "ModelName": "bench",
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                }
            ],
        )
        self._sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint)
        self._ask("POST", f"endpoints/{endpoint}/status", {"status": "InService"})
        records = [_release(name, number) for number in range(1, releases + 1)]
        # Appending reads before it writes, and only the last one's copies are left in the end.
        documents = JsonStore(self._s3, STORE)
        for number, record in enumerate(records[:-1], start=1):
            numbered = record.model_copy(update={"sequence": number}).model_dump(mode="json")
            documents.create(f"ledger/{endpoint}/{number:08}.json", numbered)
        Ledger(self._s3, STORE, endpoint).append(records[-1])
        (self.specs / f"{name}.yaml").write_text(yaml.safe_dump(self._spec(name)))

    def _spec(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "environment": "prod",
            "description": f"Scores of {name}",
            "owner": "ml-platform",
            "aws": {"region": REGION, "role_arn": self._role, "store": STORE},
            "model": {
                "artifact": f"s3://{BUCKET}/model.tar.gz",
                "image": {"framework": "sklearn", "version": "1.2-1"},
            },
            "endpoint": {"variants": [{"instance_type": "ml.m5.large"}]},
            "smoke_tests": [{"name": "numbers", "payload": "payload.json"}],
        }

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = httpx.request(method, f"{self._url}/_local/{path}", json=body)
        answer.raise_for_status()
        return answer.json()


def _release(name: str, number: int) -> Release:
    """A release a day; its evidence is as large as that of two smoke tests."""
    began = _FIRST_DAY + timedelta(days=number)
    endpoint = f"{name}-prod"
    return Release(
        kind="deploy",
        outcome="released",
        action="stage",
        artifact=f"s3://{BUCKET}/model.tar.gz",
        artifact_sha256=f"{number:064x}",
        config_before=endpoint,
        config_after=endpoint,
        deployment=f"{name}__prod",
        endpoint=endpoint,
        run=RunRef(dag_id=f"deploy__{name}__prod", run_id=f"manual__{number}", run_type="manual"),
        started_at=began.isoformat(),
        finished_at=(began + timedelta(minutes=9)).isoformat(),
        seconds=540.0,
        evidence={"smoke_test": {"tests": [{"name": "numbers", "answers": list(range(200))}] * 2}},
    )


class Airflow:
    """A metadata database that lists the deployments' DAGs, and API servers that are started over it."""

    def __init__(self, directory: Path, sagemaker_url: str, specs: Path) -> None:
        self._paths = StatePaths(directory / "airflow")
        self._paths.airflow_home.mkdir(parents=True)
        self._secrets: StackSecrets = load_or_create_secrets(self._paths)
        self._port = free_port()
        self.url = f"http://{LOOPBACK}:{self._port}"
        self._cluster = PostgresCluster(self._paths.postgres)
        self._environment = airflow_environment(
            AirflowSettings(
                paths=self._paths,
                secrets=self._secrets,
                dags_dir=DEFAULT_DAGS_DIR,
                specs_dir=specs,
                api_url=self.url,
                sagemaker_url=sagemaker_url,
                postgres_url=self._cluster.url,
            ),
            os.environ,
        )

    @contextlib.contextmanager
    def database(self) -> Iterator[None]:
        """The database, migrated, for as long as the `with` block."""
        child = self._cluster.start(self._paths.root / "postgres.log", clean_environment(os.environ))
        try:
            _wait(child, self._cluster.is_ready)
            self._run("airflow", "db", "migrate")
            yield
        finally:
            stop_all([child], patience=_STOP_SECONDS)

    def list_dags(self, keys: list[str]) -> None:
        """Have Airflow list the DAGs of these deployments."""
        self._run("benchmarks.pages_dags", stdin=json.dumps(keys))

    @contextlib.contextmanager
    def api_server(self) -> Iterator[httpx.Client]:
        """A server that has just started, and a client of the user `admin` whom it knows."""
        command = [sys.executable, "-m", "airflow", "api-server", "--host", LOOPBACK, "--port"]
        log = self._paths.root / "api-server.log"
        child = Child("api-server", [*command, str(self._port)], env=self._environment, log=log)
        try:
            _wait(child, lambda: child.listens_on(self._port))
            with httpx.Client(base_url=self.url, timeout=_READY_SECONDS) as client:
                login = {"username": "admin", "password": self._secrets.admin_password}
                token = client.post("/auth/token", json=login).raise_for_status().json()["access_token"]
                client.headers["Authorization"] = f"Bearer {token}"
                client.get("/api/v2/dags", params={"limit": 1}).raise_for_status()  # Airflow's own start
                yield client
        finally:
            stop_all([child], patience=_STOP_SECONDS)

    def _run(self, *module: str, stdin: str = "") -> None:
        done = subprocess.run(
            [sys.executable, "-m", *module],
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(module)} failed:\n{done.stderr[-3000:]}")


def _wait(child: Child, ready: Any) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not ready():
        if child.exit_code() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{child.name} is not ready; the end of its log:\n{log_tail(child.log)}")
        time.sleep(0.1)

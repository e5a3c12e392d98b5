"""One rig a test, over the session's local SageMaker and metadata database; or one with least rights."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.batch.rig import BatchRig
from tests.deploy.fault_proxy import FaultProxy, fault_proxy
from tests.deploy.rig import BUCKET, REGION, Rig, ensure_bucket
from tests.deploy.worker import Worker
from tests.local_sagemaker.server_process import Server


@pytest.fixture
def rig(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_sagemaker: Any, airflow_db: str
) -> Iterator[Rig]:
    ensure_bucket(local_sagemaker.client("s3"))
    monkeypatch.setenv("ENDPOINT_DEPLOY_SPECS", str(tmp_path))
    made = Rig(specs=tmp_path, clients=local_sagemaker.client)
    made.spec()
    yield made
    if made.endpoint in [e["EndpointName"] for e in made.sagemaker.list_endpoints()["Endpoints"]]:
        made.sagemaker.delete_endpoint(EndpointName=made.endpoint)  # its replicas would run to the end


@pytest.fixture
def proxy(local_sagemaker: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """What all of the DAGs' AWS calls run through; botocore tries none of them again."""
    with fault_proxy(local_sagemaker.url) as running:
        connection = {
            "conn_type": "aws",
            "login": "test",
            "password": "test",
            "extra": {
                "endpoint_url": running.url,
                "region_name": REGION,
                "config_kwargs": {"retries": {"total_max_attempts": 1}},
            },
        }
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))
        yield running


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("enforcing") / "state", "--enforce-iam")
    server.start()
    server.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield server
    server.end()


@pytest.fixture
def worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enforcing: Server, airflow_db: str
) -> Iterator[Worker]:
    monkeypatch.setenv("ENDPOINT_DEPLOY_SPECS", str(tmp_path))
    rig = BatchRig(specs=tmp_path, clients=enforcing.client, folder="all")
    yield Worker(rig, enforcing, monkeypatch)
    if rig.endpoint in [e["EndpointName"] for e in rig.sagemaker.list_endpoints()["Endpoints"]]:
        rig.sagemaker.delete_endpoint(EndpointName=rig.endpoint)

"""One rig a test, over the session's local SageMaker and metadata database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.rig import BUCKET, REGION, Rig


@pytest.fixture
def rig(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_sagemaker: Any, airflow_db: str
) -> Iterator[Rig]:
    s3 = local_sagemaker.client("s3")
    if BUCKET not in {b["Name"] for b in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    monkeypatch.setenv("ENDPOINT_DEPLOY_SPECS", str(tmp_path))
    made = Rig(specs=tmp_path, clients=local_sagemaker.client)
    made.spec()
    yield made
    if made.endpoint in [e["EndpointName"] for e in made.sagemaker.list_endpoints()["Endpoints"]]:
        made.sagemaker.delete_endpoint(EndpointName=made.endpoint)  # its replicas would run to the end

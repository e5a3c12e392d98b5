"""One released deployment for a module's batch transforms: to release one takes longer than to use it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.batch.rig import BatchRig
from tests.deploy.conftest import proxy
from tests.deploy.rig import BUCKET, REGION

__all__ = ["proxy"]


@pytest.fixture(scope="module")
def released(
    tmp_path_factory: pytest.TempPathFactory, local_sagemaker: Any, airflow_db: str
) -> Iterator[BatchRig]:
    s3 = local_sagemaker.client("s3")
    if BUCKET not in {b["Name"] for b in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    specs = tmp_path_factory.mktemp("specs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENDPOINT_DEPLOY_SPECS", str(specs))
        rig = BatchRig(specs=specs, clients=local_sagemaker.client)
        rig.fresh()
        run = rig.deploy("rows", bias=1)
        assert run.outcome == "released", run
        yield rig
    rig.sagemaker.delete_endpoint(EndpointName=rig.endpoint)


@pytest.fixture
def rig(released: BatchRig) -> BatchRig:
    """The module's deployment with prefixes of the test's own."""
    released.fresh()
    return released

"""Endpoints without processes, whose states a test sets, and a wire to them that counts."""

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.triggers.wire import Wire

REGION = "eu-west-1"
_BUCKET = "trigger-tests"
_ROLE = "arn:aws:iam::123456789012:role/sagemaker-execution"


class Endpoints:
    """Makes endpoints whose state is whatever the test says."""

    def __init__(self, local: Any) -> None:
        self._url = local.url
        self.sagemaker = local.client("sagemaker")
        self._s3 = local.client("s3")
        self.config = f"c{uuid.uuid4().hex[:8]}"
        self.made: list[str] = []
        self._make_config()

    def _make_config(self) -> None:
        """A configuration whose model's archive is gone: its endpoints fail before a process starts."""
        self._s3.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self._s3.put_object(Bucket=_BUCKET, Key=f"{self.config}.tar.gz", Body=b"nothing")
        self.sagemaker.create_model(
            ModelName=self.config,
            ExecutionRoleArn=_ROLE,
            PrimaryContainer={
                "Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/tiny:1",
                "ModelDataUrl": f"s3://{_BUCKET}/{self.config}.tar.gz",
            },
        )
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=self.config,
            ProductionVariants=[
                {
                    "VariantName": "only",
                    "ModelName": self.config,
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                }
            ],
        )
        self._s3.delete_object(Bucket=_BUCKET, Key=f"{self.config}.tar.gz")
        self._s3.delete_bucket(Bucket=_BUCKET)

    def make(self, count: int, status: str = "Creating") -> list[str]:
        """As many endpoints, all in this state."""
        names = [f"{self.config}-{number}" for number in range(count)]
        for name in names:
            self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=self.config)
        self.made += names
        for name in names:
            self._fails(name)
            self.put(name, status)
        return names

    def put(self, name: str, status: str) -> None:
        """Set an endpoint's state."""
        answer = httpx.post(f"{self._url}/_local/endpoints/{name}/status", json={"status": status})
        assert answer.status_code == httpx.codes.OK, answer.text

    def delete_all(self) -> None:
        """Delete what was made."""
        for name in self.made:
            self.put(name, "Failed")
            self.sagemaker.delete_endpoint(EndpointName=name)
        self.sagemaker.close()
        self._s3.close()

    def _fails(self, name: str) -> None:
        while self.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Creating":
            pass


@pytest.fixture
def endpoints(local_sagemaker: Any) -> Iterator[Endpoints]:
    made = Endpoints(local_sagemaker)
    yield made
    made.delete_all()


@pytest.fixture
async def wire(local_sagemaker: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    """A wire behind the connection named by `conn_id`."""
    async with Wire(local_sagemaker.url) as made:
        connection = {
            "conn_type": "aws",
            "login": "local",
            "password": "local",
            "extra": {"endpoint_url": made.url, "region_name": REGION},
        }
        monkeypatch.setenv(f"AIRFLOW_CONN_{made.conn_id.upper()}", json.dumps(connection))
        yield made

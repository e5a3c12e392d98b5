"""Short ways to put models behind a server."""

import contextlib
import json
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.local_sagemaker.server_process import REGION, Server, archive, until

MODELS = Path(__file__).parent / "models"


class World:
    """A server's SageMaker, with names of the test's own."""

    BUCKET = "models"

    def __init__(self, server: Server) -> None:
        self.server = server
        self.begun: list[str] = []
        self.sagemaker = server.client("sagemaker")
        self.unchecked = server.client("sagemaker", parameter_validation=False)
        self.runtime = server.client("sagemaker-runtime")
        self.s3 = server.client("s3")
        self.role = server.ready["execution_role_arn"]
        if self.BUCKET not in [bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]]:
            self.s3.create_bucket(
                Bucket=self.BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
            )

    def name(self, prefix: str = "Test") -> str:
        return f"{prefix}-{uuid.uuid4().hex[:12]}"

    def arn(self, kind: str, name: str) -> str:
        account = self.server.ready["account"]
        return f"arn:aws:sagemaker:{REGION}:{account}:{kind}/{name.lower()}"

    def upload(self, body: bytes) -> str:
        key = f"{self.name('artifact')}/model.tar.gz"
        self.s3.put_object(Bucket=self.BUCKET, Key=key, Body=body)
        return f"s3://{self.BUCKET}/{key}"

    def container(self, kind: str, environment: dict[str, str] | None = None) -> dict[str, Any]:
        return {
            "Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/python:1",
            "ModelDataUrl": self.upload(
                archive((MODELS / f"{kind}.py").read_text(), **{"weights.txt": "the weights"})
            ),
            "Environment": environment or {},
        }

    def model(self, kind: str = "echo", **environment: str) -> str:
        name = self.name("Model")
        self.sagemaker.create_model(
            ModelName=name, ExecutionRoleArn=self.role, PrimaryContainer=self.container(kind, environment)
        )
        return name

    def variant(self, model: str, name: str = "main", *, weight: float = 1, count: int = 1) -> dict[str, Any]:
        return {
            "VariantName": name,
            "ModelName": model,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": count,
            "InitialVariantWeight": weight,
        }

    def config(self, *variants: dict[str, Any], **members: Any) -> str:
        name = self.name("Config")
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=list(variants), **members
        )
        return name

    def release(self, kind: str = "echo", **environment: str) -> str:
        """A configuration with one variant of one new model."""
        return self.config(self.variant(self.model(kind, **environment)))

    def begin(self, config: str) -> str:
        name = self.name("Endpoint")
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        self.begun.append(name)
        return name

    def delete(self, names: Sequence[str]) -> None:
        """Take down those of the endpoints that are still there: each holds a process."""
        for name in names:
            with contextlib.suppress(self.sagemaker.exceptions.ClientError):
                self.sagemaker.delete_endpoint(EndpointName=name)

    def endpoint(self, config: str | None = None) -> str:
        """An endpoint that is in service."""
        name = self.begin(config or self.release())
        assert self.settled(name)["EndpointStatus"] == "InService"
        return name

    def describe(self, name: str) -> dict[str, Any]:
        return self.sagemaker.describe_endpoint(EndpointName=name)

    def settled(self, name: str) -> dict[str, Any]:
        """The description, once no change is under way."""
        moving = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")

        def look() -> dict[str, Any] | None:
            found = self.describe(name)
            return None if found["EndpointStatus"] in moving else found

        return until(look, f"{name} settles")

    def total(self, name: str, variant: str, metric: str) -> float:
        """The sum of a metric of a variant, since it began."""
        named = {"EndpointName": name, "VariantName": variant}
        points = self.server.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[{"Name": key, "Value": value} for key, value in named.items()],
            StartTime=time.time() - 3600,
            EndTime=time.time() + 3600,
            Period=7200,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    def invoke(self, name: str, body: str = "hello", **members: Any) -> Any:
        members.setdefault("ContentType", "text/csv")
        return self.runtime.invoke_endpoint(EndpointName=name, Body=body.encode(), **members)

    def answer(self, name: str, body: str = "hello", **members: Any) -> Any:
        return json.loads(self.invoke(name, body, **members)["Body"].read())

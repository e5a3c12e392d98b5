"""Endpoints in a local SageMaker that are waited for."""

from typing import Any

import httpx

from local_stack.sagemaker import make_client


class Endpoints:
    """Endpoints whose instances never come up, which would otherwise be measured too."""

    def __init__(self, url: str, role_arn: str) -> None:
        self._url = url
        self._sagemaker = make_client(url, "sagemaker")
        self._fresh: list[str] = []
        s3 = make_client(url, "s3")
        s3.create_bucket(Bucket="bench", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket="bench", Key="model.tar.gz", Body=b"never loaded")
        self._sagemaker.create_model(
            ModelName="bench",
            ExecutionRoleArn=role_arn,
            PrimaryContainer={
                "Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sklearn:1",
                "ModelDataUrl": "s3://bench/model.tar.gz",
            },
        )
        variant = {"VariantName": "main", "ModelName": "bench", "InstanceType": "ml.m5.large"}
        self._sagemaker.create_endpoint_config(
            EndpointConfigName="bench", ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
        )
        self._ask("POST", "faults", {"fault": "stuck_provisioning", "name": "bench-*", "id": "no-instances"})
        # A fault that lets so many matches pass only counts them.
        self._ask("POST", "faults", {"fault": "reset", "after": 10**9, "id": "calls"})

    def create(self, count: int) -> None:
        self._fresh = [f"bench-{number:04}" for number in range(count)]
        for name in self._fresh:
            self._sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="bench")

    def take(self, count: int) -> list[str]:
        """So many that nobody waits for yet."""
        taken, self._fresh = self._fresh[:count], self._fresh[count:]
        return taken

    def settle(self, name: str, status: str) -> None:
        self._ask("POST", f"endpoints/{name}/status", {"status": status})

    def calls(self) -> int:
        """How many AWS calls the local SageMaker has been asked so far, by anybody."""
        seen: int = self._ask("GET", "faults/calls")["seen"]
        return seen

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = httpx.request(method, f"{self._url}/_local/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

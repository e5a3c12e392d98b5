"""What the suite makes in an account: every resource under one prefix, tagged, and removed at the end."""

import contextlib
import io
import json
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.target import Target

CODE = Path(__file__).parent / "code"
MOVING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
INSTANCE_TYPE = "ml.m5.large"
SERVERLESS = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}


def packed(*names: str) -> bytes:
    """A tar.gz of files of the suite's `code` directory, each under the path given as `path/in/archive`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in names:
            tar.add(CODE / Path(name).name, name)
    return buffer.getvalue()


class Account:
    """Short ways to make things; nothing here but the service's own API."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.prefix = f"Conformance-{uuid.uuid4().hex[:8]}"
        self.tags = [{"Key": "conformance", "Value": self.prefix}]
        self.sagemaker = target.client("sagemaker")
        self.unchecked = target.client("sagemaker", parameter_validation=False)
        self.runtime = target.client("sagemaker-runtime")
        self.s3 = target.client("s3")
        self.endpoints: list[str] = []
        self._removals: list[Callable[[], object]] = []

    def name(self, kind: str) -> str:
        """A name that nothing else has, with capital letters in it."""
        return f"{self.prefix}-{kind}-{uuid.uuid4().hex[:8]}"

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a resource: the name in lower case."""
        return f"arn:aws:sagemaker:{self.target.region}:{self.target.account}:{kind}/{name.lower()}"

    def at_the_end(self, call: Callable[..., object], **members: Any) -> None:
        """Have something removed when the run ends, after all that was made later."""
        self._removals.append(lambda: call(**members))

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait for `condition` to give something true, and return it."""
        deadline = time.monotonic() + self.target.patience
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(self.target.poll)
        raise AssertionError(f"not within {self.target.patience:g} s: {what}")

    def upload(self, name: str, body: bytes) -> str:
        """Put an object under the prefix; returns its S3 URI."""
        self.s3.put_object(Bucket=self.target.bucket, Key=f"{self.prefix}/{name}", Body=body)
        return self.uri(name)

    def uri(self, name: str) -> str:
        """Where an object of that name lies, or would."""
        return f"s3://{self.target.bucket}/{self.prefix}/{name}"

    @cached_property
    def model_data(self) -> str:
        """The suite's model, uploaded once."""
        return self.upload("model.tar.gz", packed("code/inference.py"))

    def container(self, **environment: str) -> dict[str, Any]:
        """The suite's model in SageMaker's scikit-learn image."""
        return {
            "Image": self.target.image,
            "ModelDataUrl": self.model_data,
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                # The server inside must not give up on a request before the service does.
                "SAGEMAKER_MODEL_SERVER_TIMEOUT": "300",
                **environment,
            },
        }

    def model(self, **environment: str) -> str:
        """A model of its own."""
        name = self.name("Model")
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=self.target.role_arn,
            PrimaryContainer=self.container(**environment),
            Tags=self.tags,
        )
        self.at_the_end(self.sagemaker.delete_model, ModelName=name)
        return name

    def variant(self, model: str, name: str = "main", *, weight: float = 1, count: int = 1) -> dict[str, Any]:
        """A production variant on instances."""
        return {
            "VariantName": name,
            "ModelName": model,
            "InstanceType": INSTANCE_TYPE,
            "InitialInstanceCount": count,
            "InitialVariantWeight": weight,
            # A model that cannot load must not take the default's eight minutes to fail.
            "ContainerStartupHealthCheckTimeoutInSeconds": 60,
        }

    def serverless(self, model: str) -> dict[str, Any]:
        """A serverless production variant that takes one request at a time."""
        return {"VariantName": "main", "ModelName": model, "ServerlessConfig": SERVERLESS}

    def config(self, *variants: dict[str, Any], **members: Any) -> str:
        """An endpoint configuration."""
        name = self.name("Config")
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=list(variants), Tags=self.tags, **members
        )
        self.at_the_end(self.sagemaker.delete_endpoint_config, EndpointConfigName=name)
        return name

    def release(self, **environment: str) -> str:
        """A configuration of one variant of a model of its own."""
        return self.config(self.variant(self.model(**environment)))

    def begin(self, config: str) -> str:
        """An endpoint that is being created."""
        name = self.name("Endpoint")
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, Tags=self.tags)
        self.endpoints.append(name)
        return name

    def endpoint(self, config: str | None = None) -> str:
        """An endpoint that is in service."""
        name = self.begin(config or self.release())
        settled = self.settled(name)
        assert settled["EndpointStatus"] == "InService", settled.get("FailureReason")
        return name

    def describe(self, name: str) -> dict[str, Any]:
        """DescribeEndpoint."""
        return self.sagemaker.describe_endpoint(EndpointName=name)

    def watched(
        self, describe: Callable[[], dict[str, Any]], member: str, moving: tuple[str, ...]
    ) -> tuple[list[str], dict[str, Any]]:
        """The states that `member` shows until it is none of `moving`, and the last description."""
        seen: list[str] = []

        def settled() -> dict[str, Any] | None:
            found = describe()
            if [found[member]] != seen[-1:]:
                seen.append(found[member])
            return None if found[member] in moving else found

        return seen, self.until(settled, f"{member} is none of {', '.join(moving)}")

    def history(self, name: str) -> tuple[list[str], dict[str, Any]]:
        """The states an endpoint passes until it settles, and what is then described."""
        return self.watched(lambda: self.describe(name), "EndpointStatus", MOVING)

    def settled(self, name: str) -> dict[str, Any]:
        """The description, once no change is under way."""
        return self.history(name)[1]

    def updated(self, name: str, config: str, **members: Any) -> tuple[list[str], dict[str, Any]]:
        """Update an endpoint; the states it passes, and what is described in the end."""
        self.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, **members)
        return self.history(name)

    def gone(self, name: str) -> list[str]:
        """Wait until an endpoint is no more; the states it passes."""
        seen: list[str] = []

        def is_gone() -> bool:
            try:
                status = self.describe(name)["EndpointStatus"]
            except ClientError as error:
                return "Could not find" in str(error)
            if [status] != seen[-1:]:
                seen.append(status)
            return False

        self.until(is_gone, f"{name} is gone")
        return seen

    def invoke(self, name: str, body: str = "1,2", **members: Any) -> dict[str, Any]:
        """InvokeEndpoint, in CSV and out JSON."""
        members = {"ContentType": "text/csv", "Accept": "application/json", **members}
        return self.runtime.invoke_endpoint(EndpointName=name, Body=body.encode(), **members)

    def answer(self, name: str, body: str = "1,2", **members: Any) -> dict[str, Any]:
        """What the model says."""
        return json.load(self.invoke(name, body, **members)["Body"])

    @contextlib.contextmanager
    def only_for_now(self) -> Iterator[None]:
        """Delete the endpoints that are begun inside: each costs money, or a process."""
        before = len(self.endpoints)
        yield
        for name in self.endpoints[before:]:
            self._delete_endpoint(name)
        del self.endpoints[before:]

    def remove_everything(self) -> None:
        """Delete what the run has made, what was made last first."""
        for name in self.endpoints:
            self._delete_endpoint(name)
        for remove in reversed(self._removals):
            with contextlib.suppress(ClientError):
                remove()
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.target.bucket, Prefix=f"{self.prefix}/"
        )
        for page in pages:
            for found in page.get("Contents", []):
                self.s3.delete_object(Bucket=self.target.bucket, Key=found["Key"])

    def _delete_endpoint(self, name: str) -> None:
        with contextlib.suppress(ClientError):
            self.settled(name)
            self.sagemaker.delete_endpoint(EndpointName=name)


def refusal(call: Callable[..., object], **members: Any) -> tuple[str, str]:
    """Call what is to be refused; the error's code and message."""
    with pytest.raises(ClientError) as caught:
        call(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]

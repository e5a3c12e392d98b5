"""A real server for these tests, and short ways to put models behind it."""

import contextlib
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

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

    def invoke(self, name: str, body: str = "hello", **members: Any) -> Any:
        members.setdefault("ContentType", "text/csv")
        return self.runtime.invoke_endpoint(EndpointName=name, Body=body.encode(), **members)

    def answer(self, name: str, body: str = "hello", **members: Any) -> Any:
        return json.loads(self.invoke(name, body, **members)["Body"].read())


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Start servers, each with a state directory of its own; they end with the session."""
    servers: list[Server] = []

    def start(*options: str) -> Server:
        server = Server(tmp_path_factory.mktemp("server") / "state", *options)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        if server.process is not None and server.process.poll() is None:
            server.end()


@pytest.fixture(scope="session")
def server(start_server: Callable[..., Server]) -> Server:
    return start_server()


@pytest.fixture(scope="session")
def shared_world(server: Server) -> World:
    """For fixtures that several tests share."""
    return World(server)


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """The session's server; the endpoints a test begins go when it ends."""
    before = len(shared_world.begun)
    yield shared_world
    shared_world.delete(shared_world.begun[before:])


@pytest.fixture(scope="session")
def make_world() -> Callable[[Server], World]:
    return World


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Callable[[], Any], str], Any]:
    return until


@pytest.fixture(scope="session")
def make_archive() -> Callable[..., bytes]:
    return archive


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A file whose appearance lets a "gated" model load."""
    return tmp_path / "gate"


@pytest.fixture
def refusal() -> Callable[..., tuple[str, str]]:
    """Call something that is to be refused: the error's code and message."""

    def call(function: Callable[..., Any], *arguments: Any, **members: Any) -> tuple[str, str]:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - each client has error classes of its own
            function(*arguments, **members)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    return call


@pytest.fixture
def no_longer_running() -> Callable[[Sequence[int]], bool]:
    """Whether every one of these processes is gone, or a zombie nobody has reaped yet."""

    def gone(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    return lambda pids: all(gone(pid) for pid in pids)

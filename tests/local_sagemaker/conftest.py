"""A real server for these tests, and short ways to put models behind it."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

REGION = "eu-west-1"
TIME_SCALE = 20
DEADLINE_SECONDS = 60

MODELS = Path(__file__).parent / "models"


def archive(code: str, **files: str) -> bytes:
    """A model.tar.gz with `code` as its inference script."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in {"code/inference.py": code, **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait for `condition` to give something true, and return it."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {DEADLINE_SECONDS} s: {what}")


class Server:
    """`python -m local_sagemaker` on a state directory, started and ended as a person would."""

    def __init__(self, state_dir: Path, *options: str) -> None:
        self.state_dir = state_dir
        self._options = options
        self._ready_file = state_dir.with_suffix(".ready")
        self._output = state_dir.with_suffix(".out")
        self.process: subprocess.Popen[bytes] | None = None
        self.ready: dict[str, Any] = {}

    def start(self) -> "Server":
        self._ready_file.unlink(missing_ok=True)
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "local_sagemaker",
                    f"--state-dir={self.state_dir}",
                    f"--ready-file={self._ready_file}",
                    f"--time-scale={TIME_SCALE}",
                    *self._options,
                ],
                stdout=output,
                stderr=output,
                env={**os.environ, "SECRET_OF_THE_SERVER": "must not reach a model"},
            )
        until(lambda: self._ready_file.exists() or self.process.poll() is not None, "the server is ready")
        assert self.process.poll() is None, f"the server ended: {self.output}"
        self.ready = json.loads(self._ready_file.read_text())
        return self

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def url(self) -> str:
        return self.ready["endpoint_url"]

    def client(self, service: str, region: str = REGION, **config: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=50, **config),
        )

    def local(self, path: str, body: Any = None) -> Any:
        """A call of the server's own API under /_local."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/_local{path}", data, timeout=10) as response:  # noqa: S310
            return json.load(response)

    def children(self) -> list[int]:
        """Every process the server has started and not ended."""
        assert self.process is not None
        pid = self.process.pid
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]

    def replicas(self, endpoint: str) -> list[dict[str, Any]]:
        inside = {found["name"]: found for found in self.local("/endpoints")["endpoints"]}
        return [replica for variant in inside[endpoint]["variants"] for replica in variant["replicas"]]

    def replica_pids(self, endpoint: str) -> list[int]:
        return [replica["pid"] for replica in self.replicas(endpoint)]

    def page(self, path: str, host: str | None = None) -> str:
        """What a browser shows; `host` is the Host header, if not the server's own."""
        request = urllib.request.Request(f"{self.url}{path}", headers={"Host": host} if host else {})  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return response.read().decode()


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

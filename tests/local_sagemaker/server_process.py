"""`python -m local_sagemaker` as a process of its own, for every test that wants one."""

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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

REGION = "eu-west-1"
TIME_SCALE = 20
DEADLINE_SECONDS = 60


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


def children_of(pid: int) -> list[int]:
    """Ids of the processes that one has started; threads and processes may end while this looks."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found.extend(int(child) for child in (task / "children").read_text().split())
    return found


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

    def client(
        self,
        service: str,
        region: str = REGION,
        *,
        key: str = "local",
        secret: str = "local",  # noqa: S107 - root's
        token: str | None = None,
        **config: Any,
    ) -> Any:
        """A client that signs with a key, the root user's unless another is given."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
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
        return children_of(self.process.pid)

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

"""A container of an instance: a process of its own that serves a model."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker.faults.instances import ReplicaFaults
from local_sagemaker.hosting.wire import ConnectionLost, Exchange, Wire

_CHILD = Path(__file__).with_name("replica_server.py")
STOP_GRACE_SECONDS = 3
HEALTHY = 200
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH")


class ReplicaError(Exception):
    """The container did not come up; the message says how it ended."""


@dataclass(frozen=True)
class ReplicaSpec:
    """What a container is started from: the archive's file (None: no model data) and the environment."""

    archive: Path | None
    environment: Mapping[str, str]


class Replica:
    """A process that serves the container's contract, from its start to its end.

    `base_dir` is what it sees as /opt/ml; what it writes goes to `log_path`.
    """

    def __init__(
        self, spec: ReplicaSpec, base_dir: Path, log_path: Path, faults: ReplicaFaults | None = None
    ) -> None:
        self.base_dir = base_dir
        self.log_path = log_path
        self.faults = faults
        if faults:
            faults.kill = self.kill
        self._spec = spec
        self._wire = Wire(0)
        self._process: Process | None = None
        self._group: int | None = None

    @property
    def pid(self) -> int | None:
        """The process, once started."""
        return self._process.pid if self._process else None

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self._process is not None and self._process.returncode is not None

    @property
    def replicas(self) -> "list[Replica]":
        """Every process of the container: this one."""
        return [self]

    async def start(self, timeout: float) -> None:
        """Start the process and wait for its first good ping.

        `timeout` is in real seconds. Raises ReplicaError when the process ends, or does not answer
        200 in time; it is gone by then.
        """
        try:
            await self._spawn()
            await self.ping(timeout)
        except BaseException:
            await self.stop()
            raise

    async def _spawn(self) -> None:
        self.base_dir.mkdir(parents=True)
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        # The socket listens before the process runs: the first ping waits in its backlog, and when the
        # process dies, the connection breaks. The port is never free for another to take in between.
        with (
            socket.create_server(("127.0.0.1", 0), backlog=1024) as listener,
            self.log_path.open("ab") as log,
        ):
            self._wire = Wire(listener.getsockname()[1])
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # the model's code must not see this package's directory as the script's own
                str(_CHILD),
                str(listener.fileno()),
                str(self._spec.archive or "-"),
                stdin=PIPE,
                stdout=log,
                stderr=log,
                env=self._environment(),
                pass_fds=[listener.fileno()],
                # Ctrl-C is for the server, which drains before it stops these; and what the model's code
                # starts is of the session's group, and ends with it.
                start_new_session=True,
            )
        self._group = self._process.pid

    def _environment(self) -> dict[str, str]:
        """What a container would see, and no credential or setting of the server's own."""
        inherited = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {
            **inherited,
            "HOME": str(self.base_dir),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **self._spec.environment,
            "SAGEMAKER_BASE_DIR": str(self.base_dir),
        }

    async def ping(self, timeout: float) -> None:
        """GET /ping; raises ReplicaError unless it answers 200 within `timeout` real seconds."""
        try:
            status, _ = await self.get("/ping", timeout, self.faults.of_ping() if self.faults else None)
        except TimeoutError as error:
            raise ReplicaError(f"/ping did not answer within {timeout:g} s") from error
        except ConnectionLost as error:
            raise ReplicaError(f"the process ended before it served /ping; see {self.log_path}") from error
        if status != HEALTHY:
            raise ReplicaError(f"/ping answered {status}")

    async def get(
        self, path: str, timeout: float, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """GET a path of the container's; status and body.

        Raises TimeoutError after `timeout` real seconds, ConnectionLost when the process is gone.
        """
        async with asyncio.timeout(timeout):
            answer = await self._wire.request("GET", path, headers)
            return answer.status, await answer.read()

    async def post(self, headers: Mapping[str, str], body: bytes) -> Exchange:
        """POST /invocations; returns when the head of the answer is there.

        Raises NotConnected when nothing was sent, ConnectionLost when the process went away after that.
        """
        if self.faults and (fault := self.faults.of_request()):
            headers = {**headers, **fault}
        return await self._wire.request("POST", "/invocations", headers, body)

    async def enter(self, target_model: str | None) -> "Replica":
        """A request goes in; the process that has it. It serves one model, whatever the target."""
        del target_model
        return self

    def leave(self, target_model: str | None, replica: "Replica") -> None:
        """The request is answered."""

    def lose(self, target_model: str | None, replica: "Replica") -> None:
        """The process does not answer any more, which is for its instance to see to."""

    async def wait_ended(self) -> None:
        """Return when the process is gone, for whatever reason."""
        if self._process:
            await self._process.wait()

    def kill(self) -> None:
        """End the process as one that is out of memory ends: SIGKILL, with its requests in it."""
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def stop(self) -> None:
        """End the process and remove its files; its log stays."""
        self._wire.close()
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), STOP_GRACE_SECONDS)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        self._end_group()
        await asyncio.to_thread(shutil.rmtree, self.base_dir, ignore_errors=True)

    def _end_group(self) -> None:
        """End what the model's code started, as it would end with its container."""
        group, self._group = self._group, None
        if group is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)

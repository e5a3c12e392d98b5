"""A container of an instance: a process of its own that serves a model."""

import asyncio
import contextlib
import os
import shutil
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from local_sagemaker.faults.instances import ReplicaFaults

_CHILD = Path(__file__).with_name("replica_server.py")
STOP_GRACE_SECONDS = 3
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH")


class ReplicaError(Exception):
    """The container did not come up; the message says how it ended."""


@dataclass(frozen=True)
class ReplicaSpec:
    """What a container is started from: the archive's file (None: no model data) and the environment."""

    archive: Path | None
    environment: Mapping[str, str]


@dataclass
class Replica:
    """A process that serves the container's contract, from its start to its end."""

    base_dir: Path
    log_path: Path
    client: aiohttp.ClientSession
    faults: ReplicaFaults
    _port: int = 0
    _process: Process | None = None

    def __post_init__(self) -> None:
        self.faults.kill = self.kill

    @property
    def url(self) -> str:
        """Where the process serves the container's contract."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process, once started."""
        return self._process.pid if self._process else None

    async def start(self, spec: ReplicaSpec, timeout: float) -> None:
        """Start the process and wait for its first good ping.

        `timeout` is in real seconds. Raises ReplicaError when the process ends, or does not answer
        200 in time; it is gone by then.
        """
        try:
            await self._spawn(spec)
            await self._ping(timeout)
        except BaseException:
            await self.stop()
            raise

    async def _spawn(self, spec: ReplicaSpec) -> None:
        self.base_dir.mkdir(parents=True)
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        # The socket listens before the process runs: the first ping waits in its backlog, and when the
        # process dies, the connection breaks. The port is never free for another to take in between.
        with (
            socket.create_server(("127.0.0.1", 0), backlog=1024) as listener,
            self.log_path.open("ab") as log,
        ):
            self._port = listener.getsockname()[1]
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # the model's code must not see this package's directory as the script's own
                str(_CHILD),
                str(listener.fileno()),
                str(spec.archive or "-"),
                stdin=PIPE,
                stdout=log,
                stderr=log,
                env=self._environment(spec.environment),
                pass_fds=[listener.fileno()],
                start_new_session=True,  # Ctrl-C is for the server, which drains before it stops these
            )

    def _environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """What a container would see, and no credential or setting of the server's own."""
        inherited = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {
            **inherited,
            "HOME": str(self.base_dir),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
            "SAGEMAKER_BASE_DIR": str(self.base_dir),
        }

    async def _ping(self, timeout: float) -> None:
        try:
            limit = aiohttp.ClientTimeout(total=timeout)
            marks = self.faults.of_ping()
            async with self.client.get(f"{self.url}/ping", headers=marks, timeout=limit) as response:
                if response.status != 200:  # noqa: PLR2004 - the contract's "healthy"
                    raise ReplicaError(f"/ping answered {response.status}")
        except TimeoutError as error:
            raise ReplicaError(f"/ping did not answer within {timeout:g} s") from error
        except aiohttp.ClientError as error:
            raise ReplicaError(f"the process ended before it served /ping; see {self.log_path}") from error

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
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), STOP_GRACE_SECONDS)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        await asyncio.to_thread(shutil.rmtree, self.base_dir, ignore_errors=True)

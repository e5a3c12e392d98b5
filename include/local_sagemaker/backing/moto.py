"""The moto server behind the front: its process, and requests to it."""

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from multidict import CIMultiDict
from yarl import URL

# Named, not imported: moto is for the child to load.
_CHILD = Path(__file__).with_name("moto_child.py")
_START_SECONDS = 60
_LONGEST_ANSWER = 1 << 24
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH")


class Moto:
    """A moto server process and a client for it; moto does not check signatures."""

    def __init__(self, client: aiohttp.ClientSession, region: str, log_path: Path) -> None:
        self._client = client
        self._region = region
        self._log_path = log_path
        self._process: Process | None = None
        self._origin = ""
        self._asking = asyncio.Lock()

    async def start(self) -> None:
        """Start the process and wait until it listens."""
        inherited = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        with self._log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                str(_CHILD),
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                # The front has turned every address into path style; "127" is no bucket.
                env={**inherited, "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"},
                start_new_session=True,
                limit=_LONGEST_ANSWER,
            )
        if self._process.stdout is None:
            raise RuntimeError("moto's standard output is not a pipe")
        line = await asyncio.wait_for(self._process.stdout.readline(), _START_SECONDS)
        if not line.strip():
            raise RuntimeError(f"moto_server did not start; see {self._log_path}")
        self._origin = f"http://127.0.0.1:{int(line)}"

    async def ask(self, question: Mapping[str, Any]) -> Any:
        """What moto's own API does not tell: one question by its name, with its argument (moto_child.py)."""
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("moto is not running")
        async with self._asking:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            await self._process.stdin.drain()
            line = await self._process.stdout.readline()
        if not line.strip():
            raise RuntimeError(f"moto_server has ended; see {self._log_path}")
        return json.loads(line)

    async def wait_ended(self) -> None:
        """Return when the process is gone."""
        if self._process:
            await self._process.wait()

    async def stop(self) -> None:
        """End the process: it goes when its standard input closes."""
        if self._process and self._process.stdin:
            self._process.stdin.close()
            try:
                await asyncio.wait_for(self._process.wait(), 2)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    @contextlib.asynccontextmanager
    async def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | AsyncIterator[bytes] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request as it is; `target` is the path and query, already encoded."""
        url = URL(self._origin + target, encoded=True)
        async with self._client.request(
            method, url, headers=CIMultiDict(headers), data=body, allow_redirects=False
        ) as response:
            yield response

    def signed_for(self, service: str, region: str | None = None) -> dict[str, str]:
        """The header by which moto tells which service and region a request is for."""
        scope = f"20000101/{region or self._region}/{service}/aws4_request"
        return {
            "Authorization": f"AWS4-HMAC-SHA256 Credential=local/{scope}, SignedHeaders=host, Signature=local"
        }

    async def query(self, service: str, parameters: Mapping[str, str]) -> None:
        """One call of a query-protocol API; raises RuntimeError with the answer when it is refused."""
        headers = {
            **self.signed_for(service),
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        }
        async with self.request("POST", "/", headers, urlencode(parameters).encode()) as response:
            if not response.ok:
                raise RuntimeError(f"{service} {parameters['Action']} failed: {await response.text()}")

    async def json(self, service: str, target: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One call of a JSON-protocol API, by its X-Amz-Target; raises RuntimeError when it is refused."""
        headers = {
            **self.signed_for(service),
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": target,
        }
        async with self.request("POST", "/", headers, json.dumps(parameters).encode()) as response:
            text = await response.text()
            if not response.ok:
                raise RuntimeError(f"{service} {target} failed: {text}")
        answer: dict[str, Any] = json.loads(text) if text else {}
        return answer

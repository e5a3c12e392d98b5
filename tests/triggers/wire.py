"""A proxy between the poller and the local SageMaker: it counts what passes, and can refuse or hold it."""

import asyncio
import json
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

_TARGET = "X-Amz-Target"
_S3 = {"GET": "GetObject", "PUT": "PutObject"}
_HOP_BY_HOP = frozenset({"connection", "content-encoding", "content-length", "date", "server"}) | {
    "transfer-encoding"
}


def _operation(request: web.Request) -> str:
    """The operation's name: SageMaker says it in a header, S3 by method and query."""
    if (target := request.headers.get(_TARGET)) is not None:
        return target.removeprefix("SageMaker.")
    return "ListObjectsV2" if "list-type" in request.query else _S3[request.method]


def _refusal(request: web.Request, status: int, code: str) -> web.Response:
    """An error of that code, in the service's form."""
    if _TARGET in request.headers:
        content = json.dumps({"__type": code, "message": "Rate exceeded"})
        return web.Response(status=status, text=content, content_type="application/x-amz-json-1.1")
    content = f"<Error><Code>{code}</Code><Message>Reduce your request rate</Message></Error>"
    return web.Response(status=status, text=content, content_type="application/xml")


class Wire:
    """What one connection of Airflow's talks to. An async context manager; lives on the running loop."""

    def __init__(self, upstream: str) -> None:
        self.calls: Counter[str] = Counter()
        self.connections: set[Any] = set()
        self.seen: defaultdict[str, list[str]] = defaultdict(list)
        self.conn_id = f"wire_{uuid.uuid4().hex}"
        self._upstream = upstream
        self._refusals: defaultdict[str, deque[tuple[int, str]]] = defaultdict(deque)
        self._afterwards: defaultdict[str, deque[Callable[[], object]]] = defaultdict(deque)
        self._passed = asyncio.Condition()
        self._open = asyncio.Event()
        self._open.set()

    def refuse(self, operation: str, status: int, code: str, times: int = 1) -> None:
        """Answer the operation's next calls with an error, without asking the service."""
        self._refusals[operation].extend([(status, code)] * times)

    def afterwards(self, operation: str, *do: Callable[[], object]) -> None:
        """After each of the operation's next calls, and before its answer, do the next of these."""
        self._afterwards[operation].extend(do)

    def hold(self) -> None:
        """Let no call through until `release`."""
        self._open.clear()

    def release(self) -> None:
        """Let calls through again."""
        self._open.set()

    async def passed(self, operation: str, times: int) -> None:
        """Wait until the operation has been answered as often as this from now on."""
        async with self._passed:
            goal = self.calls[operation] + times
            await self._passed.wait_for(lambda: self.calls[operation] >= goal)

    async def __aenter__(self) -> Self:
        self._client = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self.release()
        await self._runner.cleanup()
        await self._client.close()

    async def _pass(self, request: web.Request) -> web.Response:
        operation = _operation(request)
        body = await request.read()
        await self._open.wait()
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername"))
        if self._refusals[operation]:
            status, code = self._refusals[operation].popleft()
            answer = _refusal(request, status, code)
        else:
            answer = await self._forward(request, body)
            if _TARGET in request.headers:
                self.seen[operation].append(json.loads(body).get("EndpointName", ""))
        if self._afterwards[operation]:
            await asyncio.to_thread(self._afterwards[operation].popleft())
        async with self._passed:
            self.calls[operation] += 1
            self._passed.notify_all()
        return answer

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        async with self._client.request(
            request.method, f"{self._upstream}{request.path_qs}", data=body, headers=headers
        ) as answer:
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

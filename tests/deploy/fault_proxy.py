"""A proxy that loses the answer of one request after it took effect: what a crash between two calls is."""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import aiohttp
from aiohttp import web

_HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


class FaultProxy:
    """Counts each task's requests since `arm`, and cuts the connection of one of each once it is carried out.

    Whose request it is stands in its User-Agent, where Airflow's AWS hooks name the operator that calls.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self.armed_at = 0
        self._after: dict[str, Callable[[], None]] = {}
        self._seen: Counter[str] = Counter()
        self.cut: list[str] = []
        self.url = ""

    def arm(self, cut_at: int) -> None:
        """Lose the answer of each task's request of this number, counted from 1; 0 loses none."""
        self.armed_at = cut_at
        self._seen.clear()
        self.cut = []

    def after(self, target: str, do: Callable[[], None]) -> None:
        """Do something once, after the next request of that X-Amz-Target and before its answer."""
        self._after[target] = do

    async def handle(self, request: web.Request) -> web.StreamResponse:
        said = request.headers.get("X-Amz-Target") or f"{request.method} {request.path}"
        caller = _CALLER.search(request.headers.get("User-Agent", ""))
        task = caller[1] if caller else "nobody"
        self._seen[task] += 1
        cuts = self._seen[task] == self.armed_at and caller is not None
        body = await request.read()
        kept = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        session: aiohttp.ClientSession = request.app[_SESSION]
        async with session.request(
            request.method, f"{self._upstream}{request.raw_path}", headers=kept, data=body
        ) as answer:
            content = await answer.read()
            if (do := self._after.pop(said, None)) is not None:
                await asyncio.to_thread(do)
            if cuts and request.transport is not None:
                self.cut.append(f"{task}: {said}")
                request.transport.abort()
            headers = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP}
            if request.method == "HEAD" and "Content-Length" in answer.headers:
                headers["Content-Length"] = answer.headers["Content-Length"]
            return web.Response(status=answer.status, body=content, headers=headers)


_CALLER = re.compile(r"Caller/(\w+)")
_SESSION = web.AppKey("session", aiohttp.ClientSession)


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A running proxy on a free loopback port."""
    proxy = FaultProxy(upstream)
    loop = asyncio.new_event_loop()
    started = threading.Event()
    stop = asyncio.Event()

    async def serve() -> None:
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{tail:.*}", proxy.handle)
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            app[_SESSION] = session
            runner = web.AppRunner(app)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            proxy.url = f"http://{host}:{port}"
            started.set()
            await stop.wait()
            await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()

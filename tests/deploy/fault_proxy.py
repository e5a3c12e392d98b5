"""A proxy that loses the answer of one request after it took effect: what a crash between two calls is."""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import aiohttp
import pytest
from aiohttp import web

from tests.deploy.recording import Recording
from tests.deploy.rig import Run

_MOST_ROUNDS = 60
_LOSSES = 15  # of a task in a run
MORE_THAN_LOSSES = _LOSSES + 3  # the retries of such a task, which may try again for reasons of its own
_VARIES = re.compile(r"[0-9a-f]{6,}|\d+")  # names, digests, times and numbers in a path
_LOOKS = re.compile(r"(GET|HEAD) |\w+\.(Describe|List|Get)")
_HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


class FaultProxy:
    """Cuts the connection of chosen requests of tasks once they are carried out.

    Whose request it is stands in its User-Agent, where Airflow's AWS hooks name the operator that calls.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._number = 0
        self._only = ""
        self._each = False
        self._after: dict[str, Callable[[], None]] = {}
        self._calls: dict[str, Counter[str]] = {}
        self._last: dict[str, str] = {}
        self._lost: set[tuple[str, str, int]] = set()
        self._requests = 0
        self.cut: list[str] = []
        self.recording = Recording()
        self.url = ""

    def arm(self, cut_at: int, only: str = "") -> None:
        """Lose the answer of each task's request of this number, counted from 1; 0 loses none.

        only: an operator's name, whose tasks alone are meant.
        """
        self._number, self._only, self._each = cut_at, only, False
        self._begin()

    def arm_each(self) -> None:
        """Lose, of each task, the answer of its next call that was never lost before, try after try.

        A call is known by what it asks for and how often its try has asked for that; looking at the same
        thing again and again is one call. At most _LOSSES of each task, until it is armed again.
        """
        self._number, self._only, self._each = 0, "", True
        self._begin()

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Lose nothing meanwhile."""
        armed, self._number, self._each = (self._number, self._each), 0, False
        try:
            yield
        finally:
            self._number, self._each = armed
            self._begin()

    def _begin(self) -> None:
        self._calls, self._last, self.cut = {}, {}, []

    def _loses(self, task: str, said: str) -> bool:
        if self._number:
            calls = self._calls.setdefault(task, Counter())
            calls[""] += 1
            return calls[""] == self._number and self._only in {"", task}
        if not self._each or len([c for c in self.cut if c.startswith(f"{task}:")]) >= _LOSSES:
            return False
        asked = _VARIES.sub("#", said)
        before, self._last[task] = self._last.get(task), asked
        if asked == before and _LOOKS.match(asked):
            return False
        calls = self._calls.setdefault(task, Counter())
        calls[asked] += 1
        call = (task, asked, calls[asked])
        if call in self._lost:
            return False
        self._lost.add(call)
        del self._calls[task], self._last[task]  # what comes next is another try
        return True

    @property
    def requests(self) -> int:
        """How many requests there were, whoever made them."""
        return self._requests

    def after(self, target: str, do: Callable[[], None]) -> None:
        """Do something once, after the next request of that X-Amz-Target and before its answer."""
        self._after[target] = do

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self._requests += 1
        said = request.headers.get("X-Amz-Target") or f"{request.method} {request.path}"
        caller = _CALLER.search(request.headers.get("User-Agent", ""))
        task = caller[1] if caller else "nobody"
        cuts = caller is not None and self._loses(task, said)
        body = await request.read()
        kept = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        session: aiohttp.ClientSession = request.app[_SESSION]
        sent = session.request(request.method, f"{self._upstream}{request.raw_path}", headers=kept, data=body)
        with self.recording.call(said, request.headers, body):
            async with sent as answer:
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


def rounds(proxy: FaultProxy, run: Callable[[int], Run], check: Callable[[int, str], None]) -> int:
    """Run and check until each call of each task was lost once; returns how many were."""
    cuts = 0
    for number in range(1, _MOST_ROUNDS):
        proxy.arm_each()
        ended = run(number)
        struck, at = proxy.cut, f"after the losses of {proxy.cut}: {ended}"
        proxy.arm(0)
        if not struck:
            return cuts
        check(number, at)
        cuts += len(struck)
    pytest.fail(f"calls that were never lost before are still made in round {_MOST_ROUNDS}")

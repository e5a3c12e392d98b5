"""Faults of calls: decided before a request is dispatched, and done to it or to its answer."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.types import Message, Send

from local_sagemaker.api.calls import ProtocolCall, identify
from local_sagemaker.faults.answers import failed, throttled
from local_sagemaker.faults.connections import Connections, gone
from local_sagemaker.faults.engine import FaultRules, Hit, matches_call
from local_sagemaker.faults.latency import draw
from local_sagemaker.faults.rules import CallRule, Delay, Fail, LostResponse, Reset, Throttle, Timeout

Serve = Callable[[Request, Send], Awaitable[None]]


class CallFaults:
    """Stands between the port and what serves the calls."""

    def __init__(self, rules: FaultRules, connections: Connections) -> None:
        self._rules = rules
        self._connections = connections

    async def serve(self, request: Request, send: Send, serve: Serve) -> None:
        """Serve one request, or make of it what a rule says."""
        if not self._rules.any_of(CallRule):
            await serve(request, send)
            return
        call = await identify(request)
        hit = self._rules.hit(CallRule, matches_call(call.call))
        if hit is None:
            await serve(request, send)
        else:
            await self._spoil(hit, call, request, send, serve)

    async def _spoil(self, hit: Hit, call: ProtocolCall, request: Request, send: Send, serve: Serve) -> None:
        match hit.rule:
            case Throttle():
                await throttled(call)(request.scope, request.receive, send)
            case Fail() as rule:
                await failed(rule, call)(request.scope, request.receive, send)
            case Timeout(hold_seconds=seconds):
                await self._hold(request, seconds)
            case Reset():
                await self._connections.cut(request.scope, request.receive)
            case LostResponse():
                await serve(request, _nowhere)
                await self._connections.cut(request.scope, request.receive)
            case Delay(delay=delay, effect_first=True):
                await serve(request, self._late(send, draw(delay, hit.chance)))
            case Delay(delay=delay):
                await self._connections.pause(draw(delay, hit.chance))
                if self._connections.ending.is_set():  # not carried out before its time
                    await self._connections.cut(request.scope, request.receive)
                else:
                    await serve(request, send)

    async def _hold(self, request: Request, seconds: float | None) -> None:
        leaving = asyncio.create_task(gone(request.receive))
        ending = asyncio.create_task(self._connections.ending.wait())
        try:
            await asyncio.wait({leaving, ending}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.cancel()
            leaving.cancel()
            await asyncio.gather(leaving, ending, return_exceptions=True)
        await self._connections.cut(request.scope, request.receive)

    def _late(self, send: Send, seconds: float) -> Send:
        """Sends as `send` does, but begins only after `seconds`."""

        async def late(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._connections.pause(seconds)
            await send(message)

        return late


async def _nowhere(_message: Message) -> None:
    """An answer that nobody gets."""

"""The open connections, so that one can be cut in the middle of a call."""

import asyncio
import contextlib
import socket
import struct
from typing import Any, cast

from starlette.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Connections:
    """Knows each connection by its client's address and port.

    `ending` is set once the server is to end: what holds a connection open lets go of it then.
    """

    def __init__(self) -> None:
        self.ending = asyncio.Event()
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[asyncio.Protocol]:
        """uvicorn's HTTP protocol, which also enters each connection here."""
        transports = self._transports

        class Noted(HttpToolsProtocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                self.noted = _client(transport)
                transports[self.noted] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(self.noted, None)
                super().connection_lost(exc)

        return Noted

    async def cut(self, scope: Scope, receive: Receive) -> None:
        """Reset the request's connection, as a host that vanishes does: TCP RST, no answer."""
        transport = self._transports.get(cast("tuple[str, int]", tuple(scope["client"])))
        if transport is not None:
            transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE
            )
            transport.abort()
        await gone(receive)

    async def pause(self, seconds: float) -> None:
        """Wait that long, or until the server is to end."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ending.wait(), seconds)


async def gone(receive: Receive) -> None:
    """Return when the client is no longer there."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _client(transport: asyncio.Transport) -> tuple[str, int]:
    address: Any = transport.get_extra_info("peername")
    return str(address[0]), int(address[1])

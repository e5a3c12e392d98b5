"""HTTP/1.1 to a container's process over kept connections: no more than its contract needs.

A general client costs several times as much per request, which is most of what the front adds to an
invocation. It also hides what a retry depends on: whether anything of a request had been sent.
"""

import asyncio
import select
from collections import deque
from collections.abc import AsyncGenerator, Mapping

import httptools

_HIGH_WATER = 1 << 20  # bytes of an answer that wait to be read before the container is held back


class ConnectionLost(Exception):
    """The process went away before its answer was complete; it may have handled the request."""


class NotConnected(ConnectionLost):
    """The process took no connection: nothing of the request was sent."""


class Exchange(asyncio.Protocol):
    """A connection, and the answer that comes over it: `status` and `headers`, then the body.

    One request at a time. The body is read with `read` or `chunks`, to its end; an exchange that is left
    before that is closed.
    """

    def __init__(self, idle: "list[Exchange]") -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.lost = False
        self._idle = idle
        self._poll = select.poll()
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._chunks: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._headed = self._complete = self._keep = False
        self._waiter: asyncio.Future[None] | None = None

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = transport  # type: ignore[assignment] # a stream's, by create_connection
        self._poll = select.poll()
        descriptor = transport.get_extra_info("socket").fileno()
        self._poll.register(descriptor, select.POLLIN | select.POLLRDHUP)

    def data_received(self, data: bytes) -> None:
        """Take in a part of the answer."""
        if self._parser is None:
            self.close()  # nothing was asked: this is no answer to anything
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side is gone."""
        del exc
        self.lost = True
        if self in self._idle:
            self._idle.remove(self)
        self._wake()

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, under its name in lower case."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The body comes next."""
        if self._parser:
            self.status = self._parser.get_status_code()
        self._headed = True

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body until it is read."""
        self._chunks.append(body)
        self._waiting_bytes += len(body)
        if self._waiting_bytes > _HIGH_WATER and self._transport:
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """The answer is whole; only now does the parser know whether another may follow."""
        self._keep = self._parser is not None and self._parser.should_keep_alive()
        self._complete = True

    # What callers use.

    @property
    def usable(self) -> bool:
        """Whether a request can be sent; nothing may have come over an idle connection, its end least of
        all, be it that the event loop has not got to it yet."""
        return not self.lost and not self._poll.poll(0)

    async def send(self, head: bytes, body: bytes) -> None:
        """Send a request and wait for the head of its answer."""
        self.status, self.headers = 0, {}
        self._headed = self._complete = False
        self._parser = httptools.HttpResponseParser(self)
        if self._transport is None or self.lost:
            raise NotConnected
        self._transport.write(head + body if len(body) < _HIGH_WATER else head)
        if len(body) >= _HIGH_WATER:
            self._transport.write(body)
        try:
            while not self._headed:
                await self._more()
        except BaseException:
            self.close()
            raise

    async def read(self) -> bytes:
        """The whole body; raises ConnectionLost when it breaks off."""
        try:
            while not self._complete:
                self._resume()
                await self._more()
        except BaseException:
            self.close()
            raise
        body = b"".join(self._chunks)
        self._chunks.clear()
        self._waiting_bytes = 0
        self._release()
        return body

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The body as it comes; raises ConnectionLost when it breaks off."""
        try:
            while True:
                while self._chunks:
                    chunk = self._chunks.popleft()
                    self._waiting_bytes -= len(chunk)
                    yield chunk
                if self._complete:
                    break
                self._resume()
                await self._more()
            self._release()
        finally:
            if not self._complete:
                self.close()

    def give_up(self) -> None:
        """Break the connection off unless its answer was read to the end."""
        if not self._complete:
            self.close()

    def close(self) -> None:
        """Break the connection off."""
        if self._transport:
            self._transport.abort()

    def _resume(self) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.resume_reading()

    def _release(self) -> None:
        self._parser = None
        if self._keep and not self.lost:
            self._idle.append(self)
        else:
            self.close()

    async def _more(self) -> None:
        if self.lost:
            raise ConnectionLost
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)


class Wire:
    """Connections to one process on a loopback port."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[Exchange] = []

    async def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Exchange:
        """Send a request; returns when the head of its answer is there.

        Raises NotConnected when nothing was sent, ConnectionLost when the process went away after that.
        """
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items()) if headers else ""
        head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n{fields}\r\n"
        exchange = self._kept() or await self._connect()
        await exchange.send(head.encode("latin-1"), body)
        return exchange

    def _kept(self) -> Exchange | None:
        while self._idle:
            exchange = self._idle.pop()
            if exchange.usable:
                return exchange
            exchange.close()
        return None

    async def _connect(self) -> Exchange:
        try:
            _, exchange = await asyncio.get_running_loop().create_connection(
                lambda: Exchange(self._idle), "127.0.0.1", self._port
            )
        except OSError as error:
            raise NotConnected from error
        return exchange

    def close(self) -> None:
        """Break off the connections that are not in use."""
        for exchange in list(self._idle):
            exchange.close()

"""A load generator: the same POST over and over on some connections, as fast as answers come.

A process of its own (`python -m benchmarks.load URL PATH BODY_FILE CONNECTIONS SECONDS`), so that it takes
no time from what it measures. It writes one JSON object: requests/s, and the latency's p50 and p99 in ms.
It is raw on purpose: a client library costs more per request than the servers measured here.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, cast

import httptools
import numpy as np
import uvloop


class Connection(asyncio.Protocol):
    """One connection with one request in flight."""

    def __init__(self, request: bytes, ends: float, latencies: list[float], done: asyncio.Event) -> None:
        self._request = request
        self._ends = ends
        self._latencies = latencies
        self._done = done
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() != 200:  # noqa: PLR2004 - HTTP's OK
            raise RuntimeError(f"answered {self._parser.get_status_code()}")
        now = time.perf_counter()
        self._latencies.append(now - self._sent)
        if now < self._ends:
            # A parser of its own for each answer: it must not be fed from within its own callback.
            self._parser = httptools.HttpResponseParser(self)
            self._send()
        else:
            self._transport.close()
            self._done.set()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.is_set():
            print(f"the connection was lost: {exc}", file=sys.stderr)
            sys.exit(1)

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)


async def measure(port: int, request: bytes, connections: int, seconds: float) -> dict[str, float]:
    """Requests/s and latencies in ms over `seconds` of load."""
    latencies: list[float] = []
    began = time.perf_counter()
    ends = began + seconds
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_give_up)
    events = [asyncio.Event() for _ in range(connections)]
    for done in events:
        await loop.create_connection(
            lambda d=done: Connection(request, ends, latencies, d), "127.0.0.1", port
        )
    for done in events:
        await done.wait()
    elapsed = time.perf_counter() - began
    p50, p99 = np.percentile(latencies, [50, 99]) * 1000
    return {"requests_per_second": len(latencies) / elapsed, "p50_ms": p50, "p99_ms": p99}


def _give_up(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A fault in a callback would otherwise leave the load waiting for ever."""
    print(f"the load failed: {context.get('exception') or context['message']!r}", file=sys.stderr)
    os._exit(1)


def main() -> None:
    """Measure what the arguments say."""
    port, path, body_file, connections, seconds = sys.argv[1:]
    body = Path(body_file).read_bytes()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(measure(int(port), head.encode() + body, int(connections), float(seconds)))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

"""The inside of one instance: unpack the model, load it, and serve /ping and /invocations.

Runs as a program of its own, with nothing of this package imported, in an environment that holds only
what a container would see. Arguments: the listening socket's file descriptor, the archive (or "-").
SAGEMAKER_BASE_DIR stands for /opt/ml. It ends when its standard input does: a server that was killed
leaves no instance behind.
"""

import asyncio
import functools
import importlib.util
import os
import signal
import socket
import sys
import tarfile
import threading
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_END = object()
FAULT = "X-Local-Sagemaker-Fault"


def main() -> None:
    """Serve until told to stop; a model that cannot be unpacked or loaded ends the program with its error."""
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    listener = socket.socket(fileno=int(sys.argv[1]))
    base = Path(os.environ["SAGEMAKER_BASE_DIR"])
    model_dir = base / "model"
    unpack(sys.argv[2], model_dir)
    os.chdir(base)
    sys.path.insert(0, str(model_dir / "code"))
    service = ModelService(model_dir)
    print(f"Model loaded from {model_dir}", flush=True)

    # Not before the model: one that cannot load should say so at once.
    import uvicorn  # noqa: PLC0415
    import uvloop  # noqa: PLC0415

    config = uvicorn.Config(
        service,
        lifespan="off",
        log_level="warning",
        access_log=False,
        # The front keeps its connections: closing an idle one under it would lose a request.
        timeout_keep_alive=24 * 3600,
        timeout_graceful_shutdown=1,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve(sockets=[listener]))


def _end_with_parent() -> None:
    # The descriptor, not sys.stdin: a thread that holds its buffer would make a normal end a fatal error.
    while os.read(0, 1024):
        pass
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # with all that the model's code has started
    os._exit(0)


def unpack(archive: str, model_dir: Path) -> None:
    """Extract model.tar.gz the safe way: no absolute path, parent path, device or outside link."""
    model_dir.mkdir(parents=True, exist_ok=True)
    if archive == "-":
        return
    with tarfile.open(archive, "r:gz") as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(model_dir, filter="data")
            return
        for member in tar:  # Python before 3.11.4, which Debian 12 ships, knows no filters
            inside = (model_dir / member.name).resolve().is_relative_to(model_dir.resolve())
            if not inside or not (member.isreg() or member.isdir()):
                raise ValueError(f"{member.name}: only files and directories inside the archive are unpacked")
            tar.extract(member, model_dir)


class ModelService:
    """The ASGI application over the workers: SAGEMAKER_MODEL_SERVER_WORKERS of them, one by default."""

    def __init__(self, model_dir: Path) -> None:
        count = int(os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS", "1"))
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._free: SimpleQueue[Any] = SimpleQueue()
        for _ in range(count):
            self._free.put(_beside("replica_worker").Worker(model_dir))

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """GET /ping, POST /invocations."""
        route = (scope["method"], scope["path"])
        if route == ("GET", "/ping"):
            if (fault := dict(scope["headers"]).get(FAULT.lower().encode())) and _beside(
                "replica_faults"
            ).hangs(fault):
                await asyncio.Event().wait()
            await _respond(send, 200, {}, b"")
        elif route == ("POST", "/invocations"):
            body = await _body(receive)
            headers = {
                name.decode("latin-1").title(): value.decode("latin-1") for name, value in scope["headers"]
            }
            loop = asyncio.get_running_loop()
            stream = Stream(send, receive, loop)
            answer = await loop.run_in_executor(self._threads, self._handle, headers, body, stream)
            if answer:
                await _respond(send, *answer)
        else:
            await _respond(send, 404, {}, b"the container serves GET /ping and POST /invocations")

    def _handle(
        self, headers: dict[str, str], body: bytes, stream: "Stream"
    ) -> tuple[int, dict[str, str], bytes] | None:
        """The answer, or None when it has been streamed; the worker is taken until its last part is sent."""
        worker = self._free.get()
        try:
            fault = headers.pop(FAULT, None)
            told: tuple[int, dict[str, str], bytes] | None = (
                _beside("replica_faults").suffer(fault) if fault else None
            )
            if told:
                return told
            status, fields, answer = worker.handle(headers, body)
            if isinstance(answer, Iterator | AsyncIterator):
                stream.run(status, fields, _parts(answer))
                return None
            return status, fields, _to_bytes(answer)
        finally:
            self._free.put(worker)


class Stream:
    """An answer sent part by part from a worker's thread, no faster than the other side takes it."""

    def __init__(self, send: Send, receive: Receive, loop: asyncio.AbstractEventLoop) -> None:
        self._send = send
        self._receive = receive
        self._loop = loop

    def run(self, status: int, headers: dict[str, str], parts: Iterator[bytes]) -> None:
        """Send everything; stops when the other side has gone.

        What the model's code raises by now breaks the connection off: there is no other way to say that
        the answer is not whole.
        """
        gone = asyncio.run_coroutine_threadsafe(self._disconnected(), self._loop)
        try:
            self._out({"type": "http.response.start", "status": status, "headers": _fields(headers)})
            for part in parts:
                if gone.done():
                    return
                self._out({"type": "http.response.body", "body": part, "more_body": True})
            self._out({"type": "http.response.body", "body": b""})
        except Exception:
            traceback.print_exc()
            raise
        finally:
            gone.cancel()

    def _out(self, message: Message) -> None:
        asyncio.run_coroutine_threadsafe(self._sent(message), self._loop).result()

    async def _sent(self, message: Message) -> None:
        await self._send(message)

    async def _disconnected(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


@functools.cache
def _beside(name: str) -> Any:
    """A file beside this one as a module: the model's code must not see this directory, so nor does an
    import statement here."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _parts(answer: Any) -> Iterator[bytes]:
    """The parts of a streamed answer, whether the model's code yields them or awaits them."""
    if isinstance(answer, Iterator):
        yield from map(_to_bytes, answer)
        return
    with asyncio.Runner() as runner:
        while (part := runner.run(_next(answer))) is not _END:
            yield _to_bytes(part)


async def _next(answer: AsyncIterator[Any]) -> Any:
    return await anext(answer, _END)


def _to_bytes(answer: Any) -> bytes:
    if isinstance(answer, bytes | bytearray | memoryview):
        return bytes(answer)
    return str(answer).encode()


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _respond(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    fields = [*_fields(headers), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def _fields(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


if __name__ == "__main__":
    main()

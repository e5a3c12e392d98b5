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


class Context:
    """The handler's view of the request at hand, as multi-model-server's `context` gives it.

    A worker has one for life, as there: handlers that take a context get this one every time.
    """

    def __init__(self, model_dir: Path) -> None:
        self.system_properties = {"model_dir": str(model_dir), "gpu_id": None}
        self.manifest: dict[str, Any] = {}
        self.request_processor = [self]
        self.begin({})

    def begin(self, headers: dict[str, str]) -> None:
        """A new request, by its headers."""
        self._headers = headers
        self.status = 200
        self.response_headers: dict[str, str] = {}

    def get_request_properties(self) -> dict[str, str]:
        """The request's headers, under their usual spelling."""
        return self._headers

    def get_request_header(self, _index: int, key: str) -> str | None:
        """One of the request's headers, in any spelling."""
        return next((value for name, value in self._headers.items() if name.lower() == key.lower()), None)

    def set_response_status(self, code: int = 200, phrase: str = "", _index: int = 0) -> None:
        """Set by the transformer, for an error; the phrase has no use in HTTP/1.1."""
        del phrase
        self.status = code

    def set_response_content_type(self, _index: int, value: str) -> None:
        """Set by the transformer, from what output_fn returned."""
        self.set_response_header(0, "content-type", value)

    def set_response_header(self, _index: int, key: str, value: str) -> None:
        """Set by the model's own code."""
        self.response_headers[key.lower()] = value


class Worker:
    """One copy of the model, which handles one request at a time."""

    def __init__(self, model_dir: Path) -> None:
        _defer("sagemaker_inference.decoder", "sagemaker_inference.encoder")
        from sagemaker_inference.transformer import Transformer  # noqa: PLC0415 - needs the unpacked code

        self._context = Context(model_dir)
        self._transformer = Transformer(_default_handler())
        self._transformer.validate_and_initialize(str(model_dir), self._context)
        _load_defaults()

    def handle(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body of the answer; an iterator is a body that is to be streamed."""
        context = self._context
        context.begin(headers)
        answer = self._transformer.transform([{"body": body}], context)[0]
        if context.status >= 400:  # noqa: PLR2004 - HTTP's own line between answer and error
            print(answer, flush=True)
        return context.status, context.response_headers, answer


class ModelService:
    """The ASGI application over the workers: SAGEMAKER_MODEL_SERVER_WORKERS of them, one by default."""

    def __init__(self, model_dir: Path) -> None:
        count = int(os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS", "1"))
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._free: SimpleQueue[Worker] = SimpleQueue()
        for _ in range(count):
            self._free.put(Worker(model_dir))

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """GET /ping, POST /invocations."""
        route = (scope["method"], scope["path"])
        if route == ("GET", "/ping"):
            if (fault := dict(scope["headers"]).get(FAULT.lower().encode())) and _faults().hangs(fault):
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
            told: tuple[int, dict[str, str], bytes] | None = _faults().suffer(fault) if fault else None
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
def _faults() -> Any:
    """What the front asks to go wrong here; a file beside this one, read when it is first needed."""
    path = Path(__file__).with_name("replica_faults.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _defer(*names: str) -> None:
    """Let modules load when they are first used: these bring numpy and scipy along, and many a model has
    its own way to read and write."""
    for name in names:
        if name in sys.modules:
            continue
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            raise ImportError(f"cannot load {name}")
        spec.loader = importlib.util.LazyLoader(spec.loader)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)


def _load_defaults() -> None:
    """Load them now if the model's code leaves reading or writing to them: not in the first request's time,
    and not by two workers at once."""
    from sagemaker_inference import decoder, encoder, environment  # noqa: PLC0415

    code = sys.modules.get(environment.Environment().module_name)
    if hasattr(code, "transform_fn"):
        return
    for function, module in (("input_fn", decoder), ("output_fn", encoder)):
        if not hasattr(code, function):
            getattr(module, "content_types")  # noqa: B009 - any attribute; reading one loads the module


def _default_handler() -> Any:
    from sagemaker_inference.default_inference_handler import DefaultInferenceHandler  # noqa: PLC0415

    class FrameworkHandler(DefaultInferenceHandler):  # type: ignore[misc]
        """The toolkit's defaults with the framework images' own `predict_fn`: `model.predict(data)`."""

        def default_predict_fn(self, data: Any, model: Any, context: Any = None) -> Any:
            del context
            return model.predict(data)

    return FrameworkHandler()


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

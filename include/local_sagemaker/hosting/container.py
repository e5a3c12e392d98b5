"""One invocation of an instance, by the container's contract: of one container, or of several in turn."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass, field, replace

from local_sagemaker.hosting.instance import Host, Instance
from local_sagemaker.hosting.multi_model import ModelHost, ModelNotReadyError
from local_sagemaker.hosting.records import PRIMARY
from local_sagemaker.hosting.replica import Replica, ReplicaError
from local_sagemaker.hosting.wire import ConnectionLost, Exchange, NotConnected

TIMED_OUT = 0  # the status that InvokeEndpoint's error names when the container gave none in time
UNAVAILABLE = 503
_LOAD_FAILED = 500

_TIMEOUT_MESSAGE = (
    "Your invocation timed out while waiting for a response from container {}. Review the latency "
    "metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)
_TO_CONTAINER = (
    "content-type",
    "accept",
    "x-amzn-sagemaker-custom-attributes",
    "x-amzn-sagemaker-inference-id",
    "x-amzn-sagemaker-target-model",
    "x-amzn-sagemaker-session-id",
)
_FROM_CONTAINER = (
    "content-type",
    "x-amzn-sagemaker-custom-attributes",
    "x-amzn-sagemaker-new-session-id",
    "x-amzn-sagemaker-closed-session-id",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an invocation, and which container it came from.

    `lost` is set when the instance was gone before it answered, `unsent` when it took nothing of the
    request.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False
    unsent: bool = False
    container: str = PRIMARY

    @property
    def good(self) -> bool:
        """Whether the container answered with success."""
        return _good(self.status)

    @property
    def client_error(self) -> bool:
        """Whether the container blames the request."""
        return 400 <= self.status < 500  # noqa: PLR2004 - HTTP's own lines


NONE_READY = Answer(UNAVAILABLE, lost=True)


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation: the request's headers by their names in lower case, and its body.

    `timeout` is in real seconds, for the whole; `hostname` names the only container to call,
    `target_model` the model of a multi-model container.
    """

    headers: Mapping[str, str]
    body: bytes
    timeout: float
    hostname: str | None = None
    target_model: str | None = None


class Opened:
    """An answer of success whose body is still to come; it has to be read or closed."""

    def __init__(
        self, exchange: Exchange, container: str, host: Host, replica: Replica, model: str | None
    ) -> None:
        self.status = exchange.status
        self.headers = _kept(exchange.headers, _FROM_CONTAINER)
        self.container = container
        self._exchange = exchange
        self._entered: tuple[Host, Replica, str | None] | None = (host, replica, model)

    async def read(self) -> bytes:
        """The whole body; raises ConnectionLost when it breaks off."""
        try:
            return await self._exchange.read()
        finally:
            self.close()

    def chunks(self) -> AsyncGenerator[bytes]:
        """The body as it comes; raises ConnectionLost when it breaks off. To be followed by `close`."""
        return self._exchange.chunks()

    def close(self) -> None:
        """Nothing more is read; what is left of the body is given up."""
        if self._entered:
            host, replica, model = self._entered
            self._entered = None
            host.leave(model, replica)
            self._exchange.give_up()


async def invoke(instance: Instance, call: Call) -> Answer:
    """POST /invocations to one container, or to all of them in turn; raises nothing for what they do.

    In a pipeline each container gets the body and the content type that the one before it answered with
    (hosting guide, Inference pipelines); the first answer that is no success is the pipeline's.

    Raises LookupError for a model that a multi-model container does not have, ModelNotReadyError for
    one that is not loaded in time.
    """
    opened = await open_answer(instance, call)
    if isinstance(opened, Answer):
        return opened
    return await _whole(opened, _deadline(call.timeout))


async def open_answer(instance: Instance, call: Call) -> Answer | Opened:
    """As `invoke`, but the body of the last container's success is still to come."""
    deadline = _deadline(call.timeout)
    names = list(instance.containers) if call.hostname is None else [call.hostname]
    headers = _kept(call.headers, _TO_CONTAINER)
    body = call.body
    for position, name in enumerate(names, start=1):
        step = Call(headers, body, call.timeout, name, call.target_model)
        opened = await _open(instance.containers[name], step, deadline)
        if isinstance(opened, Answer):
            # A request that one container has handled already was sent, whatever the next one did.
            return opened if position == 1 else replace(opened, unsent=False)
        if position == len(names) and _good(opened.status):
            return opened
        answer = await _whole(opened, deadline)
        if not answer.good:
            return answer
        body = answer.body
        headers["content-type"] = answer.headers.get("content-type", "application/octet-stream")
    raise ValueError("an instance has at least one container")


async def _open(host: Host, step: Call, deadline: float) -> Answer | Opened:
    name = step.hostname or PRIMARY
    while True:
        try:
            replica = await _enter(host, step.target_model, deadline)
        except ReplicaError as error:
            return Answer(_LOAD_FAILED, f"Failed to load the model: {error}".encode(), container=name)
        try:
            async with asyncio.timeout_at(deadline):
                exchange = await replica.post(step.headers, step.body)
            return Opened(exchange, name, host, replica, step.target_model)
        except BaseException as error:
            host.leave(step.target_model, replica)
            if isinstance(error, ConnectionLost):
                host.lose(step.target_model, replica)
            if isinstance(error, NotConnected) and isinstance(host, ModelHost):
                continue  # the model's process is gone, the container is not: it loads the model anew
            return _failure(error, name)


async def _enter(host: Host, target_model: str | None, deadline: float) -> Replica:
    if not isinstance(host, ModelHost):
        return await host.enter(target_model)
    try:
        async with asyncio.timeout_at(deadline):
            return await host.enter(target_model)
    except TimeoutError as error:
        raise ModelNotReadyError(f"Model {target_model} is still being loaded. Try again.") from error


async def _whole(opened: Opened, deadline: float) -> Answer:
    try:
        async with asyncio.timeout_at(deadline):
            return Answer(opened.status, await opened.read(), opened.headers, container=opened.container)
    except (TimeoutError, ConnectionLost) as error:
        return _failure(error, opened.container)


def _failure(error: BaseException, name: str) -> Answer:
    if isinstance(error, TimeoutError):
        return Answer(TIMED_OUT, _TIMEOUT_MESSAGE.format(name).encode(), container=name)
    if isinstance(error, ConnectionLost):
        return Answer(UNAVAILABLE, lost=True, unsent=isinstance(error, NotConnected), container=name)
    raise error


def _good(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004 - HTTP's own lines


def _kept(headers: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}


def _deadline(timeout: float) -> float:
    return asyncio.get_running_loop().time() + timeout

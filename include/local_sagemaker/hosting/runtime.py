"""sagemaker-runtime: InvokeEndpoint and its relatives, from the request to the answer."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.api.errors import ServiceError
from local_sagemaker.clock import Clock
from local_sagemaker.hosting.asked import Asked, error_response, headers_of, limited_body, refused, too_long
from local_sagemaker.hosting.async_inference import AsyncInference
from local_sagemaker.hosting.container import TIMED_OUT, Answer, Opened
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.hosting.event_stream import CONTENT_TYPE, payload_parts, stream_error
from local_sagemaker.hosting.invoker import Invoker
from local_sagemaker.hosting.routing import call_of, choose
from local_sagemaker.hosting.traffic import Traffic
from local_sagemaker.hosting.variant_fleet import MINIMUM_INVOCATION_SECONDS, VariantFleet
from local_sagemaker.hosting.wire import ConnectionLost
from local_sagemaker.settings import Settings

# A container has 60 s to answer (InvokeEndpoint's reference), and 8 minutes to stream its answer (hosting
# guide, Real-time inference).
INVOCATION_SECONDS = 60.0
STREAM_SECONDS = 480.0
BROKEN = 500  # counted among the server's errors
INVOKED_VARIANT = "x-Amzn-Invoked-Production-Variant"


class Runtime:
    """Answers invocations from the endpoints' running fleets."""

    def __init__(
        self,
        settings: Settings,
        endpoints: Endpoints,
        clock: Clock,
        invoker: Invoker,
        *,
        queue: AsyncInference,
    ) -> None:
        self._settings = settings
        self._endpoints = endpoints
        self._clock = clock
        self._invoker = invoker
        self._queue = queue
        self._operations = {
            "invocations": self._invoke,
            "invocations-response-stream": self._stream,
            "async-invocations": self._enqueue,
        }

    async def serve(self, request: Request) -> Response:
        """Answer one request under /endpoints/."""
        path: str = request.scope["path"]
        name, _, operation = path.removeprefix("/endpoints/").partition("/")
        asked = Asked(name, headers_of(request), time.perf_counter())
        try:
            serve = self._operations.get(operation)
            if request.method != "POST" or serve is None:
                raise refused(f"{request.method} {path} is not served.")
            body = await limited_body(request)
            if body is None:
                response = too_long()
            else:
                asked.body = body
                response = await serve(asked)
        except ServiceError as error:
            response = error_response(error)
        response.headers["x-amzn-RequestId"] = asked.request_id
        return response

    async def _invoke(self, asked: Asked) -> Response:
        traffic = self.serving(asked.endpoint)
        fleet = choose(asked, traffic)
        _refuse_asynchronous(asked, fleet)
        call = call_of(asked, fleet.variant, self._limit(INVOCATION_SECONDS))
        if shadows := traffic.shadows(fleet):
            self._invoker.mirror(asked, shadows, call)
        answer = await self._invoker.ask(asked, fleet, call)
        invoked = {INVOKED_VARIANT: fleet.variant.name}
        if not answer.good:
            raise self.failure(asked.endpoint, answer, invoked)
        return Response(answer.body, headers={**answer.headers, **invoked})

    async def _enqueue(self, asked: Asked) -> Response:
        return self._queue.accept(asked, choose(asked, self.serving(asked.endpoint)))

    async def _stream(self, asked: Asked) -> Response:
        traffic = self.serving(asked.endpoint)
        fleet = choose(asked, traffic)
        _refuse_asynchronous(asked, fleet)
        if fleet.variant.serverless is not None:
            raise refused(f"Endpoint {asked.endpoint} is serverless, which excludes response streaming.")
        # The container sees the client's wish as an Accept header, whatever operation carried it.
        asked.take_over("accept")
        deadline = asyncio.get_running_loop().time() + self._limit(STREAM_SECONDS)
        call = call_of(asked, fleet.variant, self._limit(INVOCATION_SECONDS))
        if shadows := traffic.shadows(fleet):
            self._invoker.mirror(asked, shadows, call)
        sent = time.perf_counter()
        opened = await self._invoker.open(asked, fleet, call)
        invoked = {INVOKED_VARIANT: fleet.variant.name}
        if isinstance(opened, Answer):
            self._invoker.measure(asked, fleet, opened.status, sent)
            raise self.failure(asked.endpoint, opened, invoked)
        headers = dict(opened.answer.headers)
        headers["X-Amzn-SageMaker-Content-Type"] = headers.pop("content-type", "")
        streamed = _Streamed(opened.answer, deadline)

        def finish() -> None:
            opened.answer.close()
            fleet.release(opened.instance)
            self._invoker.measure(asked, fleet, streamed.status, sent)

        return _EventStream(streamed.events(), finish, headers={**headers, **invoked})

    def serving(self, name: str) -> Traffic:
        """What serves the endpoint of that name; raises the service's error when nothing does."""
        endpoint = self._endpoints.find(name)
        # InvokeEndpoint, unlike the control plane, minds the case of the name (CreateEndpoint's reference).
        traffic = endpoint.serving if endpoint and endpoint.record.name == name else None
        if traffic is None:
            raise refused(f"Endpoint {name} of account {ACCOUNT_ID} not found.")
        return traffic

    def failure(self, name: str, answer: Answer, invoked: dict[str, str]) -> ServiceError:
        """What the caller is told of an answer that is no success."""
        if answer.lost:
            message = "The instance was lost before it answered, or none is ready; another is being started."
            return ServiceError("ServiceUnavailable", message, status=answer.status, headers=invoked)
        region = self._settings.region
        group = f"/aws/sagemaker/Endpoints/{name}"
        console = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        side = "client" if answer.client_error else "server"
        text = answer.body.decode("utf-8", "replace")
        return ServiceError(
            "ModelError",
            f'Received {side} error ({answer.status}) from {answer.container} with message "{text}". '
            f"See {console}#logEventViewer:group={group} in account {ACCOUNT_ID} for more information.",
            status=424,
            headers=invoked,
            OriginalStatusCode=answer.status,
            OriginalMessage=text,
            LogStreamArn=f"arn:aws:logs:{region}:{ACCOUNT_ID}:log-group:{group}",
        )

    def _limit(self, seconds: float) -> float:
        return self._clock.limit(seconds, MINIMUM_INVOCATION_SECONDS)


class _Streamed:
    """A container's answer as events; `status` is what came of it in the end."""

    def __init__(self, answer: Opened, deadline: float) -> None:
        self.status = answer.status
        self._chunks = answer.chunks()
        self._deadline = deadline

    async def events(self) -> AsyncGenerator[bytes]:
        """Parts while they come; what goes wrong by now can only be said as the last event."""
        try:
            while (chunk := await self._next()) is not None:
                yield payload_parts(chunk)
        except TimeoutError:
            self.status = TIMED_OUT
            yield stream_error(
                "ModelStreamError",
                "The model failed to finish sending the response within the timeout period.",
                ErrorCode="ModelInvocationTimeExceeded",
            )
        except ConnectionLost:
            self.status = BROKEN
            yield stream_error(
                "ModelStreamError",
                "The connection to the model was closed before the end of its response.",
                ErrorCode="StreamBroken",
            )

    async def _next(self) -> bytes | None:
        async with asyncio.timeout_at(self._deadline):
            return await anext(self._chunks, None)


class _EventStream(StreamingResponse):
    """A streamed response that says when it is over, also when its client left before it began."""

    def __init__(
        self, events: AsyncGenerator[bytes], finish: Callable[[], None], headers: dict[str, str]
    ) -> None:
        super().__init__(events, headers=headers, media_type=CONTENT_TYPE)
        self._finish = finish

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._finish()


def _refuse_asynchronous(asked: Asked, fleet: VariantFleet) -> None:
    if fleet.async_inference is not None:
        raise refused(
            f"Endpoint {asked.endpoint} is for asynchronous inference: use InvokeEndpointAsync to invoke it."
        )

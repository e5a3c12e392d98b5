"""sagemaker-runtime: InvokeEndpoint, from the request to the container's answer."""

import json
import time
import uuid
from collections.abc import Mapping

import aiohttp
from starlette.requests import Request
from starlette.responses import Response

from local_sagemaker.clock import Clock
from local_sagemaker.endpoints import Endpoints
from local_sagemaker.errors import ServiceError
from local_sagemaker.fleet import INVOCATION_SECONDS, MINIMUM_INVOCATION_SECONDS, VariantFleet
from local_sagemaker.lifecycle import Lifecycle
from local_sagemaker.metrics import Metrics
from local_sagemaker.settings import ACCOUNT_ID, Settings

MAX_BODY = 6 * 1024 * 1024
MAX_SERVERLESS_BODY = 4 * 1024 * 1024
_TIMED_OUT = (
    b"Your invocation timed out while waiting for a response from container primary. Review the latency "
    b"metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)
_TO_CONTAINER = (
    "content-type",
    "accept",
    "x-amzn-sagemaker-custom-attributes",
    "x-amzn-sagemaker-inference-id",
    "x-amzn-sagemaker-target-model",
    "x-amzn-sagemaker-session-id",
)
_FROM_CONTAINER = ("content-type", "x-amzn-sagemaker-custom-attributes", "x-amzn-sagemaker-new-session-id")


class Runtime:
    """Answers invocations from the endpoints' running fleets."""

    def __init__(
        self,
        settings: Settings,
        endpoints: Endpoints,
        client: aiohttp.ClientSession,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._endpoints = endpoints
        self._client = client
        self._clock = clock
        self._metrics = metrics

    async def serve(self, request: Request) -> Response:
        """Answer one request under /endpoints/."""
        request_id = str(uuid.uuid4())
        try:
            response = await self._invoke(request, request_id)
        except ServiceError as error:
            response = _error_response(error)
        response.headers["x-amzn-RequestId"] = request_id
        return response

    async def _invoke(self, request: Request, request_id: str) -> Response:
        began = time.perf_counter()
        name, _, operation = request.url.path.removeprefix("/endpoints/").partition("/")
        if request.method != "POST" or operation != "invocations":
            raise ServiceError("ValidationError", f"{request.method} {request.url.path} is not served.")
        body = await _limited_body(request)
        if body is None:
            # This limit is the load balancer's, which answers in plain text.
            return Response(
                f"HTTP content length exceeded {MAX_BODY} bytes.", status_code=413, media_type="text/plain"
            )
        endpoint = self._serving(name)
        variant = self._variant(endpoint, request.headers.get("x-amzn-sagemaker-target-variant"))
        if variant.variant.serverless and len(body) > MAX_SERVERLESS_BODY:
            raise ServiceError("ValidationError", f"Request {request_id} has oversize body.")
        sent = time.perf_counter()
        status, headers, answer = await self._ask(variant, request.headers, body)
        model_us = (time.perf_counter() - sent) * 1e6
        self._metrics.record(name, variant.variant.name, status, model_us, (sent - began) * 1e6)
        if status >= 400 or status == 0:  # noqa: PLR2004 - HTTP's own line
            raise self._model_error(endpoint, status, answer.decode("utf-8", "replace"))
        return Response(
            answer,
            headers={**headers, "x-Amzn-Invoked-Production-Variant": variant.variant.name},
        )

    def _serving(self, name: str) -> Lifecycle:
        endpoint = self._endpoints.find(name)
        # InvokeEndpoint, unlike the control plane, minds the case of the name (CreateEndpoint's reference).
        if endpoint is None or endpoint.record.name != name or endpoint.serving is None:
            raise ServiceError("ValidationError", f"Endpoint {name} of account {ACCOUNT_ID} not found.")
        return endpoint

    def _variant(self, endpoint: Lifecycle, target: str | None) -> VariantFleet:
        fleet = endpoint.serving
        if fleet is None:
            raise RuntimeError(f"endpoint {endpoint.record.name} serves, but has no fleet")
        if target is not None:
            if target not in fleet.variants:
                raise ServiceError(
                    "ValidationError", f"Variant {target} not found for endpoint {endpoint.record.name}."
                )
            return fleet.variants[target]
        variant = fleet.choose()
        if variant is None:
            raise ServiceError(
                "ValidationError", f"No variant of endpoint {endpoint.record.name} has a weight above 0."
            )
        return variant

    async def _ask(
        self, variant: VariantFleet, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """The container's answer; status 0 when it gave none in time."""
        passed = {name: headers[name] for name in _TO_CONTAINER if name in headers}
        limit = aiohttp.ClientTimeout(total=self._clock.limit(INVOCATION_SECONDS, MINIMUM_INVOCATION_SECONDS))
        replica = variant.pick()
        if replica is None:
            raise ServiceError("ServiceUnavailable", "No instance is ready to serve the request.", status=503)
        replica.enter()
        try:
            async with self._client.post(
                f"{replica.url}/invocations", data=body, headers=passed, timeout=limit
            ) as response:
                answer = await response.read()
                kept = {name: response.headers[name] for name in _FROM_CONTAINER if name in response.headers}
                return response.status, kept, answer
        except TimeoutError:
            return (
                0,
                {},
                (_TIMED_OUT),
            )
        except aiohttp.ClientError as error:
            raise ServiceError(
                "ServiceUnavailable", "The instance was lost while it served the request.", status=503
            ) from error
        finally:
            replica.leave()

    def _model_error(self, endpoint: Lifecycle, status: int, message: str) -> ServiceError:
        region, name = self._settings.region, endpoint.record.name
        group = f"/aws/sagemaker/Endpoints/{name}"
        side = "client" if 400 <= status < 500 else "server"  # noqa: PLR2004 - HTTP's own lines
        logs = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group}"
        return ServiceError(
            "ModelError",
            f'Received {side} error ({status}) from primary with message "{message}". See '
            f"{logs} "
            f"in account {ACCOUNT_ID} for more information.",
            status=424,
            OriginalStatusCode=status,
            OriginalMessage=message,
            LogStreamArn=f"arn:aws:logs:{region}:{ACCOUNT_ID}:log-group:{group}",
        )


async def _limited_body(request: Request) -> bytes | None:
    """The body, or None when it is too long; read to its end either way, or the client could not hear why."""
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_BODY:
            parts.append(chunk)
    return b"".join(parts) if size <= MAX_BODY else None


def _error_response(error: ServiceError) -> Response:
    """restJson1's form: the code in a header, the members in the body."""
    return Response(
        json.dumps({"Message": error.message, **error.members}),
        status_code=error.status,
        media_type="application/json",
        headers={"X-Amzn-Errortype": error.code},
    )

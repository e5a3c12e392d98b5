"""sagemaker-runtime: InvokeEndpoint, from the request to the answer."""

import json
import time
import uuid

import aiohttp
from starlette.requests import Request
from starlette.responses import Response

from local_sagemaker.api.errors import ServiceError
from local_sagemaker.clock import Clock
from local_sagemaker.cloudwatch.endpoint_metrics import EndpointMetrics, Invocation
from local_sagemaker.hosting.container import Answer, Call, invoke
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.hosting.fleet import INVOCATION_SECONDS, MINIMUM_INVOCATION_SECONDS, VariantFleet
from local_sagemaker.hosting.traffic import Traffic
from local_sagemaker.settings import ACCOUNT_ID, Settings

MAX_BODY = 6 * 1024 * 1024
MAX_SERVERLESS_BODY = 4 * 1024 * 1024
INVOKED_VARIANT = "x-Amzn-Invoked-Production-Variant"


class Runtime:
    """Answers invocations from the endpoints' running fleets."""

    def __init__(
        self,
        settings: Settings,
        endpoints: Endpoints,
        client: aiohttp.ClientSession,
        clock: Clock,
        metrics: EndpointMetrics,
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
        variant = _choose(name, self._serving(name), request.headers.get("x-amzn-sagemaker-target-variant"))
        if variant.variant.serverless and len(body) > MAX_SERVERLESS_BODY:
            raise ServiceError("ValidationError", f"Request {request_id} has oversize body.")
        limit = self._clock.limit(INVOCATION_SECONDS, MINIMUM_INVOCATION_SECONDS)
        sent = time.perf_counter()
        answer = await invoke(self._client, variant.pick(), Call(request.headers, body, limit))
        model_us = (time.perf_counter() - sent) * 1e6
        self._metrics.record(
            Invocation(
                endpoint=name,
                variant=variant.variant.name,
                config=variant.config_name,
                instances=len(variant.instances),
                status=answer.status,
                model_us=model_us,
                overhead_us=(sent - began) * 1e6,
            )
        )
        invoked = {INVOKED_VARIANT: variant.variant.name}
        if not answer.good:
            raise self._failure(name, answer, invoked)
        return Response(answer.body, headers={**answer.headers, **invoked})

    def _serving(self, name: str) -> Traffic:
        endpoint = self._endpoints.find(name)
        # InvokeEndpoint, unlike the control plane, minds the case of the name (CreateEndpoint's reference).
        traffic = endpoint.serving if endpoint and endpoint.record.name == name else None
        if traffic is None:
            raise ServiceError("ValidationError", f"Endpoint {name} of account {ACCOUNT_ID} not found.")
        return traffic

    def _failure(self, name: str, answer: Answer, invoked: dict[str, str]) -> ServiceError:
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


def _choose(name: str, traffic: Traffic, target: str | None) -> VariantFleet:
    """The variant asked for, of whatever weight, or one by weight."""
    variant = traffic.choose(target)
    if variant is None:
        found = ", ".join(f"{each.variant.name}: {each.variant.weight:g}" for each in traffic.variants())
        wanted = "one with a weight above 0" if target is None else target
        raise ServiceError(
            "ValidationError",
            f"No variant of endpoint {name} is {wanted}; its variants and weights: {found}.",
        )
    return variant


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
        headers={"X-Amzn-Errortype": error.code, **error.headers},
    )

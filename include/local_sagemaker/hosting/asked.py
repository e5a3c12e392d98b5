"""One request to sagemaker-runtime: read from the wire, and answered to it."""

import json
import uuid
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from local_sagemaker.api.errors import ServiceError

MAX_BODY = 6 * 1024 * 1024
_PREFIX = "x-amzn-sagemaker-"


@dataclass(slots=True)
class Asked:
    """A request to `endpoint`; `headers` go by their names in lower case, `began` is a perf_counter's."""

    endpoint: str
    headers: dict[str, str]
    began: float
    body: bytes = b""
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def option(self, name: str) -> str | None:
        """One of the headers X-Amzn-SageMaker-*, by the rest of its name in lower case."""
        return self.headers.get(_PREFIX + name)

    def take_over(self, *names: str) -> None:
        """Make X-Amzn-SageMaker-<name> the header <name>, which is what the container is to see."""
        for name in names:
            value = self.headers.get(_PREFIX + name)
            if value is None:
                self.headers.pop(name, None)
            else:
                self.headers[name] = value


def headers_of(request: Request) -> dict[str, str]:
    """The request's headers; of one given twice the last counts."""
    raw: list[tuple[bytes, bytes]] = request.scope["headers"]
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}


async def limited_body(request: Request, limit: int = MAX_BODY) -> bytes | None:
    """The body, or None when it is too long; read to its end either way, or the client could not hear why."""
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if chunk and size <= limit:
            parts.append(chunk)
    if size > limit:
        return None
    return parts[0] if len(parts) == 1 else b"".join(parts)


def too_long() -> Response:
    """This limit is the load balancer's, which answers in plain text."""
    message = f"HTTP content length exceeded {MAX_BODY} bytes."
    return Response(message, status_code=413, media_type="text/plain")


def error_response(error: ServiceError) -> Response:
    """restJson1's form: the code in a header, the members in the body."""
    return Response(
        json.dumps({"Message": error.message, **error.members}),
        status_code=error.status,
        media_type="application/json",
        headers={"X-Amzn-Errortype": error.code, **error.headers},
    )


def refused(message: str) -> ServiceError:
    """The runtime's `ValidationError`, which the control plane's ValidationException is not."""
    return ServiceError("ValidationError", message)

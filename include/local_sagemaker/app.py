"""The front: one port, and each request to where it is served."""

from collections.abc import Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from local_sagemaker.api.control import TARGET_PREFIX, ControlPlane
from local_sagemaker.api.protocols import AwsService
from local_sagemaker.api.signature import looks_like_s3, signed_for
from local_sagemaker.api.unread_body import closing_where_unread
from local_sagemaker.backing.journal import Journal
from local_sagemaker.backing.proxy import Proxy, target_of
from local_sagemaker.console.admin import Admin
from local_sagemaker.console.guard import from_a_stranger
from local_sagemaker.events.bus import PUT_EVENTS, Events
from local_sagemaker.faults.parts import Faults
from local_sagemaker.hosting.runtime import Runtime
from local_sagemaker.iam.enforcement import Enforcement
from local_sagemaker.logs.front import FILTER_EVENTS, LogsFront
from local_sagemaker.s3.front import S3Front

_FORBIDDEN = PlainTextResponse(
    "Requests of pages from elsewhere, and under hosts' public names, are not taken.\n", status_code=403
)


class App:
    """The ASGI application; `services` are other APIs served here, by the name requests are signed for."""

    def __init__(
        self,
        control: ControlPlane,
        runtime: Runtime,
        s3: S3Front,
        proxy: Proxy,
        *,
        journal: Journal,
        events: Events,
        logs: LogsFront,
        admin: Admin,
        services: Mapping[str, AwsService],
        faults: Faults,
        enforcement: Enforcement | None,
    ) -> None:
        self._control = control
        self._runtime = runtime
        self._s3 = s3
        self._proxy = proxy
        self._events = events
        self._logs = logs
        self._admin = admin
        self._journal = journal
        self._services = services
        self.faults = faults
        self._enforcement = enforcement

    @property
    def served(self) -> list[str]:
        """The services that are served here and not by moto alone, by boto3's names."""
        return ["sagemaker", "sagemaker-runtime", "s3", *(each.name for each in self._services.values())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        receive, send = closing_where_unread(scope, receive, send)
        request = Request(scope, receive)
        try:
            if _is_own(request):
                await self._admin.serve(scope, receive, send)
            elif from_a_stranger(request):
                await _FORBIDDEN(scope, receive, send)
            else:
                await self.faults.calls.serve(request, send, self._serve)
        except ClientDisconnect:
            return

    async def _serve(self, request: Request, send: Send) -> None:
        response = await self._enforcement.refused(request) if self._enforcement else None
        if response is None:
            response = await self._dispatch(request, send)
        if response is not None:
            await response(request.scope, request.receive, send)

    async def _dispatch(self, request: Request, send: Send) -> Response | None:
        """The response, or None when it has been sent already."""
        region, service = signed_for(request)
        path = request.url.path
        if service in (None, "sagemaker") and path.startswith("/endpoints/"):
            return await self._runtime.serve(request)
        if service is not None and service in self._services:
            return await self._services[service].serve(request, region)
        target = request.headers.get("x-amz-target", "")
        if target == PUT_EVENTS:
            return await self._events.serve_put(request)
        if target == FILTER_EVENTS:
            return await self._logs.filter(request)
        if target.startswith(TARGET_PREFIX):
            body = await request.body()
            if self._control.serves(target, body):
                return await self._control.serve(request, body, region)
            return await self._proxy.fetch(request, target_of(request), body)
        if self._journal.covers(service):
            return await self._journal.serve(request)
        if service == "s3" or (service is None and looks_like_s3(request)):
            await self._s3.serve(request, send)
        else:
            await self._proxy.stream(request, target_of(request), send)
        return None


def _is_own(request: Request) -> bool:
    """Whether it is for the server's own page and calls, which nobody signs."""
    path = request.url.path
    own = path.startswith("/_local/") or (path == "/" and request.method == "GET")
    return own and signed_for(request)[1] is None

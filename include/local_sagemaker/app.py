"""The front: one port, and each request to where it is served."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local_sagemaker.api.control import TARGET_PREFIX, ControlPlane
from local_sagemaker.api.protocols import AwsService
from local_sagemaker.backing.proxy import Proxy, target_of
from local_sagemaker.console.admin import Admin
from local_sagemaker.events.bus import PUT_EVENTS, Events
from local_sagemaker.hosting.runtime import Runtime
from local_sagemaker.s3.front import S3Front

# Credential=<key>/<date>/<region>/<service>/aws4_request, in a header or in a presigned query.
_SCOPE = re.compile(r"[^/\s]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


class App:
    """The ASGI application; `services` are other APIs served here, by the name requests are signed for."""

    def __init__(
        self,
        control: ControlPlane,
        runtime: Runtime,
        s3: S3Front,
        proxy: Proxy,
        *,
        events: Events,
        admin: Admin,
        services: Mapping[str, AwsService],
    ) -> None:
        self._control = control
        self._runtime = runtime
        self._s3 = s3
        self._proxy = proxy
        self._events = events
        self._admin = admin
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            response = await self._dispatch(request, send)
            if response is not None:
                await response(scope, receive, send)
        except ClientDisconnect:
            return

    async def _dispatch(self, request: Request, send: Send) -> Response | None:
        """The response, or None when it has been sent already."""
        region, service = _signed_for(request)
        path = request.url.path
        if service in (None, "sagemaker") and path.startswith("/endpoints/"):
            return await self._runtime.serve(request)
        if service in self._services:
            return await self._services[service].serve(request, region)
        target = request.headers.get("x-amz-target", "")
        if target == PUT_EVENTS:
            return await self._events.serve_put(request)
        if target.startswith(TARGET_PREFIX):
            body = await request.body()
            if self._control.serves(target, body):
                return await self._control.serve(request, body, region)
            return await self._proxy.fetch(request, target_of(request), body)
        if service is None and (path.startswith("/_local/") or (path == "/" and request.method == "GET")):
            await self._admin.serve(request.scope, request.receive, send)
        elif service == "s3" or (service is None and _looks_like_s3(request)):
            await self._s3.serve(request, send)
        else:
            await self._proxy.stream(request, target_of(request), send)
        return None


def _signed_for(request: Request) -> tuple[str | None, str | None]:
    """Region and service the request is signed for; the service is the surest sign of what it is for."""
    signature = request.headers.get("authorization")
    if signature is None:
        query = parse_qs(request.url.query)
        if "AWSAccessKeyId" in query:  # a URL presigned with S3's older signature
            return None, "s3"
        signature = query.get("X-Amz-Credential", [""])[0]
    found = _SCOPE.search(signature)
    return (found["region"], found["service"]) if found else (None, None)


def _looks_like_s3(request: Request) -> bool:
    """An anonymous request is S3's unless it has the marks of another API's."""
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return request.url.path != "/" and "x-amz-target" not in request.headers and not form

"""S3 before moto: every change is on disk before the caller hears of it."""

import html
import re
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Send

from local_sagemaker.backing.proxy import Proxy, target_of
from local_sagemaker.s3.mirror import S3Mirror

# What SDKs make of an endpoint that is a name, not an IP address: bucket.localhost, bucket.s3.<anything>.
_VIRTUAL_HOST = re.compile(r"(?P<bucket>[a-z0-9][a-z0-9.-]*?)\.(s3[.-][^:]*|localhost)(:\d+)?")
_DELETED_KEY = re.compile(rb"<Key>(.*?)</Key>", re.DOTALL)


class S3Front:
    """Takes S3's requests in path or virtual-host style."""

    def __init__(self, proxy: Proxy, mirror: S3Mirror) -> None:
        self._proxy = proxy
        self._mirror = mirror
        self._locks = mirror.locks

    async def serve(self, request: Request, send: Send) -> None:
        """Answer one request."""
        path = path_style(request)
        target = target_of(request, path)
        if request.method in ("GET", "HEAD", "OPTIONS"):
            await self._proxy.stream(request, target, send)
            return
        bucket, _, key = unquote(path.lstrip("/")).partition("/")
        if key:
            response = await self._change_object(request, target, bucket, key)
        else:
            response = await self._change_bucket(request, target, bucket)
        await response(request.scope, request.receive, send)

    async def _change_object(self, request: Request, target: str, bucket: str, key: str) -> Response:
        query = request.query_params
        # Parts of an upload are no object yet; completing it (POST ?uploadId) makes it one.
        if "uploads" in query or ("uploadId" in query and request.method != "POST"):
            return await self._proxy.fetch(request, target)
        async with self._locks.hold(f"{bucket}/{key}"):
            response = await self._proxy.fetch(request, target)
            if _succeeded(response):
                await self._mirror.sync(bucket, key)
            return response

    async def _change_bucket(self, request: Request, target: str, bucket: str) -> Response:
        body = await request.body()
        response = await self._proxy.fetch(request, target, body)
        if not _succeeded(response):
            return response
        query = request.scope["query_string"].decode("latin-1")
        setting = "&".join(name for name, _ in parse_qsl(query, keep_blank_values=True) if name != "x-id")
        if request.method == "POST" and "delete" in request.query_params:
            for key in _DELETED_KEY.findall(body):
                name = html.unescape(key.decode())
                async with self._locks.hold(f"{bucket}/{name}"):
                    await self._mirror.sync(bucket, name)
        elif request.method == "PUT" and setting:
            self._mirror.record_setting(bucket, setting, body)
        elif request.method == "PUT":
            self._mirror.record_bucket(bucket, body, dict(request.headers))
        elif request.method == "DELETE" and setting:
            self._mirror.record_setting(bucket, setting, None)
        elif request.method == "DELETE":
            self._mirror.forget_bucket(bucket)
        return response


def path_style(request: Request) -> str:
    """The path in path style, still encoded."""
    raw: str = request.scope["raw_path"].decode("latin-1")
    virtual = _VIRTUAL_HOST.fullmatch(request.headers.get("host", ""))
    return f"/{virtual['bucket']}{raw}" if virtual else raw


def _succeeded(response: Response) -> bool:
    return response.status_code < 300  # noqa: PLR2004 - HTTP's own line

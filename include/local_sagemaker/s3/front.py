"""S3 before moto: every change is on disk before the caller hears of it."""

import html
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Send

from local_sagemaker.api.addressing import path_style
from local_sagemaker.backing.proxy import Proxy, target_of
from local_sagemaker.s3.errors import S3Refusal
from local_sagemaker.s3.mirror import S3Mirror
from local_sagemaker.s3.ranges import part
from local_sagemaker.s3.upload import Upload, received

_DELETED = re.compile(r"<Object>(.*?)</Object>", re.DOTALL)
_NAMED = re.compile(r"<(Key|VersionId)>(.*?)</\1>", re.DOTALL)


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
            bucket, _, key = unquote(path.lstrip("/")).partition("/")
            found = await part(request, target, (bucket, key), self._proxy, self._mirror)
            if found is None:
                await self._proxy.stream(request, target, send)
            else:
                await found(request.scope, request.receive, send)
            return
        try:
            async with received(request) as upload:
                response = await self._change(request, target, unquote(path.lstrip("/")), upload)
        except S3Refusal as refusal:
            response = refusal.response()
        await response(request.scope, request.receive, send)

    async def _change(self, request: Request, target: str, place: str, upload: Upload) -> Response:
        bucket, _, key = place.partition("/")
        if key:
            return await self._change_object(request, target, place, upload)
        return await self._change_bucket(request, target, bucket, upload)

    async def _change_object(self, request: Request, target: str, place: str, upload: Upload) -> Response:
        bucket, _, key = place.partition("/")
        query = request.query_params
        # Parts of an upload are no object yet; completing it (POST ?uploadId) makes it one.
        if "uploads" in query or ("uploadId" in query and request.method != "POST"):
            return await self._passed_on(request, target, upload)
        async with self._locks.hold(place):
            response = await self._passed_on(request, target, upload)
            if _succeeded(response):
                await self._mirror.sync(bucket, key, query.get("versionId"))
            return response

    async def _passed_on(self, request: Request, target: str, upload: Upload) -> Response:
        content = upload.pieces() if upload.size else b""
        return await self._proxy.fetch(request, target, content, upload.headers)

    async def _change_bucket(self, request: Request, target: str, bucket: str, upload: Upload) -> Response:
        body = upload.read()
        response = await self._proxy.fetch(request, target, body, upload.headers)
        if not _succeeded(response):
            return response
        query = request.scope["query_string"].decode("latin-1")
        setting = "&".join(name for name, _ in parse_qsl(query, keep_blank_values=True) if name != "x-id")
        if request.method == "POST" and "delete" in request.query_params:
            for key, version in deleted(body):
                async with self._locks.hold(f"{bucket}/{key}"):
                    await self._mirror.sync(bucket, key, version)
        elif request.method == "PUT" and setting:
            self._mirror.record_setting(bucket, setting, body)
        elif request.method == "PUT":
            self._mirror.record_bucket(bucket, body, dict(request.headers))
        elif request.method == "DELETE" and setting:
            self._mirror.record_setting(bucket, setting, None)
        elif request.method == "DELETE":
            self._mirror.forget_bucket(bucket)
        return response


def deleted(body: bytes) -> Iterator[tuple[str, str | None]]:
    """Keys, and versions if they are named, of a DeleteObjects request."""
    for listed in _DELETED.findall(body.decode()):
        named = dict(_NAMED.findall(listed))
        yield html.unescape(named["Key"]), named.get("VersionId")


def _succeeded(response: Response) -> bool:
    return response.status_code < 300  # noqa: PLR2004 - HTTP's own line

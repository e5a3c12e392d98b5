"""Passes requests to moto and its answers back."""

from collections.abc import AsyncIterator, Mapping

import aiohttp
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from local_sagemaker.backing.moto import Moto

_HOP_BY_HOP = {
    "connection",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_NOT_BACK = _HOP_BY_HOP | {"date"}  # which the front says itself
_CHUNK = 1 << 16


class Proxy:
    """The way to moto for a request that came in."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto

    async def stream(self, request: Request, target: str, send: Send) -> None:
        """Pass the request on and its answer back as it comes; neither is ever whole in memory."""
        content = request.stream() if _has_body(request) else None
        async with self._moto.request(request.method, target, _onward(request), content) as answer:
            response = StreamingResponse(answer.content.iter_chunked(_CHUNK), status_code=answer.status)
            response.raw_headers = _back(answer)
            await response(request.scope, request.receive, send)

    async def fetch(
        self,
        request: Request,
        target: str,
        body: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        method: str | None = None,
    ) -> Response:
        """Pass the request on and wait for the whole answer.

        `body` and `headers` are given when the body has been read already, `method` to ask for something
        else than the caller does.
        """
        if body is None and _has_body(request):
            body = request.stream()
        sent = _onward(request, headers)
        async with self._moto.request(method or request.method, target, sent, body) as answer:
            response = Response(await answer.read(), status_code=answer.status)
            response.raw_headers = _back(answer)
            return response


def target_of(request: Request, path: str | None = None) -> str:
    """The request's path and query as they came over the wire, with another path if one is given."""
    query: bytes = request.scope["query_string"]
    raw = path or request.scope["raw_path"].decode("latin-1")
    return f"{raw}?{query.decode('latin-1')}" if query else raw


def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def _onward(request: Request, headers: Mapping[str, str] | None = None) -> dict[str, str]:
    given = (headers or request.headers).items()
    kept = {name: value for name, value in given if name not in _HOP_BY_HOP}
    return {**kept, "Host": request.headers.get("host", "127.0.0.1")}


def _back(answer: aiohttp.ClientResponse) -> list[tuple[bytes, bytes]]:
    named = ((name.lower(), value) for name, value in answer.raw_headers)  # as ASGI has them
    return [(name, value) for name, value in named if name.decode() not in _NOT_BACK]

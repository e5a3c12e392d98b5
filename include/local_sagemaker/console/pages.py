"""The page at /, what it is made of, and the stream that keeps it fresh."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from local_sagemaker.console.answers import BadCall
from local_sagemaker.console.log_files import TAIL_BYTES, follow, tail
from local_sagemaker.console.overview import Overview

_FILES = Path(__file__).with_name("page")
_TYPES = {".css": "text/css", ".js": "text/javascript"}
_LOOK_SECONDS = 0.5
_SILENCE_SECONDS = 15.0  # after which a client hears that the stream still is there
_HEADERS = {
    # The page gets nothing from anywhere else, and is shown in no other page.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_FIRST = '<script type="application/json" id="first">{}</script>'


class Pages:
    """GET /, /_local/overview, /_local/stream and /_local/logs."""

    def __init__(self, overview: Overview, ending: asyncio.Event) -> None:
        self._overview = overview
        self._ending = ending

    def routes(self) -> list[Route]:
        """The pages, by path."""
        return [
            Route("/", self._page),
            Route("/_local/page/{name}", self._file),
            Route("/_local/stream", self._stream),
            Route("/_local/logs/{name:path}", self._log),
        ]

    async def _page(self, _request: Request) -> Response:
        # "<" inside the script element could end it.
        first = json.dumps(self._overview.whole()).replace("<", "\\u003c")
        text = (_FILES / "index.html").read_text().replace(_FIRST, _FIRST.replace("{}", first))
        return HTMLResponse(text, headers=_HEADERS)

    async def _file(self, request: Request) -> Response:
        path = _FILES / request.path_params["name"]
        if path.suffix not in _TYPES or not path.is_file():
            raise BadCall(f"no {path.name} here", status=404)
        return Response(path.read_bytes(), media_type=_TYPES[path.suffix], headers=_HEADERS)

    async def _stream(self, _request: Request) -> Response:
        return StreamingResponse(self._events(), media_type="text/event-stream", headers=_HEADERS)

    async def _events(self) -> AsyncIterator[str]:
        """The whole view whenever it has changed (server-sent events), until the server ends."""
        sent, silent = "", 0.0
        while not self._ending.is_set():
            view = json.dumps(self._overview.whole())
            silent += _LOOK_SECONDS
            if view != sent:
                yield f"data: {view}\n\n"
                sent, silent = view, 0.0
            elif silent >= _SILENCE_SECONDS:
                yield ":\n\n"
                silent = 0.0
            await asyncio.sleep(_LOOK_SECONDS)

    async def _log(self, request: Request) -> Response:
        path = self._overview.logs.find(request.path_params["name"])
        if path is None:
            raise BadCall(f"no log {request.path_params['name']!r}", status=404)
        size = request.query_params.get("bytes", str(TAIL_BYTES))
        if not size.isdecimal():
            raise BadCall(f"bytes: expected a whole number, found {size!r}")
        if "follow" in request.query_params:
            return StreamingResponse(
                follow(path, int(size), self._ending), media_type="text/plain", headers=_HEADERS
            )
        return PlainTextResponse(tail(path, int(size)), headers=_HEADERS)

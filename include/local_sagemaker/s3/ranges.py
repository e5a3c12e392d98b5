"""Parts of objects, from their files: moto reads the whole of an object for any part of it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from local_sagemaker.backing.proxy import Proxy
from local_sagemaker.s3.mirror import S3Mirror
from local_sagemaker.s3.pieces import pieces

_PARTIAL = 206
_RANGE = re.compile(r"bytes (?P<first>\d+)-(?P<last>\d+)/(?P<size>\d+)")


async def part(
    request: Request, target: str, place: tuple[str, str], proxy: Proxy, mirror: S3Mirror
) -> Response | None:
    """The answer to a GET of a range, or None where moto is to give it.

    moto says, to a HEAD, whether and what it would answer; the file has to be that same version.
    """
    if request.method != "GET" or "range" not in request.headers or not place[1]:
        return None
    answer = await proxy.fetch(request, target, method="HEAD")
    found = _RANGE.fullmatch(answer.headers.get("content-range", ""))
    if answer.status_code != _PARTIAL or found is None:
        return None
    identity, etag = answer.headers.get("x-amz-version-id", "null"), answer.headers["etag"].strip('"')
    for version in mirror.versions(*place):
        if version["file"] and (version["id"], version["etag"]) == (identity, etag):
            first, last, size = (int(number) for number in found.groups())
            content = _opened(mirror.file(version), size)
            if content is None:
                return None
            response = StreamingResponse(_read(content, first, last), status_code=_PARTIAL)
            response.raw_headers = answer.raw_headers
            return response
    return None


def _opened(path: Path, size: int) -> IO[bytes] | None:
    """The file, unless it has gone or is another: the object may have been written anew meanwhile."""
    try:
        content = path.open("rb")
    except FileNotFoundError:
        return None
    if content.seek(0, 2) == size:
        return content
    content.close()
    return None


async def _read(content: IO[bytes], first: int, last: int) -> AsyncIterator[bytes]:
    with content:
        async for piece in pieces(content, first, last - first + 1):
            yield piece

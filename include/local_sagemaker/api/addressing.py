"""S3's two ways to say which bucket: in the path, or in the host."""

import re

from starlette.requests import Request

# What SDKs make of an endpoint that is a name, not an IP address: bucket.localhost, bucket.s3.<anything>.
_VIRTUAL_HOST = re.compile(r"(?P<bucket>[a-z0-9][a-z0-9.-]*?)\.(s3[.-][^:]*|localhost)(:\d+)?")


def path_style(request: Request) -> str:
    """The path in path style, still encoded."""
    raw: str = request.scope["raw_path"].decode("latin-1")
    virtual = _VIRTUAL_HOST.fullmatch(request.headers.get("host", ""))
    return f"/{virtual['bucket']}{raw}" if virtual else raw

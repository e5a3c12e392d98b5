"""What the signature of a request says of it."""

import re
from urllib.parse import parse_qs

from starlette.requests import Request

# Credential=<key>/<date>/<region>/<service>/aws4_request, in a header or in a presigned query.
_SCOPE = re.compile(r"[^/\s]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


def signed_for(request: Request) -> tuple[str | None, str | None]:
    """Region and service the request is signed for; the service is the surest sign of what it is for."""
    signature = request.headers.get("authorization")
    if signature is None:
        query = parse_qs(request.url.query)
        if "AWSAccessKeyId" in query:  # a URL presigned with S3's older signature
            return None, "s3"
        signature = query.get("X-Amz-Credential", [""])[0]
    found = _SCOPE.search(signature)
    return (found["region"], found["service"]) if found else (None, None)


def looks_like_s3(request: Request) -> bool:
    """An anonymous request is S3's unless it has the marks of another API's."""
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return request.url.path != "/" and "x-amz-target" not in request.headers and not form

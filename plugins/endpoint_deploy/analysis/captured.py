"""Captured requests, to be sent again.

The form is data capture's (SageMaker guide, Capture data from real-time endpoint): `endpointInput` and
`endpointOutput`, each with its content type and its data as text, or in BASE64.
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from endpoint_deploy.analysis.requests import Request, request_of
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.aws.newest_captures import newest_records
from endpoint_deploy.core.spec import DeploymentSpec


def captured_requests(hook: EndpointHook, spec: DeploymentSpec, *, now: datetime) -> list[Request]:
    """The newest distinct requests, as many as the spec asks for. Raises what boto3 raises.

    Requests that were replayed are captured, too; they are the same, and count once.
    """
    replay, capture = spec.analysis.replay if spec.analysis else None, spec.endpoint.data_capture
    if replay is None or not replay.captured or capture is None:
        return []
    found: dict[str, Request] = {}
    for record in newest_records(hook.s3, capture.destination, spec.endpoint_name, now=now):
        if (request := request_in(record)) is not None:
            found.setdefault(request.id, request)
        if len(found) >= replay.most_captured:
            break
    return list(found.values())


def request_in(record: Mapping[str, Any]) -> Request | None:
    """The request of a captured record; None where it was not captured, or cannot be read."""
    try:
        sent = record["captureData"]["endpointInput"]
        answered = record["captureData"].get("endpointOutput", {})
        text, encoding = str(sent["data"]), str(sent.get("encoding", ""))
        body = base64.b64decode(text, validate=True) if encoding == "BASE64" else text.encode()
        content_type = str(sent.get("observedContentType") or "application/octet-stream")
        accept = answered.get("observedContentType")
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return request_of(body, content_type, str(accept) if accept else None)

"""One request to an asynchronous endpoint: what is kept of it until its result is in S3."""

import base64
import uuid
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from local_sagemaker.hosting.asked import Asked, refused
from local_sagemaker.record import Record

MAX_INLINE_BODY = 128_000
_TTL = ("requestttlseconds", 60, 21_600, 21_600)
_TIMEOUT = ("invocationtimeoutseconds", 1, 3_600, 900)
_KEPT = ("content-type", "accept", "x-amzn-sagemaker-custom-attributes", "x-amzn-sagemaker-inference-id")


class AsyncRequest(Record):
    """A request in the queue of `endpoint`, which was created at `endpoint_created`.

    `received` is in seconds since the epoch; `ttl` and `timeout` are the service's seconds; `body` is
    base64, where the request brought it itself instead of naming its `input_location`.
    """

    key: str
    endpoint: str
    endpoint_created: float
    inference_id: str
    headers: dict[str, str]
    input_location: str | None = None
    body: str | None = None
    output_location: str
    failure_location: str | None = None
    received: float
    ttl: float
    timeout: float
    attempts: int = 0

    @property
    def inline(self) -> bytes:
        """The body that the request brought."""
        return base64.b64decode(self.body or "")


def request_of(asked: Asked, config: dict[str, Any], created: float, now: float) -> AsyncRequest:
    """The request as it is queued; raises the runtime's ValidationError for what is wrong with it."""
    location = asked.option("inputlocation")
    if (location is None) == (not asked.body):
        raise refused("Exactly one of Body and InputLocation must be given.")
    if len(asked.body) > MAX_INLINE_BODY:
        raise refused(f"Body is longer than {MAX_INLINE_BODY} bytes; put it into S3 and give InputLocation.")
    if location is not None and not location.startswith("s3://"):
        raise refused(f"InputLocation must be an s3:// URI here, found {location}.")
    given = asked.option("inference-id")
    unique = str(uuid.uuid4())
    inference_id = given or unique
    asked.headers["x-amzn-sagemaker-inference-id"] = inference_id
    asked.take_over("content-type", "accept")
    output = config["OutputConfig"]
    failures = output.get("S3FailurePath")
    # An id of the caller's may come twice, and may hold what a key should not.
    name = asked.option("filename") or f"{unique}.out"
    folder = (asked.option("s3outputpathextension") or "").strip("/")
    path = f"{folder}/{name}" if folder else name
    return AsyncRequest(
        key=f"{asked.endpoint.lower()}/{now:018.3f}-{unique}",
        endpoint=asked.endpoint,
        endpoint_created=created,
        inference_id=inference_id,
        headers={header: asked.headers[header] for header in _KEPT if header in asked.headers},
        input_location=location,
        body=base64.b64encode(asked.body).decode() if asked.body else None,
        output_location=_below(output["S3OutputPath"], path),
        failure_location=_below(failures, _failed(path)) if failures else None,
        received=now,
        ttl=_seconds(asked, *_TTL),
        timeout=_seconds(asked, *_TIMEOUT),
    )


def event(request: AsyncRequest, region: str, now: float, **outcome: Any) -> dict[str, Any]:
    """The notification of a result, in the service's form (hosting guide, Check prediction results;
    messages in public reports)."""
    parameters = {
        "accept": request.headers.get("accept"),
        "contentType": request.headers.get("content-type"),
        "customAttributes": request.headers.get("x-amzn-sagemaker-custom-attributes"),
        "endpointName": request.endpoint,
        "inputLocation": request.input_location,
    }
    return {
        "awsRegion": region,
        "eventTime": _timestamp(now),
        "receivedTime": _timestamp(request.received),
        **outcome,
        "requestParameters": {name: value for name, value in parameters.items() if value is not None},
        "inferenceId": request.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(asked: Asked, name: str, least: int, most: int, default: int) -> int:
    text = asked.option(name)
    if text is None:
        return default
    if not text.isdecimal() or not least <= int(text) <= most:
        raise refused(f"{name} must be a whole number from {least} to {most}, found {text}.")
    return int(text)


def _failed(path: str) -> str:
    """The name of a failure's object: that of the result, marked."""
    found = PurePosixPath(path)
    return str(found.with_name(f"{found.stem}-error{found.suffix or '.out'}"))


def _below(uri: str, path: str) -> str:
    return f"{uri.rstrip('/')}/{path}"

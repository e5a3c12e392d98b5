"""What becomes of an asynchronous request: an object in S3, and a message to a topic."""

import base64
import json
import logging
import time
from typing import Any

from local_sagemaker.backing.moto import Moto
from local_sagemaker.hosting.async_records import AsyncRequest, event
from local_sagemaker.hosting.container import TIMED_OUT, Answer
from local_sagemaker.s3.mirror import split_uri
from local_sagemaker.s3.objects import S3Error, S3Objects

_INCLUDED_BYTES = 128 * 1024
logger = logging.getLogger(__name__)


class Results:
    """Writes results and publishes notifications."""

    def __init__(self, s3: S3Objects, moto: Moto, region: str) -> None:
        self._s3 = s3
        self._moto = moto
        self._region = region

    async def answered(self, request: AsyncRequest, config: dict[str, Any], answer: Answer) -> bool:
        """Deliver what the container answered; whether it is a success in the end."""
        if not answer.good:
            await self.failed(request, config, failure_reason(answer), answer)
            return False
        content_type = answer.headers.get("content-type", "application/octet-stream")
        try:
            await self._write(request.output_location, answer.body, content_type)
        except (S3Error, ValueError) as error:
            reason = f"ClientError: Failed to upload the response to {request.output_location}: {error}"
            await self.failed(request, config, reason)
            return False
        outcome: dict[str, Any] = {
            "invocationStatus": "Completed",
            "responseParameters": {"contentType": content_type, "outputLocation": request.output_location},
        }
        await self._notify(request, config, answer.body, outcome)
        return True

    async def failed(
        self,
        request: AsyncRequest,
        config: dict[str, Any],
        reason: str,
        answer: Answer | None = None,
    ) -> None:
        """Deliver a failure; `answer` is the container's, if there was one."""
        outcome: dict[str, Any] = {"invocationStatus": "Failed", "failureReason": reason}
        body = answer.body if answer else b""
        if request.failure_location and answer:
            content_type = answer.headers.get("content-type", "text/plain")
            try:
                await self._write(request.failure_location, body, content_type)
                outcome["responseParameters"] = {
                    "contentType": content_type,
                    "outputLocation": request.failure_location,
                }
            except (S3Error, ValueError):
                logger.exception("writing a failure to %s failed", request.failure_location)
        await self._notify(request, config, body, outcome)

    async def _write(self, uri: str, body: bytes, content_type: str) -> None:
        place = split_uri(uri)
        if place is None:
            raise ValueError(f"{uri} names no object")
        await self._s3.write(body, *place, content_type)

    async def _notify(
        self, request: AsyncRequest, config: dict[str, Any], body: bytes, outcome: dict[str, Any]
    ) -> None:
        kind = "Success" if outcome["invocationStatus"] == "Completed" else "Error"
        notification = config["OutputConfig"].get("NotificationConfig", {})
        topic = notification.get(f"{kind}Topic")
        if topic is None:
            return
        included = f"{kind.upper()}_NOTIFICATION_TOPIC" in notification.get("IncludeInferenceResponseIn", [])
        if included and len(body) <= _INCLUDED_BYTES:
            outcome["responseBody"] = {"content": base64.b64encode(body).decode(), "encoding": "BASE64"}
        message = json.dumps(event(request, self._region, time.time(), **outcome), separators=(",", ":"))
        try:
            await self._moto.query(
                "sns",
                {"Action": "Publish", "Version": "2010-03-31", "TopicArn": topic, "Message": message},
            )
        except RuntimeError:
            # A topic that is not there, say: the result stands.
            logger.exception("endpoint %s: notifying %s failed", request.endpoint, topic)


def failure_reason(answer: Answer) -> str:
    """As the service words it (public reports of its notifications)."""
    if answer.status == TIMED_OUT:
        return "ClientError: Your invocation timed out while waiting for a response from the model."
    side = "client" if answer.client_error else "server"
    return (
        f"ClientError: Received {side} error ({answer.status}) from model. See the SageMaker Endpoint logs "
        "in your account for more information."
    )

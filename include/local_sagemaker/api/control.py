"""SageMaker's control plane over HTTP: AWS JSON 1.1, checked and dispatched."""

import inspect
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from local_sagemaker.api.errors import ServiceError
from local_sagemaker.api.tags import Tags
from local_sagemaker.api.validation import check_request

TARGET_PREFIX = "SageMaker."
Operation = Callable[[dict[str, Any]], dict[str, Any] | Awaitable[dict[str, Any]]]


class ControlPlane:
    """Checks a request against the API model and hands it to the operation it names."""

    def __init__(self, operations: Mapping[str, Operation], tags: Tags, region: str) -> None:
        self._region = region
        self._tags = tags
        self._operations: dict[str, Operation] = {
            **operations,
            "AddTags": tags.add,
            "ListTags": tags.list_tags,
            "DeleteTags": tags.delete,
        }

    def serves(self, target: str, body: bytes) -> bool:
        """Whether the operation is this server's; tags are where the resource is."""
        operation = target.removeprefix(TARGET_PREFIX)
        if operation in ("AddTags", "ListTags", "DeleteTags"):
            return self._tags.owns(body)
        return operation in self._operations

    async def serve(self, request: Request, body: bytes, signed_region: str | None) -> Response:
        """Answer one request."""
        operation = request.headers["x-amz-target"].removeprefix(TARGET_PREFIX)
        try:
            if signed_region not in (None, self._region):
                # This is one regional endpoint, as api.sagemaker.<region>.amazonaws.com is.
                raise ServiceError(
                    "InvalidSignatureException",
                    f"Credential should be scoped to a valid region, not '{signed_region}'. "
                    f"(This local SageMaker is in {self._region}.)",
                    status=403,
                )
            answer = self._operations[operation](_checked(operation, body))
            if inspect.isawaitable(answer):
                answer = await answer
            status = 200
        except ServiceError as error:
            status, answer = error.status, {"__type": error.code, "message": error.message, **error.members}
        return Response(
            json.dumps(answer),
            status_code=status,
            media_type="application/x-amz-json-1.1",
            headers={"x-amzn-RequestId": str(uuid.uuid4())},
        )


def _checked(operation: str, body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", "The request is not valid JSON.") from error
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", "Start of structure or map found where not expected.")
    check_request("sagemaker", operation, request)
    return request

"""Pages of Application Auto Scaling's lists."""

import base64
import binascii
from typing import Any

from local_sagemaker.api.errors import ServiceError

DEFAULT_PAGE = 50


def page(request: dict[str, Any], member: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """One page of `found` under `member`, with a NextToken when there is more: 50 at most."""
    start = 0
    if "NextToken" in request:
        try:
            start = int(base64.b64decode(request["NextToken"], validate=True))
        except (binascii.Error, ValueError) as error:
            raise ServiceError("InvalidNextTokenException", "The next token is not valid.") from error
    end = start + min(request.get("MaxResults", DEFAULT_PAGE), DEFAULT_PAGE)
    answer: dict[str, Any] = {member: found[start:end]}
    if end < len(found):
        answer["NextToken"] = base64.b64encode(str(end).encode()).decode()
    return answer

"""Changes of endpoints as EventBridge events, in the form the guide shows."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from local_sagemaker.hosting.views import description

if TYPE_CHECKING:
    from local_sagemaker.hosting.lifecycle import Lifecycle

STATE_CHANGE = "SageMaker Endpoint State Change"
DEPLOYMENT_STATE_CHANGE = "SageMaker Endpoint Deployment State Change"

Emit = Callable[[str, dict[str, Any], Sequence[str]], None]
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TIMES = ("CreationTime", "LastModifiedTime", "StartTime", "ResolutionTime")


class Announcements:
    """Emits an event for each new status, and for each stage of a deployment.

    The detail is DescribeEndpoint's answer with the status in capitals (IN_SERVICE), times in
    milliseconds, and the tags (hosting guide, Events that SageMaker sends to EventBridge).
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit

    def status(self, endpoint: "Lifecycle") -> None:
        """The endpoint's status is another."""
        self._emit(STATE_CHANGE, _detail(endpoint), [endpoint.record.arn])

    def deployment(self, endpoint: "Lifecycle") -> None:
        """A stage of a deployment has begun."""
        self._emit(DEPLOYMENT_STATE_CHANGE, _detail(endpoint), [endpoint.record.arn])


def _detail(endpoint: "Lifecycle") -> dict[str, Any]:
    answer: dict[str, Any] = _in_milliseconds(description(endpoint))
    return {
        **answer,
        "EndpointStatus": _WORD.sub("_", endpoint.record.status).upper(),
        "Tags": endpoint.record.tags,
    }


def _in_milliseconds(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: round(item * 1000) if key in _TIMES else _in_milliseconds(item)
            for key, item in value.items()
        }
    return [_in_milliseconds(item) for item in value] if isinstance(value, list) else value

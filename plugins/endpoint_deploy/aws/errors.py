"""Telling AWS errors apart: by code, and where the code is ambiguous, here and nowhere else by message.

SageMaker answers `ValidationException` for a bad field, a missing resource, a taken name and a change in
progress alike. The wordings are those of public reports (hashicorp/terraform-provider-aws matches the same).
"""

from typing import Any

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

_PASSING = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "ModelNotReadyException",
        "PriorRequestNotComplete",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_SERVER_ERROR = 500


def code(error: ClientError) -> str:
    """The error's code, such as `ValidationException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message(error: ClientError) -> str:
    """The error's message."""
    return str(error.response.get("Error", {}).get("Message", ""))


def is_absent(error: ClientError) -> bool:
    """A resource that is not there."""
    said = message(error)
    return code(error) == "ValidationException" and said.startswith(
        ("Could not find", "Requested resource not")
    )


def is_taken(error: ClientError) -> bool:
    """A name that exists already."""
    return code(error) == "ValidationException" and "already existing" in message(error)


def is_in_progress(error: ClientError) -> bool:
    """An endpoint that the service is still changing."""
    return code(error) == "ValidationException" and "in-progress" in message(error)


def is_absent_object(error: ClientError) -> bool:
    """An S3 object or bucket that is not there (HEAD answers have no code but the status)."""
    return code(error) in {"404", "NoSuchKey", "NoSuchBucket", "NotFound"}


def is_lost_race(error: ClientError) -> bool:
    """A conditional write that another writer won."""
    return code(error) in {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


def is_passing(error: Exception) -> bool:
    """Whether the same call may succeed a moment later."""
    if isinstance(error, ClientError):
        metadata: dict[str, Any] = dict(error.response.get("ResponseMetadata", {}))
        return code(error) in _PASSING or int(metadata.get("HTTPStatusCode", 0)) >= _SERVER_ERROR
    return isinstance(error, (BotoConnectionError, HTTPClientError))

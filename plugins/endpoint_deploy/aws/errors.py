"""Telling AWS errors apart: by code, and where the code is ambiguous, here and nowhere else by message.

SageMaker answers `ValidationException` for a bad field, a missing resource, a taken name and a change in
progress alike. The wordings are those of public reports (hashicorp/terraform-provider-aws matches the same).
"""

from typing import Any

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

_PASSING = frozenset(
    {
        "ConcurrentUpdateException",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceException",
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
_PASSING_REASONS = ("CapacityError", "InternalServerError", "InternalError", "ServiceUnavailable")
_SERVER_ERROR = 500


def code(error: ClientError) -> str:
    """The error's code, such as `ValidationException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message(error: ClientError) -> str:
    """The error's message."""
    return str(error.response.get("Error", {}).get("Message", ""))


def is_absent(error: ClientError) -> bool:
    """A resource that is not there. Model packages and their groups are said not to exist."""
    said = message(error)
    return code(error) == "ResourceNotFound" or (
        code(error) == "ValidationException"
        and (
            said.startswith(("Could not find", "Requested resource not")) or said.endswith("does not exist.")
        )
    )


def is_taken(error: ClientError) -> bool:
    """A name that exists already; `ResourceInUse` is what CreateTrainingJob and its like answer."""
    return code(error) == "ResourceInUse" or (
        code(error) == "ValidationException" and "already exist" in message(error)
    )


def is_in_progress(error: ClientError) -> bool:
    """An endpoint that the service is still changing."""
    return code(error) == "ValidationException" and "in-progress" in message(error)


def is_over(error: ClientError) -> bool:
    """A job that cannot be stopped, since it has ended."""
    return code(error) == "ValidationException" and message(error).startswith("The request was rejected")


def is_passing_reason(reason: str) -> bool:
    """Whether a job with this FailureReason may succeed a while later; its beginning is a code, too."""
    return reason.startswith(_PASSING_REASONS)


def is_absent_object(error: ClientError) -> bool:
    """An S3 object or bucket that is not there (HEAD answers have no code but the status)."""
    return code(error) in {"404", "NoSuchKey", "NoSuchBucket", "NotFound"}


def is_absent_alarm(error: ClientError) -> bool:
    """An alarm that is not there (ListTagsForResource's reference: ResourceNotFoundException)."""
    return code(error) in {"ResourceNotFound", "ResourceNotFoundException"}


def is_absent_log(error: ClientError) -> bool:
    """A log group or stream that is not there."""
    return code(error) == "ResourceNotFoundException"


def is_lost_race(error: ClientError) -> bool:
    """A conditional write that another writer won."""
    return code(error) in {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


def is_passing(error: Exception) -> bool:
    """Whether the same call may succeed a moment later."""
    if isinstance(error, ClientError):
        metadata: dict[str, Any] = dict(error.response.get("ResponseMetadata", {}))
        return code(error) in _PASSING or int(metadata.get("HTTPStatusCode", 0)) >= _SERVER_ERROR
    return isinstance(error, (BotoConnectionError, HTTPClientError))


def is_absent_role(error: ClientError) -> bool:
    """An IAM role that is not there (GetRole's API reference)."""
    return code(error) in {"NoSuchEntity", "NoSuchEntityException"}


def is_absent_repository(error: ClientError) -> bool:
    """A repository of ECR that is not there (BatchGetImage's API reference)."""
    return code(error) == "RepositoryNotFoundException"


def is_denied(error: ClientError) -> bool:
    """A right that is missing, or what another account does not share."""
    return code(error) in {"AccessDeniedException", "AccessDenied"}

"""The service's errors: code, HTTP status and wording, as seen in reports of the real service."""

from collections.abc import Mapping
from typing import Any


class ServiceError(Exception):
    """An answer that is an error; `members` are the fields beside the message."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = dict(headers or {})
        self.members = members


def invalid(message: str) -> ServiceError:
    """HTTP 400 `ValidationException`, the control plane's answer to nearly everything it refuses."""
    return ServiceError("ValidationException", message)


def already_exists(label: str, arn: str) -> ServiceError:
    """The name is taken; names are taken whatever their case, since ARNs carry them in lower case."""
    return invalid(f'Cannot create already existing {label} "{arn}".')


def not_found(label: str, arn: str) -> ServiceError:
    """No such model, endpoint configuration or endpoint."""
    return invalid(f'Could not find {label} "{arn}".')


def in_progress(arn: str) -> ServiceError:
    """A change is still running on the endpoint, whatever the operation asked for."""
    return invalid(f'Cannot update in-progress endpoint "{arn}".')


def unsupported(detail: str) -> ServiceError:
    """A feature this server does not serve: refused in the service's words, never quietly ignored."""
    return invalid(f"One or more endpoint features are not supported using this configuration: {detail}")


def model_data_not_found(uri: str) -> ServiceError:
    """CreateModel names an object that is not there."""
    return invalid(f"Could not find model data at {uri}.")


def model_data_inaccessible(uri: str, role_arn: str | None, region: str) -> ServiceError:
    """CreateModel names an object that SageMaker in this region cannot read."""
    return invalid(
        f'Could not access model data at {uri}. Please ensure that the role "{role_arn or ""}" exists and '
        'that its trust relationship policy allows the action "sts:AssumeRole" for the service principal '
        '"sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" permissions and that the '
        f"object is located in {region}."
    )

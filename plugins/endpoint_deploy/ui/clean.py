"""Nothing secret leaves for a page, whatever a container or the service has said."""

from collections.abc import Mapping
from typing import Any

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.redact import without_secrets

# What others wrote: an exception's message, a container's, the service's.
_SAID = frozenset({"why", "attention", "held", "problems", "plan", "stages", "verdicts"})
_SAID_IN_RECORDS = ("failure", "evidence", "asked_because")


def clean(deployment: Deployment, document: dict[str, Any]) -> dict[str, Any]:
    """The document, with no value of the deployment's environment variables in what others have written.

    Names and ids stay: a variable may have one for its value.
    """

    def inside(value: Any) -> Any:
        if isinstance(value, list):
            return [inside(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            key: without_secrets(deployment.spec, each) if _is_foreign(key, value) else inside(each)
            for key, each in value.items()
        }

    cleaned: dict[str, Any] = inside(document)
    return cleaned


def _is_foreign(key: str, around: Mapping[str, Any]) -> bool:
    return key in _SAID or (
        key in {"value", "before", "after"} and str(around.get("path", "")).startswith(_SAID_IN_RECORDS)
    )

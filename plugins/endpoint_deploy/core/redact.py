"""Taking secrets out of what others have written: an environment's values, and what an address gives away."""

import re
from collections.abc import Callable
from typing import Any

from endpoint_deploy.core.spec import DeploymentSpec

_SHORTEST_SECRET = 8  # shorter values are words such as `true`, which messages need
_HIDDEN = "***"
# What whoever has the address needs no other right for: parameters of presigned S3 addresses (Signature
# Versions 4 and 2), Slack's incoming webhooks, and a user's name and password.
_GIVEN_AWAY = (
    re.compile(
        r"(?P<kept>\b(?:X-Amz-(?:Signature|Credential|Security-Token)|Signature|AWSAccessKeyId)(?:=|%3D))"
        r"[^\s&\"'<>;,)]+",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<kept>\bhooks\.slack\.com/(?:services|workflows|triggers)/)[^\s\"'<>;,)]+", re.IGNORECASE
    ),
    re.compile(r"(?P<kept>\b[a-z][a-z0-9+.\-]*://)[^\s/@:]+:[^\s/@]+(?=@)", re.IGNORECASE),
)


def without_secrets(spec: DeploymentSpec, said: Any) -> Any:
    """A message or a JSON document, with no value of an environment in it, keys of a document excepted.

    What AWS and a container say may repeat one. Nor has it what `without_given_away` takes out.
    """
    environments = [spec.model.environment, *(v.environment for v in spec.endpoint.variants)]
    if spec.retrain:
        environments.append(spec.retrain.training.environment)
    values = {value for environment in environments for value in environment.values()}
    # The longest first: of two values one may hold the other.
    secrets = sorted((each for each in values if len(each) >= _SHORTEST_SECRET), key=len, reverse=True)

    def hide(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, _HIDDEN)
        return without_given_away(text)

    return _each_text(hide, said)


def without_given_away(text: str) -> str:
    """The text, with no signature of a presigned address, webhook's path, or password of an address in it."""
    for pattern in _GIVEN_AWAY:
        text = pattern.sub(rf"\g<kept>{_HIDDEN}", text)
    return text


def _each_text(hide: Callable[[str], str], said: Any) -> Any:
    if isinstance(said, str):
        return hide(said)
    if isinstance(said, dict):
        return {key: _each_text(hide, each) for key, each in said.items()}
    if isinstance(said, (list, tuple)):
        return [_each_text(hide, each) for each in said]
    return said

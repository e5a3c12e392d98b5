"""How a transform job talks to its containers: by its request, their suggestions, or the defaults."""

import json
from dataclasses import dataclass
from typing import Any

from local_sagemaker.api import errors
from local_sagemaker.jobs.transform_records import MEGABYTE

_MAX_PAYLOAD_MB = 100
_DEFAULTS = {"MaxConcurrentTransforms": 1, "MaxPayloadInMB": 6, "BatchStrategy": "MultiRecord"}
# The API's names and the container's.
_STRATEGIES = {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}
_DEFAULT_TIMEOUT = 600
_DEFAULT_RETRIES = 3


@dataclass(frozen=True)
class Exchange:
    """What is settled once the container has been asked: `limit` in bytes (0: none), `timeout` in seconds."""

    concurrency: int
    limit: int
    strategy: str
    timeout: float
    retries: int

    @property
    def announced(self) -> str:
        """The first line of the job's data log."""
        return (
            f"MaxConcurrentTransforms={self.concurrency}, MaxPayloadInMB={self.limit // MEGABYTE}, "
            f"BatchStrategy={_STRATEGIES[self.strategy]}"
        )


def exchange(request: dict[str, Any], suggested: bytes | None) -> Exchange:
    """The request's values before the container's before the defaults (guide, How Containers Serve Requests).

    `suggested` is what the container answered to GET /execution-parameters, or None.
    """
    # "If MaxConcurrentTransforms is set to 0 or left unset": 0 asks the container too.
    given = {name: request[name] for name in _DEFAULTS if name in request}
    if given.get("MaxConcurrentTransforms") == 0:
        del given["MaxConcurrentTransforms"]
    settled = {**_DEFAULTS, **_parsed(suggested), **given}
    client = request.get("ModelClientConfig", {})
    return Exchange(
        concurrency=settled["MaxConcurrentTransforms"],
        limit=settled["MaxPayloadInMB"] * MEGABYTE,
        strategy=settled["BatchStrategy"],
        timeout=client.get("InvocationsTimeoutInSeconds", _DEFAULT_TIMEOUT),
        retries=client.get("InvocationsMaxRetries", _DEFAULT_RETRIES),
    )


def _parsed(suggested: bytes | None) -> dict[str, Any]:
    """What of the container's suggestions can be used."""
    try:
        found = json.loads(suggested or b"{}")
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    names = {there: here for here, there in _STRATEGIES.items()}
    parsed: dict[str, Any] = {}
    if found.get("BatchStrategy") in names:
        parsed["BatchStrategy"] = names[found["BatchStrategy"]]
    for name, least in (("MaxConcurrentTransforms", 1), ("MaxPayloadInMB", 0)):
        value = found.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            parsed[name] = value
    return parsed


def environment(request: dict[str, Any]) -> dict[str, str]:
    """What is added to the model's environment (guide, How SageMaker Runs Your Inference Image).

    Settings that the request does not name are not passed.
    """
    found = {"SAGEMAKER_BATCH": "true"}
    if "MaxPayloadInMB" in request:
        found["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(request["MaxPayloadInMB"])
    if "BatchStrategy" in request:
        found["SAGEMAKER_BATCH_STRATEGY"] = _STRATEGIES[request["BatchStrategy"]]
    if request.get("MaxConcurrentTransforms"):
        found["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] = str(request["MaxConcurrentTransforms"])
    return {**found, **request.get("Environment", {})}


def check_payload(request: dict[str, Any]) -> None:
    """Refuse payloads that are, alone or together, over 100 MB (CreateTransformJob's reference)."""
    size = request.get("MaxPayloadInMB", _DEFAULTS["MaxPayloadInMB"])
    if size > _MAX_PAYLOAD_MB:
        raise errors.invalid(f"MaxPayloadInMB cannot be greater than {_MAX_PAYLOAD_MB} MB, found {size}.")
    together = request.get("MaxConcurrentTransforms", 0) * size
    if together > _MAX_PAYLOAD_MB:
        raise errors.invalid(
            f"MaxConcurrentTransforms * MaxPayloadInMB cannot be greater than {_MAX_PAYLOAD_MB} MB, "
            f"found {together}."
        )

"""One invocation of an instance, by the container's contract."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp

from local_sagemaker.hosting.replica import Replica

TIMED_OUT = 0  # the status that InvokeEndpoint's error names when the container gave none in time
UNAVAILABLE = 503

_TIMEOUT_MESSAGE = (
    b"Your invocation timed out while waiting for a response from container primary. Review the latency "
    b"metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)
_TO_CONTAINER = (
    "content-type",
    "accept",
    "x-amzn-sagemaker-custom-attributes",
    "x-amzn-sagemaker-inference-id",
    "x-amzn-sagemaker-target-model",
    "x-amzn-sagemaker-session-id",
)
_FROM_CONTAINER = ("content-type", "x-amzn-sagemaker-custom-attributes", "x-amzn-sagemaker-new-session-id")


@dataclass(frozen=True)
class Answer:
    """What came of an invocation; `lost` when the instance was gone before it answered."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False

    @property
    def good(self) -> bool:
        """Whether the container answered with success."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own lines

    @property
    def client_error(self) -> bool:
        """Whether the container blames the request."""
        return 400 <= self.status < 500  # noqa: PLR2004 - HTTP's own lines


async def invoke(
    client: aiohttp.ClientSession,
    replica: Replica | None,
    headers: Mapping[str, str],
    body: bytes,
    timeout: float,
) -> Answer:
    """POST /invocations; never raises for what the instance does. `timeout` is in real seconds."""
    if replica is None:
        return Answer(UNAVAILABLE, lost=True)
    passed = {name: headers[name] for name in _TO_CONTAINER if name in headers}
    replica.enter()
    try:
        async with client.post(
            f"{replica.url}/invocations",
            data=body,
            headers=passed,
            timeout=aiohttp.ClientTimeout(total=timeout),
        ) as response:
            kept = {name: response.headers[name] for name in _FROM_CONTAINER if name in response.headers}
            return Answer(response.status, await response.read(), kept)
    except TimeoutError:
        return Answer(TIMED_OUT, _TIMEOUT_MESSAGE)
    except aiohttp.ClientError:
        return Answer(UNAVAILABLE, lost=True)
    finally:
        replica.leave()

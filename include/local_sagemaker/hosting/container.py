"""One invocation of an instance, by the container's contract: of one container, or of several in turn."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp

from local_sagemaker.hosting.instance import Instance
from local_sagemaker.hosting.records import PRIMARY
from local_sagemaker.hosting.replica import Replica

TIMED_OUT = 0  # the status that InvokeEndpoint's error names when the container gave none in time
UNAVAILABLE = 503

_TIMEOUT_MESSAGE = (
    "Your invocation timed out while waiting for a response from container {}. Review the latency "
    "metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
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
    """What came of an invocation, and which container it came from.

    `lost` is set when the instance was gone before it answered.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False
    container: str = PRIMARY

    @property
    def good(self) -> bool:
        """Whether the container answered with success."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own lines

    @property
    def client_error(self) -> bool:
        """Whether the container blames the request."""
        return 400 <= self.status < 500  # noqa: PLR2004 - HTTP's own lines


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation: the request's headers by their names in lower case, and its body.

    `timeout` is in real seconds, for the whole; `hostname` names the only container to call.
    """

    headers: Mapping[str, str]
    body: bytes
    timeout: float
    hostname: str | None = None


async def invoke(client: aiohttp.ClientSession, instance: Instance | None, call: Call) -> Answer:
    """POST /invocations to one container, or to all of them in turn; never raises for what they do.

    In a pipeline each container gets the body and the content type that the one before it answered with
    (hosting guide, Inference pipelines); the first answer that is no success is the pipeline's.
    """
    if instance is None:
        return Answer(UNAVAILABLE, lost=True)
    passed = {name: call.headers[name] for name in _TO_CONTAINER if name in call.headers}
    called = list(instance.containers) if call.hostname is None else [call.hostname]
    body = call.body
    instance.enter()
    try:
        async with asyncio.timeout(call.timeout):
            for name in called:
                answer = await _post(client, instance.containers[name], name, passed, body)
                if not answer.good:
                    return answer
                body = answer.body
                passed["content-type"] = answer.headers.get("content-type", "application/octet-stream")
            return answer
    except TimeoutError:
        return Answer(TIMED_OUT, _TIMEOUT_MESSAGE.format(name).encode(), container=name)
    finally:
        instance.leave()


async def _post(
    client: aiohttp.ClientSession, replica: Replica, name: str, headers: Mapping[str, str], body: bytes
) -> Answer:
    headers = {**headers, **replica.faults.of_request()}
    try:
        async with client.post(f"{replica.url}/invocations", data=body, headers=headers) as response:
            kept = {
                header.lower(): response.headers[header]
                for header in _FROM_CONTAINER
                if header in response.headers
            }
            return Answer(response.status, await response.read(), kept, container=name)
    except aiohttp.ClientError:
        return Answer(UNAVAILABLE, lost=True, container=name)

"""The same requests to champion and candidate in turns, and what came back of each."""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError
from pydantic import Field

from endpoint_deploy.analysis.answers import Prediction, predictions_of
from endpoint_deploy.analysis.look import Sides
from endpoint_deploy.analysis.requests import Request
from endpoint_deploy.aws import errors
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.strict import Strict

# The variant's own: what it answers, or that it does not (InvokeEndpoint's reference, Errors).
_ITS_OWN = frozenset(
    {
        "ModelError",
        "ModelNotReadyException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "InternalFailure",
        "InternalFailureException",
        "InternalDependencyException",
    }
)
_MOST_TOLD = 300  # characters of an error


class Pair(Strict):
    """One request to both sides: milliseconds until the answer, or None for an error."""

    request: str
    candidate: float | None
    champion: float | None


class Replayed(Strict):
    """What was replayed for one look.

    predictions: of requests that both sides answered, by request and side, the first time each; failures:
    how often which error came, by side; left_out: pairs that say nothing of either side, such as those that
    the service throttled; broken: why no more were sent; pool: which requests there were to choose from.
    """

    pairs: tuple[Pair, ...] = ()
    candidate: dict[str, tuple[Prediction, ...]] = Field(default={})
    champion: dict[str, tuple[Prediction, ...]] = Field(default={})
    failures: dict[str, dict[str, int]] = Field(default={})
    left_out: int = 0
    broken: str | None = None
    pool: str = ""


@dataclass(frozen=True)
class _Answer:
    """An answer, or what went wrong: `own` if that is the variant's."""

    milliseconds: float = 0.0
    content_type: str = ""
    body: bytes = b""
    failed: str | None = None
    own: bool = True


class _BrokenError(Exception):
    """No request can be answered, whatever the model: a right is missing, or the endpoint."""


class Replay:
    """Sends requests to one endpoint's two sides."""

    def __init__(self, hook: EndpointHook, endpoint: str, sides: Sides, known: frozenset[str]) -> None:
        """known: requests whose predictions are kept already."""
        self.runtime = hook.runtime
        self._endpoint = endpoint
        self._sides = sides
        self._known = set(known)
        self._lock = threading.Lock()
        self._pairs: list[Pair] = []
        self._predictions: dict[str, dict[str, tuple[Prediction, ...]]] = {"candidate": {}, "champion": {}}
        self._failures: dict[str, Counter[str]] = {"candidate": Counter(), "champion": Counter()}
        self._left_out = 0
        self._broken: str | None = None

    def send(self, requests: Sequence[Request], *, concurrency: int, seconds: float) -> Replayed:
        """Send each request to both sides, one after the other; as many as go out in the time given."""
        deadline = time.monotonic() + seconds
        numbered = iter(list(enumerate(requests)))

        def work() -> None:
            while self._broken is None:
                with self._lock:
                    number, request = next(numbered, (0, None))
                # The first goes out in any case: an answer that takes a minute is one, too.
                if request is None or (number and time.monotonic() > deadline):
                    return
                self._pair(number, request)

        with ThreadPoolExecutor(concurrency) as pool:
            working = [pool.submit(work) for _ in range(min(concurrency, len(requests)))]
            try:
                for future in working:
                    future.result()
            except BaseException:  # a task that is stopped sends nothing more
                self._broken = "stopped"
                raise
        return Replayed(
            pairs=tuple(self._pairs),
            candidate=self._predictions["candidate"],
            champion=self._predictions["champion"],
            failures={side: dict(counts) for side, counts in self._failures.items() if counts},
            left_out=self._left_out,
            broken=self._broken,
        )

    def _pair(self, number: int, request: Request) -> None:
        # Whoever comes second may find a cache warm: each side does so as often as the other.
        order = ("champion", "candidate") if number % 2 else ("candidate", "champion")
        try:
            found = {side: self._ask(side, request) for side in order}
        except _BrokenError as error:
            self._broken = str(error)
            return
        with self._lock:
            self._note(request, found)

    def _note(self, request: Request, found: dict[str, _Answer]) -> None:
        for side, answer in found.items():
            if answer.failed:
                self._failures[side][answer.failed] += 1
        if any(answer.failed and not answer.own for answer in found.values()):
            self._left_out += 1
            return
        times = {side: None if a.failed else round(a.milliseconds, 3) for side, a in found.items()}
        self._pairs.append(Pair(request=request.id, **times))
        if request.id in self._known or any(answer.failed for answer in found.values()):
            return
        self._known.add(request.id)
        for side, answer in found.items():
            self._predictions[side][request.id] = tuple(predictions_of(answer.content_type, answer.body))

    def _ask(self, side: str, request: Request) -> _Answer:
        weights: dict[str, float] = getattr(self._sides, side)
        wanted: dict[str, Any] = {
            "EndpointName": self._endpoint,
            "TargetVariant": _one_of(weights),
            "ContentType": request.content_type,
            "Body": request.body,
        } | ({"Accept": request.accept} if request.accept else {})
        started = time.perf_counter()
        try:
            answer = self.runtime.invoke_endpoint(**wanted)
            body = answer["Body"].read()
        except ClientError as error:
            code = errors.code(error)
            if code not in _ITS_OWN and not errors.is_passing(error):
                raise _BrokenError(f"{code}: {errors.message(error)[:_MOST_TOLD]}") from error
            return _Answer(failed=code, own=code in _ITS_OWN)
        except ReadTimeoutError:
            return _Answer(failed="ReadTimeout")
        except BotoCoreError as error:
            return _Answer(failed=type(error).__name__, own=False)
        milliseconds = (time.perf_counter() - started) * 1000
        return _Answer(milliseconds, answer.get("ContentType", ""), body)


def _one_of(weights: dict[str, float]) -> str:
    """A variant of a side, as often as the service would choose it."""
    if len(weights) == 1 or not sum(weights.values()):
        return next(iter(weights))
    return random.choices(list(weights), list(weights.values()))[0]  # noqa: S311 - a draw, no secret

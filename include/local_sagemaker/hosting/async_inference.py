"""Asynchronous inference: a queue for each endpoint, on disk, that its instances work off (hosting guide,
Asynchronous inference)."""

import asyncio
import contextlib
import json
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.responses import Response

from local_sagemaker.api.errors import ServiceError
from local_sagemaker.clock import Clock
from local_sagemaker.hosting.asked import Asked, refused
from local_sagemaker.hosting.async_records import AsyncRequest, request_of
from local_sagemaker.hosting.async_results import Results
from local_sagemaker.hosting.container import Answer, Call
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.hosting.invoker import Invoker
from local_sagemaker.hosting.routing import call_of
from local_sagemaker.hosting.variant_fleet import MINIMUM_INVOCATION_SECONDS, VariantFleet
from local_sagemaker.s3.mirror import split_uri
from local_sagemaker.s3.objects import S3Objects
from local_sagemaker.store import Store

KIND = "async-request"
# "If no value is provided, SageMaker chooses an optimal value" (AsyncInferenceClientConfig's reference).
DEFAULT_CONCURRENCY = 4
MAX_ATTEMPTS = 3  # of a request whose instance was lost: the next one may be the one that it kills
LOOK_SECONDS = 0.25
GAUGE_SECONDS = 10.0
MINIMUM_GAUGE_SECONDS = 1.0
Measure = Callable[[str, str, str, float, str], None]
logger = logging.getLogger(__name__)


class AsyncInference:
    """Takes requests, has them worked off, and survives a SIGKILL: each is answered at least once."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        endpoints: Endpoints,
        invoker: Invoker,
        *,
        s3: S3Objects,
        results: Results,
        measure: Measure,
    ) -> None:
        self._store = store
        self._clock = clock
        self._endpoints = endpoints
        self._invoker = invoker
        self._s3 = s3
        self._results = results
        self._measure = measure
        self._queues: dict[str, deque[AsyncRequest]] = {}
        self._busy: Counter[VariantFleet] = Counter()
        self._work: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        self._gauged = 0.0

    def start(self) -> None:
        """Go on with what was queued when the server last ended."""
        for _, document in self._store.all(KIND):
            self._enqueue(AsyncRequest.model_validate(document))
        self._task = asyncio.create_task(self._dispatch_for_ever(), name="asynchronous inference")

    async def stop(self) -> None:
        """Give up what is under way; it stays in the queue on disk."""
        tasks = [*self._work, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def accept(self, asked: Asked, fleet: VariantFleet) -> Response:
        """Queue a request; it is on disk when this returns."""
        endpoint = self._endpoints.find(asked.endpoint)
        if fleet.async_inference is None or endpoint is None:
            raise refused(
                f"Endpoint {asked.endpoint} is not for asynchronous inference: use InvokeEndpoint to invoke "
                "it."
            )
        call_of(asked, fleet.variant, 0.0)  # what is wrong with the request is said now
        request = request_of(asked, fleet.async_inference, endpoint.record.created, time.time())
        self._store.put(KIND, request.key, request.model_dump())
        self._enqueue(request)
        locations = {"X-Amzn-SageMaker-OutputLocation": request.output_location}
        if request.failure_location:
            locations["X-Amzn-SageMaker-FailureLocation"] = request.failure_location
        return Response(
            json.dumps({"InferenceId": request.inference_id}),
            status_code=202,
            media_type="application/json",
            headers=locations,
        )

    def backlog(self, endpoint: str) -> int:
        """How many requests of the endpoint wait."""
        return len(self._queues.get(endpoint, ()))

    def _enqueue(self, request: AsyncRequest, *, first: bool = False) -> None:
        queue = self._queues.setdefault(request.endpoint, deque())
        (queue.appendleft if first else queue.append)(request)
        self._wanted.set()

    async def _dispatch_for_ever(self) -> None:
        while True:
            try:
                for endpoint in list(self._queues):
                    self._dispatch(endpoint)
                if time.monotonic() - self._gauged > self._clock.limit(GAUGE_SECONDS, MINIMUM_GAUGE_SECONDS):
                    self._gauge()
            except Exception:
                logger.exception("working off asynchronous requests failed; going on")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), LOOK_SECONDS)
            self._wanted.clear()

    def _dispatch(self, endpoint: str) -> None:
        """Begin with as many of the endpoint's requests as its instances take now."""
        queue = self._queues[endpoint]
        found = self._endpoints.find(endpoint)
        while queue:
            request = queue[0]
            if found is None or found.record.created != request.endpoint_created:
                self._forget(queue.popleft())  # its endpoint is gone, whatever has its name now
                continue
            if time.time() - request.received > self._clock.real(request.ttl):
                self._begin(queue.popleft(), self._expire(request))
                continue
            fleet = found.serving.choose(None) if found.serving else None
            if fleet is None or fleet.async_inference is None or not self._room(fleet):
                return
            self._busy[fleet] += 1
            self._begin(queue.popleft(), self._answer(request, fleet))

    def _room(self, fleet: VariantFleet) -> bool:
        client = (fleet.async_inference or {}).get("ClientConfig", {})
        each: int = client.get("MaxConcurrentInvocationsPerInstance", DEFAULT_CONCURRENCY)
        return self._busy[fleet] < each * len(fleet.taking)

    def _begin(self, request: AsyncRequest, work: Coroutine[Any, Any, bool]) -> None:
        task = asyncio.create_task(self._finish(request, work), name=f"asynchronous {request.inference_id}")
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _finish(self, request: AsyncRequest, work: Coroutine[Any, Any, bool]) -> None:
        """See a request through; `work` says whether it is done with."""
        try:
            done = await work
        except Exception:
            logger.exception("endpoint %s: request %s failed", request.endpoint, request.inference_id)
            done = False
        if done or request.attempts + 1 >= MAX_ATTEMPTS:
            self._forget(request)
        else:
            self._retry(request)

    async def _answer(self, request: AsyncRequest, fleet: VariantFleet) -> bool:
        began = time.time()
        try:
            body = await self._input(request)
            if body is None:
                reason = f"ClientError: Failed to download the input from {request.input_location}."
                await self._results.failed(request, fleet.async_inference or {}, reason)
                self._count(request, fleet, "InvocationFailures")
                return True
            answer = await self._ask(request, fleet, body)
            if answer.lost and request.attempts + 1 < MAX_ATTEMPTS:
                return False
            await self._deliver(request, fleet, answer, began)
            return True
        finally:
            self._busy[fleet] -= 1
            if not self._busy[fleet]:
                del self._busy[fleet]
            self._wanted.set()

    async def _ask(self, request: AsyncRequest, fleet: VariantFleet, body: bytes) -> Answer:
        asked = Asked(request.endpoint, request.headers, time.perf_counter(), body)
        timeout = self._clock.limit(request.timeout, MINIMUM_INVOCATION_SECONDS)
        try:
            return await self._invoker.ask(asked, fleet, Call(request.headers, body, timeout))
        except ServiceError as error:
            return Answer(error.status, error.message.encode())

    async def _deliver(
        self, request: AsyncRequest, fleet: VariantFleet, answer: Answer, began: float
    ) -> None:
        config = fleet.async_inference or {}
        good = await self._results.answered(request, config, answer)
        self._count(request, fleet, "InvocationsProcessed" if good else "InvocationFailures")
        name, variant = request.endpoint, fleet.variant.name
        waited, took = began - request.received, time.time() - request.received
        self._measure(name, variant, "TimeInBacklog", waited * 1000, "Milliseconds")
        self._measure(name, variant, "TotalProcessingTime", took * 1000, "Milliseconds")

    async def _input(self, request: AsyncRequest) -> bytes | None:
        if request.input_location is None:
            return request.inline
        place = split_uri(request.input_location)
        path = self._s3.path(*place) if place else None
        return await asyncio.to_thread(path.read_bytes) if path else None

    async def _expire(self, request: AsyncRequest) -> bool:
        endpoint = self._endpoints.find(request.endpoint)
        config = endpoint.record.live.async_inference if endpoint and endpoint.record.live else None
        reason = (
            f"ClientError: The request expired: it was in the queue for more than {request.ttl:g} seconds."
        )
        await self._results.failed(request, config or {"OutputConfig": {}}, reason)
        self._measure(request.endpoint, "", "ExpiredRequests", 1.0, "Count")
        return True

    def _retry(self, request: AsyncRequest) -> None:
        again = request.model_copy(update={"attempts": request.attempts + 1})
        self._store.put(KIND, again.key, again.model_dump())
        self._enqueue(again, first=True)

    def _forget(self, request: AsyncRequest) -> None:
        self._store.delete(KIND, request.key)

    def _count(self, request: AsyncRequest, fleet: VariantFleet, name: str) -> None:
        self._measure(request.endpoint, fleet.variant.name, name, 1.0, "Count")

    def _gauge(self) -> None:
        """What autoscaling goes by (hosting guide, Monitor asynchronous endpoint)."""
        self._gauged = time.monotonic()
        now = time.time()
        for endpoint in self._endpoints.all():
            name, live = endpoint.record.name, endpoint.record.live
            if live is None or live.async_inference is None or endpoint.serving is None:
                continue
            queue = self._queues.get(name, deque())
            size = float(
                len(queue) + sum(count for fleet, count in self._busy.items() if fleet.endpoint == name)
            )
            instances = sum(len(fleet.instances) for fleet in endpoint.serving.variants())
            self._measure(name, "", "ApproximateBacklogSize", size, "Count")
            self._measure(name, "", "ApproximateBacklogSizePerInstance", size / max(instances, 1), "Count")
            self._measure(name, "", "HasBacklogWithoutCapacity", float(bool(size) and not instances), "Count")
            oldest = now - queue[0].received if queue else 0.0
            self._measure(name, "", "ApproximateAgeOfOldestRequest", oldest, "Seconds")

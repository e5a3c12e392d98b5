"""One poller per connection and region serves every waiting endpoint of a process.

A client per waiting task costs a connection, a thread and, with an assumed role, an STS call and some 26 MB
each; here they share one. A handful of endpoints is described one by one; many are found by ListEndpoints,
a page of 100 at a time, and only those that left every state in progress are described.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from asgiref.sync import sync_to_async
from botocore.config import Config

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.observed import IN_PROGRESS, ObservedEndpoint

Done = Callable[[ObservedEndpoint | None], bool]
_DESCRIBE_AT_MOST = len(IN_PROGRESS)  # beyond as many calls, listing by status is cheaper
_JITTER = 0.1
_LONGEST_BACKOFF = 60.0


@dataclass(eq=False)
class _Waiter:
    endpoint: str
    done: Done
    interval: float
    result: "asyncio.Future[ObservedEndpoint | None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class EndpointPoller:
    """Waits for endpoints through one client. One per event loop, connection and region: see `shared`."""

    _shared: dict[tuple[int, str, str], "EndpointPoller"] = {}  # noqa: RUF012  the registry is the point

    def __init__(self, conn_id: str, region: str) -> None:
        self._conn_id = conn_id
        self._region = region
        self._waiters: set[_Waiter] = set()
        self._task: asyncio.Task[None] | None = None
        self._hook: EndpointHook | None = None

    @classmethod
    def shared(cls, conn_id: str, region: str) -> "EndpointPoller":
        """The poller of the running event loop for this connection and region."""
        key = (id(asyncio.get_running_loop()), conn_id, region)
        return cls._shared.setdefault(key, cls(conn_id, region))

    async def wait(self, endpoint: str, done: Done, interval: float) -> ObservedEndpoint | None:
        """Return the endpoint's description once `done` holds for it. `interval` is in seconds."""
        waiter = _Waiter(endpoint, done, interval)
        self._waiters.add(waiter)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            return await waiter.result
        finally:
            self._waiters.discard(waiter)

    async def _run(self) -> None:
        failures = 0
        while self._waiters:
            try:
                await self._look()
                failures = 0
            except Exception as error:
                if not errors.is_passing(error):
                    # The next wait reads the connection anew: its credentials may have been renewed since.
                    self._hook = None
                    self._fail_all(error)
                    return
                failures += 1
            if self._waiters:
                await asyncio.sleep(self._pause(failures))

    def _pause(self, failures: int) -> float:
        interval = min(waiter.interval for waiter in self._waiters)
        longest = max(interval, _LONGEST_BACKOFF)
        jitter = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  spreads calls, keeps no secret
        return float(min(interval * 2**failures, longest) * jitter)

    async def _look(self) -> None:
        names = {waiter.endpoint for waiter in self._waiters}
        if len(names) > _DESCRIBE_AT_MOST:
            names -= await asyncio.to_thread(self._in_progress, await self._client())
        hook = await self._client()
        for name in sorted(names):
            seen = await asyncio.to_thread(hook.find_endpoint, name)
            for waiter in [w for w in self._waiters if w.endpoint == name]:
                if not waiter.result.done() and waiter.done(seen):
                    waiter.result.set_result(seen)
                    self._waiters.discard(waiter)

    async def _client(self) -> EndpointHook:
        if self._hook is None:
            hook = EndpointHook(
                aws_conn_id=self._conn_id,
                region_name=self._region,
                config=Config(retries={"mode": "standard", "max_attempts": 3}),
            )
            # Airflow resolves a connection through its supervisor, which from a trigger only answers in
            # asgiref's thread; the client itself may be used from any.
            await sync_to_async(lambda: hook.sagemaker)()
            self._hook = hook
        return self._hook

    @staticmethod
    def _in_progress(hook: EndpointHook) -> set[str]:
        paginator = hook.sagemaker.get_paginator("list_endpoints")
        return {
            endpoint["EndpointName"]
            for status in sorted(IN_PROGRESS)
            for page in paginator.paginate(StatusEquals=status, PaginationConfig={"PageSize": 100})
            for endpoint in page["Endpoints"]
        }

    def _fail_all(self, error: Exception) -> None:
        for waiter in self._waiters:
            if not waiter.result.done():
                waiter.result.set_exception(error)
        self._waiters.clear()

"""One poller per event loop, connection and region serves everything that waits there.

A client per waiting task costs a connection, a thread and, with an assumed role, an STS call and some 26 MB
each; here they share one.
"""

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Self, TypeVar
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from botocore.config import Config

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.hook import EndpointHook

# Of the interval, from one look to the next: spread, and so that what settles just after a look is seen
# within one interval, which a look takes a part of.
_SOONEST, _LATEST = 0.8, 0.95
_LEAST_PAUSE = 0.1  # of the interval, also where a look takes longer than that
_LONGEST_BACKOFF = 60.0
Key = TypeVar("Key")
Seen = TypeVar("Seen")


async def connect(conn_id: str, region: str) -> EndpointHook:
    """A hook whose connection is resolved, for the threads of a trigger."""
    hook = EndpointHook(
        aws_conn_id=conn_id,
        region_name=region,
        config=Config(retries={"mode": "standard", "max_attempts": 3}),
    )
    # Airflow resolves a connection through its supervisor, which from a trigger only answers in
    # asgiref's thread; the client itself may be used from any.
    await sync_to_async(lambda: hook.sagemaker)()
    return hook


@dataclass(eq=False)
class _Waiter(Generic[Key, Seen]):
    key: Key
    done: Callable[[Seen], bool]
    interval: float
    result: "asyncio.Future[Seen]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Poller(ABC, Generic[Key, Seen]):
    """Waits for what `look` looks at, through one client: see `shared`."""

    # By loop, and gone with it: another may get its id, and must not get its client.
    _shared: ClassVar["WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[type, str, str], Any]]"] = (
        WeakKeyDictionary()
    )

    def __init__(self, conn_id: str, region: str) -> None:
        self._conn_id = conn_id
        self._region = region
        self._waiters: set[_Waiter[Key, Seen]] = set()
        self._task: asyncio.Task[None] | None = None
        self._hook: EndpointHook | None = None

    @classmethod
    def shared(cls, conn_id: str, region: str) -> Self:
        """The running event loop's poller of this class for this connection and region."""
        of_the_loop = cls._shared.setdefault(asyncio.get_running_loop(), {})
        poller: Self = of_the_loop.setdefault((cls, conn_id, region), cls(conn_id, region))
        return poller

    async def wait(self, key: Key, done: Callable[[Seen], bool], interval: float) -> Seen:
        """Return what is seen of `key` once `done` holds for it. `interval` is in seconds."""
        waiter = _Waiter(key, done, interval)
        self._waiters.add(waiter)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        try:
            return await waiter.result
        finally:
            self._waiters.discard(waiter)

    async def client(self) -> EndpointHook:
        """The hook that all share."""
        if self._hook is None:
            self._hook = await connect(self._conn_id, self._region)
        return self._hook

    @abstractmethod
    async def look(self, keys: set[Key]) -> None:
        """Look at what is waited for once, and `tell` what is seen of each.

        A passing error that it raises makes the next look later; any other fails all that wait.
        """

    def tell(self, key: Key, seen: Seen) -> None:
        """End the waits for `key` that what is seen satisfies."""
        for waiter in [w for w in self._waiters if w.key == key]:
            if not waiter.result.done() and waiter.done(seen):
                waiter.result.set_result(seen)
                self._waiters.discard(waiter)

    def fail(self, error: Exception, key: Key | None = None) -> None:
        """End the waits for `key`, or all, with an error."""
        # The next look reads the connection anew: its credentials may have been renewed since.
        self._hook = None
        for waiter in [w for w in self._waiters if key is None or w.key == key]:
            if not waiter.result.done():
                waiter.result.set_exception(error)
            self._waiters.discard(waiter)

    async def _run(self) -> None:
        failures = 0
        try:
            while self._waiters:
                began = time.monotonic()
                try:
                    await self.look({waiter.key for waiter in self._waiters})
                    failures = 0
                except Exception as error:
                    if not errors.is_passing(error):
                        self.fail(error)
                        return
                    failures += 1
                if self._waiters:
                    await asyncio.sleep(self._pause(failures, time.monotonic() - began))
        finally:
            self._task = None

    def _pause(self, failures: int, looked: float) -> float:
        """Seconds until the next look, after one that took so many."""
        interval = min(waiter.interval for waiter in self._waiters)
        longest = max(interval, _LONGEST_BACKOFF)
        spread = random.uniform(_SOONEST, _LATEST)  # noqa: S311  spreads calls, keeps no secret
        return float(max(min(interval * 2**failures, longest) * spread - looked, interval * _LEAST_PAUSE))

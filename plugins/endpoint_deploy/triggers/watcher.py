"""What every asset watcher of ours does: look again and again, announce what is new, then remember it."""

import asyncio
import random
from abc import abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.aws.polling import connect
from endpoint_deploy.aws.store import JsonStore

_JITTER = 0.1
_LONGEST_BACKOFF = 300.0
# The triggerer hands events to Airflow's database about once a second. What is remembered sooner than that
# would be lost with a triggerer that dies in between.
_PERSISTED_SECONDS = 3.0


@dataclass(frozen=True)
class News:
    """What is new: the event's payload, and the JSON document that is remembered once it is announced.

    Without a payload there is nothing to announce, only to remember.
    """

    payload: dict[str, Any] | None
    memory: Any


class Watcher(BaseEventTrigger):
    """Fires for what `look` finds to be new; runs for as long as a DAG is scheduled on its asset.

    What was announced is remembered under `memory`, a key of the store, after the event was given to Airflow:
    a triggerer that dies in between announces it once more, and none is lost. No error ends the watch: it is
    logged, and the next look comes later, after a failed one up to five minutes later.

    poll_seconds: between two looks.
    """

    def __init__(self, *, conn_id: str, region: str, store: str, memory: str, poll_seconds: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's has no annotations
        self.conn_id = conn_id
        self.region = region
        self.store = store
        self.memory = memory
        self.poll_seconds = poll_seconds
        self._hook: EndpointHook | None = None
        self._announced: News | None = None

    def settings(self) -> dict[str, Any]:
        """The arguments that all watchers take, for `serialize`."""
        return {
            "conn_id": self.conn_id,
            "region": self.region,
            "store": self.store,
            "memory": self.memory,
            "poll_seconds": self.poll_seconds,
        }

    @abstractmethod
    def look(self, hook: EndpointHook, remembered: Any) -> News | None:
        """What is new since `remembered`, the last announced memory, None at first. Runs in a thread."""

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Watch for ever."""
        failures = 0
        while True:
            try:
                news = await self._step()
                failures = 0
            except Exception:
                self.log.exception("cannot look; the next look comes later")
                # The next look reads the connection anew: its credentials may have been renewed since.
                news, self._hook = None, None
                failures += 1
            if news is not None:
                if news.payload is not None:
                    yield TriggerEvent(news.payload)
                self._announced = news
            await asyncio.sleep(self._pause(failures))

    async def _step(self) -> News | None:
        hook = await self._connected()
        if self._announced is not None:
            await asyncio.to_thread(self._remember, hook, self._announced)
            self._announced = None
        return await asyncio.to_thread(self._look, hook)

    def _look(self, hook: EndpointHook) -> News | None:
        found = JsonStore(hook.s3, self.store).read(self.memory)
        return self.look(hook, found[0] if found else None)

    def _remember(self, hook: EndpointHook, news: News) -> None:
        documents = JsonStore(hook.s3, self.store)
        if documents.create(self.memory, news.memory):
            return
        found = documents.read(self.memory)
        # Lost to another triggerer, which watches since this one was thought dead: its word is as good.
        if found is not None:
            documents.replace(self.memory, news.memory, found[1])

    def _pause(self, failures: int) -> float:
        jitter = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  spreads calls, keeps no secret
        pause = float(min(self.poll_seconds * 2**failures, max(self.poll_seconds, _LONGEST_BACKOFF)) * jitter)
        return max(pause, _PERSISTED_SECONDS) if self._announced is not None else pause

    async def _connected(self) -> EndpointHook:
        if self._hook is None:
            self._hook = await connect(self.conn_id, self.region)
        return self._hook

"""A multi-model container: models under an S3 prefix, loaded when a request first asks for one.

Each loaded model is a process of its own, as each has a worker process of its own in the framework
images' model server. A container without a loaded model has none, and is healthy.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from local_sagemaker.hosting.replica import Replica, ReplicaError

# How many models a container holds. The service goes by memory and disk, which processes share here.
LIMIT_VARIABLE = "LOCAL_SAGEMAKER_MAX_LOADED_MODELS"
DEFAULT_LIMIT = 8

Measure = Callable[[str, float, str], None]
"""Records a metric of the container: its name, value and unit."""


class ModelNotReadyError(Exception):
    """The model is still being loaded."""


@dataclass
class _Loaded:
    loading: asyncio.Task[Replica]
    requests: int = 0
    lost: bool = False

    @property
    def broken(self) -> bool:
        """Whether it did not load, or its process has ended since."""
        if self.lost or not self.loading.done():
            return self.lost
        return self.loading.cancelled() or bool(self.loading.exception()) or self.loading.result().ended


class ModelHost:
    """Loads models by `make`, from their paths under the prefix; at most `limit` stay loaded.

    The least recently used one goes first, and none while it answers a request: as many as are in use
    at a moment are held then. Without `cache` each goes after its last answer.
    """

    def __init__(
        self, make: Callable[[str], Replica], limit: int, measure: Measure, *, cache: bool = True
    ) -> None:
        self._make = make
        self._limit = limit if cache else 0
        self._measure = measure
        self._models: OrderedDict[str, _Loaded] = OrderedDict()
        self._timeout = 0.0
        self._unloading: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()

    @property
    def replicas(self) -> list[Replica]:
        """The processes of the models that are loaded, the least recently used first."""
        return [
            loaded.loading.result()
            for loaded in self._models.values()
            if loaded.loading.done() and not loaded.broken
        ]

    @property
    def loaded(self) -> list[str]:
        """The models that are loaded, the least recently used first."""
        return [name for name, loaded in self._models.items() if loaded.loading.done() and not loaded.broken]

    async def start(self, timeout: float) -> None:
        """Nothing to start yet; a model has `timeout` real seconds to load."""
        self._timeout = timeout

    async def ping(self, timeout: float) -> None:
        """Healthy: a model whose process does not live is loaded anew by the next request for it."""
        del timeout

    async def enter(self, target_model: str | None) -> Replica:
        """A request for a model goes in; returns when the model is loaded.

        Raises LookupError when there is no such model under the prefix, ReplicaError when it cannot be
        loaded. The model goes on loading when the caller gives up before.
        """
        name = target_model or ""
        loaded = self._models.get(name)
        if loaded and loaded.broken:
            self._drop(name)
            loaded = None
        self._measure("ModelCacheHit", float(loaded is not None), "None")
        if loaded is None:
            loaded = self._models[name] = _Loaded(asyncio.create_task(self._load(self._make(name))))
        self._models.move_to_end(name)
        loaded.requests += 1
        self._evict()
        try:
            waited = time.perf_counter()
            replica = await asyncio.shield(loaded.loading)
            self._measure("ModelLoadingWaitTime", (time.perf_counter() - waited) * 1e6, "Microseconds")
            return replica
        except BaseException:
            loaded.requests -= 1
            raise

    def leave(self, target_model: str | None, replica: Replica) -> None:
        """The request is answered; `replica` is what `enter` gave for it."""
        loaded = self._holding(target_model, replica)
        if loaded:
            loaded.requests -= 1
        self._evict()

    def lose(self, target_model: str | None, replica: Replica) -> None:
        """The process does not answer any more: the next request has the model loaded anew."""
        loaded = self._holding(target_model, replica)
        if loaded:
            loaded.lost = True

    def _holding(self, target_model: str | None, replica: Replica) -> _Loaded | None:
        """What is loaded under that name, unless another process has followed this one since."""
        loaded = self._models.get(target_model or "")
        if loaded is None or loaded.broken or not loaded.loading.done():
            return None
        return loaded if loaded.loading.result() is replica else None

    async def wait_ended(self) -> None:
        """Return when the container is stopped: the end of a model's process is not its end."""
        await self._stopped.wait()

    async def stop(self) -> None:
        """End every process."""
        self._stopped.set()
        models, self._models = self._models, OrderedDict()
        for loaded in models.values():
            loaded.loading.cancel()  # of no effect on one that is done
        await asyncio.gather(*(self._unload(loaded) for loaded in models.values()), *self._unloading)

    async def _load(self, replica: Replica) -> Replica:
        began = time.perf_counter()
        await replica.start(self._timeout)
        self._measure("ModelLoadingTime", (time.perf_counter() - began) * 1e6, "Microseconds")
        self._measure("LoadedModelCount", float(len(self._models)), "None")
        return replica

    def _evict(self) -> None:
        surplus = len(self._models) - self._limit
        idle = [
            name for name, loaded in self._models.items() if not loaded.requests and loaded.loading.done()
        ]
        for name in idle[: max(surplus, 0)]:
            self._drop(name)

    def _drop(self, name: str) -> None:
        task = asyncio.create_task(self._unload(self._models.pop(name)))
        self._unloading.add(task)
        task.add_done_callback(self._unloading.discard)

    async def _unload(self, loaded: _Loaded) -> None:
        began = time.perf_counter()
        try:
            replica = await loaded.loading
        except (ReplicaError, asyncio.CancelledError):
            return
        await replica.stop()
        self._measure("ModelUnloadingTime", (time.perf_counter() - began) * 1e6, "Microseconds")

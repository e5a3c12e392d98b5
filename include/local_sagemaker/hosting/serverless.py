"""A serverless variant: processes come with the requests, and go when there are none (hosting guide,
Serverless Inference)."""

import asyncio
import contextlib
import time

from local_sagemaker.api.errors import ServiceError
from local_sagemaker.hosting.instance import Instance
from local_sagemaker.hosting.launch import FleetError, FleetTools
from local_sagemaker.hosting.records import Deployment, Variant
from local_sagemaker.hosting.variant_fleet import (
    LONGEST_INVOCATION_SECONDS,
    MINIMUM_INVOCATION_SECONDS,
    VariantFleet,
)

IDLE_SECONDS = 300.0  # of the service's time; the guide gives no figure
MINIMUM_IDLE_SECONDS = 1.0


def variant_fleet(endpoint: str, deployment: Deployment, variant: Variant, tools: FleetTools) -> VariantFleet:
    """The fleet of a variant, of the kind it needs."""
    kind = ServerlessFleet if variant.serverless is not None else VariantFleet
    return kind(endpoint, deployment, variant, tools)


class ServerlessFleet(VariantFleet):
    """Processes that answer one request at a time each, up to MaxConcurrency of them.

    A request that finds none free waits for one to start; one beyond MaxConcurrency is throttled.
    ProvisionedConcurrency are kept, others end when they have had nothing to do for a while. The first
    is started with the endpoint, to prove that the model loads.
    """

    def __init__(self, endpoint: str, deployment: Deployment, variant: Variant, tools: FleetTools) -> None:
        super().__init__(endpoint, deployment, variant, tools)
        self._in_flight = 0
        self._proven = False

    async def scale(self, count: int) -> None:
        """Bring up what is provisioned; a variant without instances (`count` 0) is none at all."""
        provisioned = self._provisioned if count else 0
        if count and not self._proven:
            await super().scale(max(provisioned, 1))
            self._proven = True
            reaper = asyncio.create_task(self._reap())
            self._keepers.add(reaper)
            reaper.add_done_callback(self._keepers.discard)
        elif len(self.instances) < provisioned or not count:
            await super().scale(provisioned)
        self.desired = provisioned

    async def acquire(self, session: str | None = None) -> Instance | None:
        """A free process, or after its start a new one; raises ThrottlingException beyond MaxConcurrency."""
        del session  # serverless endpoints hold no state between requests
        if self._in_flight >= self._limits["MaxConcurrency"]:
            raise ServiceError("ThrottlingException", "Rate exceeded")
        self._in_flight += 1
        try:
            instance = self._free()
            while instance is None:
                began = time.perf_counter()
                started = await self._started()
                self._tools.measure(
                    self.endpoint,
                    self.variant.name,
                    "ModelSetupTime",
                    (time.perf_counter() - began) * 1e6,
                    "Microseconds",
                )
                if started is None:
                    break
                instance = started if not started.requests else self._free()
        except BaseException:
            self._in_flight -= 1
            raise
        if instance is None:
            self._in_flight -= 1
        else:
            instance.enter()
        return instance

    async def close(self, *, drain: bool) -> None:
        """Stop every process; if `drain`, after the requests that wait for one to start are answered too."""
        if drain:
            limit = self._tools.clock.limit(LONGEST_INVOCATION_SECONDS, MINIMUM_INVOCATION_SECONDS)
            deadline = time.monotonic() + limit
            while self._in_flight and time.monotonic() < deadline:
                await asyncio.sleep(0.02)
        await super().close(drain=drain)

    async def _started(self) -> Instance | None:
        try:
            return await self._add()
        except FleetError:
            return None

    def release(self, instance: Instance) -> None:
        """The request is answered; the process is free for the next."""
        self._in_flight -= 1
        instance.idle_since = time.monotonic()
        super().release(instance)

    @property
    def _limits(self) -> dict[str, int]:
        return self.variant.serverless or {"MaxConcurrency": 1}

    @property
    def _provisioned(self) -> int:
        return self._limits.get("ProvisionedConcurrency", 0)

    def _free(self) -> Instance | None:
        """The free process that was busy last: the others get to be idle long enough to go."""
        free = [each for each in self.instances if not each.requests and not each.refusing]
        return max(free, key=lambda instance: instance.idle_since, default=None)

    async def _reap(self) -> None:
        patience = self._tools.clock.limit(IDLE_SECONDS, MINIMUM_IDLE_SECONDS)
        while True:
            await asyncio.sleep(patience / 4)
            before = time.monotonic() - patience
            idle = [each for each in self.instances if not each.requests and each.idle_since < before]
            for instance in idle[: max(len(self.instances) - self._provisioned, 0)]:
                self.instances.remove(instance)
                with contextlib.suppress(FleetError):
                    await self._retire(instance)

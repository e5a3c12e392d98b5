"""One instance of a production variant: its model's containers, running."""

import asyncio
import contextlib
import time
from collections.abc import Mapping

from local_sagemaker.clock import Clock
from local_sagemaker.hosting.multi_model import ModelHost
from local_sagemaker.hosting.replica import Replica, ReplicaError

Host = Replica | ModelHost

PING_SECONDS = 5.0
MINIMUM_PING_SECONDS = 1.0
MINIMUM_PING_TIMEOUT_SECONDS = 2.0
PINGS_MISSED = 3  # in a row, and the instance is replaced


class ContainerFailed(ReplicaError):
    """A container of the instance did not come up; `hostname` says which."""

    def __init__(self, hostname: str, error: ReplicaError) -> None:
        super().__init__(f"container {hostname}: {error}")
        self.hostname = hostname


class Instance:
    """The containers that serve together, by hostname in the order of the model's definition.

    It is healthy while all of them are, and is replaced as a whole. `requests` counts those in flight;
    `retired` is set once it is being stopped, `refusing` once it took no connection.
    """

    def __init__(self, containers: Mapping[str, Host]) -> None:
        self.containers = dict(containers)
        self.requests = 0
        self.retired = False
        self.refusing = False
        self.idle_since = time.monotonic()
        self._idle = asyncio.Event()

    @property
    def replicas(self) -> list[Replica]:
        """Every process of the instance."""
        return [replica for host in self.containers.values() for replica in host.replicas]

    async def start(self, timeout: float) -> None:
        """Start every container; `timeout` is in real seconds.

        Raises ContainerFailed when one does not come up; nothing of the instance is left by then.
        """
        starting = [asyncio.create_task(self._start(hostname, timeout)) for hostname in self.containers]
        try:
            await asyncio.gather(*starting)
        except BaseException:
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)
            await self.stop()
            raise

    async def _start(self, hostname: str, timeout: float) -> None:
        try:
            await self.containers[hostname].start(timeout)
        except ReplicaError as error:
            raise ContainerFailed(hostname, error) from error

    async def wait_unhealthy(self, clock: Clock) -> None:
        """Return when a container is gone, for whatever reason, or fails its pings."""
        hosts = self.containers.values()
        waiting = [asyncio.create_task(host.wait_ended()) for host in hosts]
        waiting += [asyncio.create_task(self._wait_unresponsive(host, clock)) for host in hosts]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    def enter(self) -> None:
        """A request goes in: the instance is not stopped before `leave`."""
        self.requests += 1
        self._idle.clear()

    def leave(self) -> None:
        """The request is answered."""
        self.requests -= 1
        if self.requests == 0:
            self._idle.set()

    async def drain(self, timeout: float) -> None:
        """Wait until no request is in flight, at most `timeout` real seconds."""
        if self.requests:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), timeout)

    async def stop(self) -> None:
        """End every process and remove its files; the logs stay."""
        self.retired = True
        await asyncio.gather(*(host.stop() for host in self.containers.values()))

    async def _wait_unresponsive(self, host: Host, clock: Clock) -> None:
        """Return once several pings in a row have failed; one that fails may be the machine's doing."""
        missed = 0
        while missed < PINGS_MISSED:
            await asyncio.sleep(clock.limit(PING_SECONDS, MINIMUM_PING_SECONDS))
            try:
                await host.ping(clock.limit(PING_SECONDS, MINIMUM_PING_TIMEOUT_SECONDS))
            except ReplicaError:
                missed += 1
            else:
                missed = 0
                self.refusing = False

"""One instance of a production variant: a process for each of its model's containers."""

import asyncio
import contextlib
from collections.abc import Mapping

from local_sagemaker.hosting.replica import Replica, ReplicaError, ReplicaSpec


class ContainerFailed(ReplicaError):
    """A container of the instance did not come up; `hostname` says which."""

    def __init__(self, hostname: str, error: ReplicaError) -> None:
        super().__init__(f"container {hostname}: {error}")
        self.hostname = hostname


class Instance:
    """The containers that serve together, by hostname in the order of the model's definition.

    It is healthy while all of them are, and is replaced as a whole. `requests` counts those in flight;
    `retired` is set once it is being stopped.
    """

    def __init__(self, containers: Mapping[str, Replica]) -> None:
        self.containers = dict(containers)
        self.requests = 0
        self.retired = False
        self._idle = asyncio.Event()

    @property
    def replicas(self) -> list[Replica]:
        """Every process of the instance."""
        return list(self.containers.values())

    async def start(self, specs: Mapping[str, ReplicaSpec], timeout: float) -> None:
        """Start every container; `timeout` is in real seconds.

        Raises ContainerFailed when one does not come up; nothing of the instance is left by then.
        """
        starting = [
            asyncio.create_task(self._start(hostname, spec, timeout)) for hostname, spec in specs.items()
        ]
        try:
            await asyncio.gather(*starting)
        except BaseException:
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)
            await self.stop()
            raise

    async def _start(self, hostname: str, spec: ReplicaSpec, timeout: float) -> None:
        try:
            await self.containers[hostname].start(spec, timeout)
        except ReplicaError as error:
            raise ContainerFailed(hostname, error) from error

    async def wait_ended(self) -> None:
        """Return when one of the containers is gone, for whatever reason."""
        waiting = [asyncio.create_task(replica.wait_ended()) for replica in self.replicas]
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
        await asyncio.gather(*(replica.stop() for replica in self.replicas))

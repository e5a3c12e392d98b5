"""The instances that serve a deployment: started together, picked by weight, replaced when they die."""

import asyncio
import contextlib
import itertools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp

from local_sagemaker.clock import Clock
from local_sagemaker.faults.engine import Place
from local_sagemaker.faults.instances import InstanceFaults, NoCapacity
from local_sagemaker.hosting.instance import ContainerFailed, Instance
from local_sagemaker.hosting.records import Container, Deployment, Variant
from local_sagemaker.hosting.replica import Replica, ReplicaSpec

MINIMUM_STARTUP_SECONDS = 30.0
# A container has 60 s to answer (InvokeEndpoint's reference), so nothing is in flight for longer.
INVOCATION_SECONDS = 60.0
MINIMUM_INVOCATION_SECONDS = 5.0
RESTART_DELAYS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)


class FleetError(Exception):
    """A fleet did not come up; the message is the endpoint's FailureReason."""


@dataclass(frozen=True)
class FleetTools:
    """What every fleet needs of the server."""

    clock: Clock
    client: aiohttp.ClientSession
    replicas_dir: Path
    logs_dir: Path
    archive: Callable[[str], Path | None]
    faults: InstanceFaults


class VariantFleet:
    """The instances of one production variant of the endpoint configuration `config_name`."""

    def __init__(self, endpoint: str, config_name: str, variant: Variant, tools: FleetTools) -> None:
        self.config_name = config_name
        self.variant = variant
        self.instances: list[Instance] = []
        self._endpoint = endpoint
        self._started = itertools.count()
        self.desired = 0
        self.active: int | None = None
        self._log_dir = tools.logs_dir / endpoint
        self._tools = tools
        self._turn = itertools.count()
        self._keepers: set[asyncio.Task[None]] = set()

    async def scale(self, count: int) -> None:
        """Start instances up to `count`, or drain and stop those beyond it.

        Raises FleetError when one does not come up; those that did come up stay.
        """
        self.desired = count
        missing = range(count - len(self.instances))
        outcomes = await asyncio.gather(*(self._add() for _ in missing), return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome
        surplus, self.instances = self.instances[count:], self.instances[:count]
        await asyncio.gather(*(self._retire(instance) for instance in surplus))

    def activate(self, count: int) -> None:
        """Turn on traffic on that many instances; a canary, for one, is a part of its fleet."""
        self.active = None if count >= self.variant.count else count

    @property
    def taking(self) -> list[Instance]:
        """The instances that take requests."""
        return self.instances if self.active is None else self.instances[: self.active]

    def pick(self) -> Instance | None:
        """The instance whose turn it is, or None while none is running."""
        taking = self.taking
        return taking[next(self._turn) % len(taking)] if taking else None

    async def close(self, *, drain: bool) -> None:
        """Stop every instance, after its requests are answered if `drain`."""
        keepers = list(self._keepers)
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        instances, self.instances = self.instances, []
        await asyncio.gather(
            *(self._retire(instance) if drain else instance.stop() for instance in instances)
        )

    async def _retire(self, instance: Instance) -> None:
        instance.retired = True
        try:
            await instance.drain(self._tools.clock.limit(INVOCATION_SECONDS, MINIMUM_INVOCATION_SECONDS))
        finally:
            await instance.stop()

    async def _launch(self) -> Instance:
        specs = {container.hostname: self._spec(container) for container in self.variant.containers}
        place = Place(
            "endpoint",
            self._endpoint,
            self.variant.name,
            self.config_name,
            instance_type=self.variant.instance_type or "",
            index=next(self._started),
        )
        try:
            await self._tools.faults.before_start(place)
        except NoCapacity as error:
            raise FleetError(str(error)) from error
        instance = Instance({hostname: self._replica(hostname, place) for hostname in specs})
        timeout = self._tools.clock.limit(self.variant.startup_timeout, MINIMUM_STARTUP_SECONDS)
        try:
            await instance.start(specs, timeout)
        except ContainerFailed as error:
            raise FleetError(
                f"The {error.hostname} container for production variant {self.variant.name} did not pass "
                "the ping health check. Please check CloudWatch logs for this endpoint."
            ) from error
        return instance

    def _replica(self, hostname: str, place: Place) -> Replica:
        identity = uuid.uuid4().hex[:12]
        # The log of a pipeline's container names the container, as its log stream does.
        name = f"{identity}-{hostname}" if len(self.variant.containers) > 1 else identity
        return Replica(
            base_dir=self._tools.replicas_dir / identity,
            log_path=self._log_dir / f"{self.variant.name}-{name}.log",
            client=self._tools.client,
            faults=self._tools.faults.of_replica(replace(place, container=hostname)),
        )

    def _spec(self, container: Container) -> ReplicaSpec:
        uri = container.model_data_url
        archive = self._tools.archive(uri) if uri else None
        if uri and archive is None:
            raise FleetError(
                f'Failed to download model data from URL "{uri}". Please ensure that there is an object '
                "located at the URL and that the role passed to CreateModel has permissions to download it."
            )
        return ReplicaSpec(archive=archive, environment=container.environment)

    async def _add(self) -> None:
        instance = await self._launch()
        self.instances.append(instance)
        keeper = asyncio.create_task(self._keep(instance))
        self._keepers.add(keeper)
        keeper.add_done_callback(self._keepers.discard)

    async def _keep(self, instance: Instance) -> None:
        """Put a new instance in the place of one of which a process died on its own."""
        await instance.wait_ended()
        if instance.retired:
            return
        self.instances.remove(instance)
        await instance.stop()
        for delay in itertools.chain(RESTART_DELAYS, itertools.repeat(RESTART_DELAYS[-1])):
            await asyncio.sleep(delay)
            if len(self.instances) >= self.desired:
                return
            with contextlib.suppress(FleetError):
                await self._add()


class Fleet:
    """All variants of a deployment, between which requests are shared by weight.

    `shadows` are its shadow variants, which get copies of requests and answer none.
    """

    def __init__(self, endpoint: str, deployment: Deployment, tools: FleetTools) -> None:
        self.variants = {
            variant.name: VariantFleet(endpoint, deployment.config_name, variant, tools)
            for variant in deployment.variants
        }
        self.shadows = {
            variant.name: VariantFleet(endpoint, deployment.config_name, variant, tools)
            for variant in deployment.shadows
        }

    @property
    def everyone(self) -> list[VariantFleet]:
        """Production variants and shadow variants."""
        return [*self.variants.values(), *self.shadows.values()]

    async def start(self) -> None:
        """Start every instance; raises FleetError, with nothing left running, when one does not come up."""
        try:
            await self.scale({})
        except BaseException:
            await self.close(drain=False)
            raise

    async def scale(self, counts: Mapping[str, int]) -> None:
        """Bring variants to these numbers of instances; those not named to their own counts.

        Raises FleetError when one does not come up; those that did come up stay.
        """
        tasks = [
            asyncio.create_task(variant.scale(counts.get(variant.variant.name, variant.variant.count)))
            for variant in self.everyone
        ]
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def resize(self, deployment: Deployment) -> None:
        """Take on the counts and weights of `deployment` (same variants) without losing a request.

        Grows first, then moves the traffic, then shrinks; raises FleetError, with the counts as they
        were, when an instance does not come up.
        """
        before = {each.variant.name: each.variant.count for each in self.everyone}
        target = {variant.name: variant for variant in (*deployment.variants, *deployment.shadows)}
        try:
            await self.scale({name: max(target[name].count, count) for name, count in before.items()})
        except FleetError:
            await self.scale(before)
            raise
        for each in self.everyone:
            each.variant = target[each.variant.name]
        await self.scale({})

    async def close(self, *, drain: bool) -> None:
        """Stop everything, after the requests in flight are answered if `drain`."""
        await asyncio.gather(*(each.close(drain=drain) for each in self.everyone))

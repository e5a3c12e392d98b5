"""The instances of one production variant: balanced over, and replaced when they die."""

import asyncio
import itertools
import logging
import random
import time

from local_sagemaker.hosting.instance import Instance
from local_sagemaker.hosting.launch import FleetError, FleetTools, Launcher
from local_sagemaker.hosting.records import Deployment, Variant

# The longest that anything is in flight: an asynchronous request (InvokeEndpointAsync's reference).
LONGEST_INVOCATION_SECONDS = 3600.0
MINIMUM_INVOCATION_SECONDS = 5.0
RESTART_DELAYS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
EARLY_SECONDS = 20.0  # one that dies within these is likely to die again: its place is filled ever later
logger = logging.getLogger(__name__)
_random = random.Random()  # noqa: S311 - shares of traffic, nothing secret


class VariantFleet:
    """The instances of one variant of a deployment.

    `desired` is how many it keeps running; `config_name`, `data_capture` and `async_inference` are the
    deployment's.
    """

    def __init__(self, endpoint: str, deployment: Deployment, variant: Variant, tools: FleetTools) -> None:
        self.endpoint = endpoint
        self.config_name = deployment.config_name
        self.data_capture = deployment.data_capture
        self.async_inference = deployment.async_inference
        self.variant = variant
        self.instances: list[Instance] = []
        self.desired = 0
        self.replaced = 0  # how many died, or were unhealthy
        self.active: int | None = None
        self._tools = tools
        self._launcher = Launcher(endpoint, deployment.config_name, tools)
        self._turn = itertools.count()
        self._keepers: set[asyncio.Task[None]] = set()
        self._sessions: dict[str, Instance] = {}
        self._closed = False

    async def scale(self, count: int) -> None:
        """Start instances up to `count`, or drain and stop those beyond it.

        Raises FleetError when one does not come up; those that did come up stay.
        """
        self.desired = count
        missing = range(count - len(self.instances))
        outcomes = await asyncio.gather(*(self._add() for _ in missing), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        surplus, self.instances = self.instances[count:], self.instances[:count]
        for instance in surplus:
            instance.retired = True  # now: none of them is to be replaced
        await asyncio.gather(*(self._retire(instance) for instance in surplus))

    def activate(self, count: int) -> None:
        """Turn on traffic on that many instances; a canary, for one, is a part of its fleet."""
        self.active = None if count >= self.variant.count else count

    @property
    def taking(self) -> list[Instance]:
        """The instances that take requests."""
        return self.instances if self.active is None else self.instances[: self.active]

    async def acquire(self, session: str | None = None) -> Instance | None:
        """The instance for a request, which has entered it; None while none is running.

        Of a session the one that holds it; else the one with the fewest requests in flight, in turn
        where several have, or with RANDOM routing any.
        """
        instance = self._sessions.get(session) if session else None
        if instance is None or instance.retired or instance.refusing:
            instance = self._next()
        if instance is not None:
            instance.enter()
        return instance

    def _next(self) -> Instance | None:
        taking = self.taking
        if len(taking) == 1 and not taking[0].refusing:
            return taking[0]
        healthy = [instance for instance in taking if not instance.refusing]
        if not healthy:
            return None
        if self.variant.routing == "RANDOM":
            return _random.choice(healthy)
        turn = next(self._turn) % len(healthy)
        return min(healthy[turn:] + healthy[:turn], key=lambda instance: instance.requests)

    def release(self, instance: Instance) -> None:
        """The request that entered the instance is answered."""
        instance.leave()

    def open_session(self, session: str, instance: Instance) -> None:
        """Requests of the session go to this instance from now on (InvokeEndpoint's reference)."""
        self._sessions[session] = instance

    def close_session(self, session: str) -> None:
        """The model has closed the session."""
        self._sessions.pop(session, None)

    async def close(self, *, drain: bool) -> None:
        """Stop every instance, after its requests are answered if `drain`."""
        self._closed = True
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
            await instance.drain(
                self._tools.clock.limit(LONGEST_INVOCATION_SECONDS, MINIMUM_INVOCATION_SECONDS)
            )
        finally:
            await instance.stop()
            self._forget_sessions(instance)

    def _forget_sessions(self, instance: Instance) -> None:
        self._sessions = {name: each for name, each in self._sessions.items() if each is not instance}

    async def _add(self, early_deaths: int = 0) -> Instance:
        """One more instance; `early_deaths` is how many in its place died soon after their start."""
        instance = await self._launcher.launch(self.variant)
        if self._closed:
            await instance.stop()
            raise FleetError(f"Variant {self.variant.name} was stopped while an instance of it started.")
        self.instances.append(instance)
        keeper = asyncio.create_task(self._keep(instance, early_deaths))
        self._keepers.add(keeper)
        keeper.add_done_callback(self._keepers.discard)
        return instance

    async def _keep(self, instance: Instance, early_deaths: int) -> None:
        """Put a new instance in the place of one that died on its own, or no longer answers its pings."""
        began = time.monotonic()
        await instance.wait_unhealthy(self._tools.clock)
        if instance.retired:
            return
        self.instances.remove(instance)
        self.replaced += 1
        await instance.stop()
        self._forget_sessions(instance)
        early = early_deaths + 1 if time.monotonic() - began < EARLY_SECONDS else 0
        first = min(max(early - 1, 0), len(RESTART_DELAYS) - 1)
        for delay in itertools.chain(RESTART_DELAYS[first:], itertools.repeat(RESTART_DELAYS[-1])):
            await asyncio.sleep(delay)
            if len(self.instances) >= self.desired or await self._replace(early):
                return

    async def _replace(self, early_deaths: int) -> bool:
        """Start an instance in the place of another; whether that one's place is seen to."""
        try:
            added = await self._add(early_deaths)
        except FleetError:
            return False
        except Exception:
            logger.exception("endpoint %s: no instance of %s was started", self.endpoint, self.variant.name)
            return False
        if len(self.instances) > self.desired:  # the count was changed, and reached, meanwhile
            self.instances.remove(added)
            await self._retire(added)
        return True

"""The state machine of an endpoint: what happens between the answer to a request and the settled state.

Creating -> InService | Failed; Updating -> InService, or RollingBack -> InService on the old
configuration, or UpdateRollbackFailed; Deleting -> gone. Each step is written to the store before the
next begins. A killed server brings back the old fleet and begins an update anew, or ends its rollback:
an endpoint always ends on one complete configuration.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Literal

from local_sagemaker.clock import Clock
from local_sagemaker.hosting.fleet import Fleet, FleetError
from local_sagemaker.hosting.policy import part
from local_sagemaker.hosting.progress import Progress, launching, scaling
from local_sagemaker.hosting.records import SERVING, Deployment, Endpoint, Status
from local_sagemaker.hosting.rollout import StageName, at_least
from local_sagemaker.hosting.surroundings import Surroundings
from local_sagemaker.hosting.traffic import Traffic
from local_sagemaker.hosting.update import Update

KIND = "endpoint"
logger = logging.getLogger(__name__)


class Lifecycle:
    """One endpoint's record, its fleets and the change under way.

    `fleet` is that of `record.live`; `incoming` that of `record.pending` during a deployment, and that of
    `record.beside` after one whose rollback failed.
    """

    def __init__(self, record: Endpoint, around: Surroundings) -> None:
        self.record = record
        self.fleet: Fleet | None = None
        self.incoming: Fleet | None = None
        self.progress = Progress(around.tools.clock)
        self.around = around
        self._traffic: Traffic | None = None
        self._change: asyncio.Task[None] | None = None
        self._draining: set[asyncio.Task[None]] = set()
        self.gone = False

    @property
    def clock(self) -> Clock:
        """The service's clock."""
        return self.around.tools.clock

    @property
    def serving(self) -> Traffic | None:
        """What takes requests now, or None while the endpoint takes none."""
        return self._traffic if self.record.status in SERVING else None

    @property
    def fleets(self) -> list[Fleet]:
        """Every fleet that runs, the old one first."""
        return [fleet for fleet in (self.fleet, self.incoming) if fleet]

    def save(self, **changes: Any) -> None:
        """Change the record and write it; LastModifiedTime moves."""
        before = self.record.status
        self._write({**changes, "modified": self.clock.now()})
        if self.record.status != before:
            self.around.announce_status(self)

    def save_tags(self, tags: dict[str, str]) -> None:
        """Change the tags, which is no change of the endpoint."""
        self._write({"tags": tags})

    def _write(self, changes: dict[str, Any]) -> None:
        self.record = self.record.model_copy(update=changes)
        self.around.store.put(KIND, self.record.name.lower(), self.record.model_dump())

    def route(self, traffic: Traffic) -> None:
        """Send requests this way from now on."""
        self._traffic = traffic

    def stage(self, side: Literal["old", "new"], status: StageName, messages: Mapping[str, str]) -> None:
        """Show that a stage of the deployment has begun."""
        self.progress.begin(side, status, messages)
        self.around.announce_deployment(self)

    def create(self) -> None:
        """Begin to bring up `record.pending`."""
        self._begin("Creating", self._create())
        self.around.announce_status(self)

    def update(self, target: Deployment, **changes: Any) -> None:
        """Begin to replace the running deployment, or to resize it if the target is `in_place`."""
        change = self._resize(target) if target.in_place else Update(self, target).run()
        self._begin("Updating", change, pending=target, failure_reason=None, **changes)

    def delete(self) -> None:
        """Begin to take the endpoint down; it takes no request from now on."""
        self._begin("Deleting", self._delete())

    def force_status(self, status: Status) -> None:
        """Put the endpoint into a state that does not arise by itself here."""
        self.save(status=status)

    async def resume(self) -> None:
        """After a restart: bring back what was running, then go on with the change that was under way."""
        record = self.record
        if record.status == "Deleting":
            self.delete()
        elif record.status == "Creating":
            self.create()
        elif record.live and record.status in SERVING:
            await self._bring_back(record.live)

    async def _bring_back(self, live: Deployment) -> None:
        self.fleet, error = await self._started(live)
        if self.record.beside:
            self.incoming, _ = await self._started(self.record.beside)
        serving = self.fleets
        if not serving:
            self.save(status="OutOfService", failure_reason=str(error), pending=None, beside=None)
            return
        self.route(self._mixed() if len(serving) > 1 else Traffic.to(serving[0]))
        if self.record.status == "Updating" and self.record.pending:
            self.update(self.record.pending)
        elif self.record.status in ("Updating", "RollingBack"):
            self.save(status=self.settled, pending=None)

    async def _started(self, deployment: Deployment) -> tuple[Fleet | None, FleetError | None]:
        fleet = Fleet(self.record.name, deployment, self.around.tools)
        try:
            await fleet.start()
        except FleetError as error:
            return None, error
        return fleet, None

    async def close(self) -> None:
        """Stop every process without changing the record: the next start resumes from it."""
        if self._change:
            self._change.cancel()
            await asyncio.gather(self._change, return_exceptions=True)
        for task in list(self._draining):
            task.cancel()
        await asyncio.gather(*self._draining, return_exceptions=True)
        await asyncio.gather(*(fleet.close(drain=False) for fleet in self.fleets))

    def _begin(self, status: Status, change: Coroutine[Any, Any, None], **changes: Any) -> None:
        self.progress = Progress(self.clock)
        self.save(status=status, **changes)
        self._change = asyncio.create_task(self._guard(change), name=f"{status} {self.record.name}")

    async def _guard(self, change: Coroutine[Any, Any, None]) -> None:
        """No endpoint stays in progress for ever because of a fault of ours."""
        try:
            await change
        except Exception as error:
            logger.exception("endpoint %s: %s failed", self.record.name, self.record.status)
            await self._discard_incoming()
            self.save(status="Failed", failure_reason=f"Internal failure: {error!r}", pending=None)
        finally:
            self.progress = Progress(self.clock)

    async def _create(self) -> None:
        target = self.record.pending
        if target is None:
            raise RuntimeError(f"endpoint {self.record.name} is Creating with nothing to create")
        self.incoming = Fleet(self.record.name, target, self.around.tools)
        self.stage("new", "Creating", launching(self.incoming))
        try:
            await self.provision(self.incoming.start)
        except FleetError as error:
            await self._discard_incoming()
            self.save(status="Failed", failure_reason=str(error), pending=None)
            return
        self.settle_on(target)

    async def _resize(self, target: Deployment) -> None:
        fleet = self.fleet
        if fleet is None:
            raise RuntimeError(f"endpoint {self.record.name} has no fleet to resize")
        self.stage("old", "Updating", scaling(fleet, target))
        try:
            await self.provision(lambda: fleet.resize(target))
        except FleetError as error:
            self.save(status="RollingBack", failure_reason=self.shown(str(error)))
            await self.clock.sleep(self.around.provision_seconds)
            self.save(status=self.settled, pending=None)
            return
        self.save(status="InService", live=target.model_copy(update={"in_place": False}), pending=None)

    async def _delete(self) -> None:
        fleets, self.fleet, self.incoming = self.fleets, None, None
        await asyncio.gather(*(fleet.close(drain=True) for fleet in fleets))
        await self.clock.sleep(self.around.provision_seconds)
        self.around.store.delete(KIND, self.record.name.lower())
        self.gone = True

    async def provision(self, work: Callable[[], Awaitable[None]]) -> None:
        """Start instances, in no less than the service's own time."""
        await at_least(work(), self.clock.sleep(self.around.provision_seconds))

    def settle_on(self, target: Deployment) -> None:
        """Serve with the incoming fleet alone, which is that of `target`."""
        self.fleet, self.incoming = self.incoming, None
        if self.fleet:
            self.route(Traffic.to(self.fleet))
        self.save(
            status="InService",
            live=target.model_copy(update={"policy": None}),
            config_name=target.config_name,
            pending=None,
            beside=None,
        )

    @property
    def settled(self) -> Status:
        """The state to go back to when a change has failed."""
        return "UpdateRollbackFailed" if self.record.beside else "InService"

    def shown(self, reason: str) -> str | None:
        """The FailureReason after a rollback, where it is not to be left out."""
        return None if self.around.omit_rollback_reason else reason

    def _mixed(self) -> Traffic:
        """Both configurations, by what runs of each."""
        old, new = self.fleets
        shares = {
            name: part(len(variant.instances), len(variant.instances) + len(old.variants[name].instances))
            for name, variant in new.variants.items()
        }
        return Traffic.split(old, new, shares)

    async def _discard_incoming(self) -> None:
        fleet, self.incoming = self.incoming, None
        if fleet:
            await fleet.close(drain=False)

    def drain(self, fleet: Fleet) -> None:
        """Stop a fleet in the background, after its last answer."""
        task = asyncio.create_task(fleet.close(drain=True), name=f"drain {self.record.name}")
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)

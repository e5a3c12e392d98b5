"""The state machine of an endpoint: what happens between the answer to a request and the settled state.

Creating -> InService | Failed; Updating -> InService, or RollingBack -> InService on the old
configuration; Deleting -> gone. Each step is written to the store before the next begins, so that a
killed server resumes where it was.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from local_sagemaker.clock import Clock
from local_sagemaker.hosting.fleet import Fleet, FleetError, FleetTools
from local_sagemaker.hosting.records import SERVING, Deployment, Endpoint, Status
from local_sagemaker.hosting.traffic import Traffic
from local_sagemaker.store import Store

KIND = "endpoint"
logger = logging.getLogger(__name__)


class Lifecycle:
    """One endpoint's record, its fleet and the change under way."""

    def __init__(
        self,
        record: Endpoint,
        store: Store,
        tools: FleetTools,
        *,
        provision_seconds: float,
        omit_rollback_reason: bool,
    ) -> None:
        self.record = record
        self.fleet: Fleet | None = None
        self._store = store
        self._tools = tools
        self._provision_seconds = provision_seconds
        self._omit_rollback_reason = omit_rollback_reason
        self._change: asyncio.Task[None] | None = None
        self._draining: set[asyncio.Task[None]] = set()
        self.gone = False

    @property
    def clock(self) -> Clock:
        """The service's clock."""
        return self._tools.clock

    @property
    def serving(self) -> Traffic | None:
        """What takes requests now, or None while the endpoint takes none."""
        return Traffic([(self.fleet, 1.0)]) if self.fleet and self.record.status in SERVING else None

    def save(self, **changes: Any) -> None:
        """Change the record and write it; LastModifiedTime moves."""
        self._write({**changes, "modified": self.clock.now()})

    def save_tags(self, tags: dict[str, str]) -> None:
        """Change the tags, which is no change of the endpoint."""
        self._write({"tags": tags})

    def _write(self, changes: dict[str, Any]) -> None:
        self.record = self.record.model_copy(update=changes)
        self._store.put(KIND, self.record.name.lower(), self.record.model_dump())

    def create(self) -> None:
        """Begin to bring up `record.pending`."""
        self._begin("Creating", self._create())

    def update(self, target: Deployment, **changes: Any) -> None:
        """Begin to replace the running deployment, or to resize it if the target is `in_place`."""
        change = self._resize(target) if target.in_place else self._replace(target)
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
        fleet = Fleet(self.record.name, live, self._tools)
        try:
            await fleet.start()
        except FleetError as error:
            self.save(status="OutOfService", failure_reason=str(error), pending=None)
            return
        self.fleet = fleet
        if self.record.status == "Updating" and self.record.pending:
            self.update(self.record.pending)
        elif self.record.status in ("Updating", "RollingBack"):
            self.save(status="InService", pending=None)

    async def close(self) -> None:
        """Stop every process without changing the record: the next start resumes from it."""
        if self._change:
            self._change.cancel()
            await asyncio.gather(self._change, return_exceptions=True)
        for task in list(self._draining):
            task.cancel()
        await asyncio.gather(*self._draining, return_exceptions=True)
        if self.fleet:
            await self.fleet.close(drain=False)

    def _begin(self, status: Status, change: Coroutine[Any, Any, None], **changes: Any) -> None:
        self.save(status=status, **changes)
        self._change = asyncio.create_task(self._guard(change), name=f"{status} {self.record.name}")

    async def _guard(self, change: Coroutine[Any, Any, None]) -> None:
        """No endpoint stays in progress for ever because of a fault of ours."""
        try:
            await change
        except Exception as error:
            logger.exception("endpoint %s: %s failed", self.record.name, self.record.status)
            self.save(status="Failed", failure_reason=f"Internal failure: {error!r}", pending=None)

    async def _create(self) -> None:
        target = self.record.pending
        if target is None:
            raise RuntimeError(f"endpoint {self.record.name} is Creating with nothing to create")
        try:
            self.fleet = await self._new_fleet(target)
        except FleetError as error:
            self.save(status="Failed", failure_reason=str(error), pending=None)
            return
        self.save(status="InService", live=target, pending=None)

    async def _replace(self, target: Deployment) -> None:
        """Blue/green: the new fleet is up before it gets traffic, the old one down after its last answer."""
        try:
            new = await self._new_fleet(target)
        except FleetError as error:
            await self._roll_back(error)
            return
        old, self.fleet = self.fleet, new
        self.save(status="InService", live=target, config_name=target.config_name, pending=None)
        if old:
            self._drain(old)

    async def _resize(self, target: Deployment) -> None:
        if self.fleet is None:
            raise RuntimeError(f"endpoint {self.record.name} has no fleet to resize")
        try:
            await asyncio.gather(self.fleet.resize(target), self.clock.sleep(self._provision_seconds))
        except FleetError as error:
            await self._roll_back(error)
            return
        self.save(status="InService", live=target.model_copy(update={"in_place": False}), pending=None)

    async def _roll_back(self, error: FleetError) -> None:
        """The service's silent rollback: InService on the old configuration, with or without a reason."""
        self.save(status="RollingBack")
        await self.clock.sleep(self._provision_seconds)
        reason = None if self._omit_rollback_reason else str(error)
        self.save(status="InService", failure_reason=reason, pending=None)

    async def _delete(self) -> None:
        fleet, self.fleet = self.fleet, None
        if fleet:
            await fleet.close(drain=True)
        await self.clock.sleep(self._provision_seconds)
        self._store.delete(KIND, self.record.name.lower())
        self.gone = True

    async def _new_fleet(self, target: Deployment) -> Fleet:
        fleet = Fleet(self.record.name, target, self._tools)
        # Not gather: a model that cannot start fails at once, one that can takes its least time.
        provisioned = asyncio.create_task(self.clock.sleep(self._provision_seconds))
        try:
            await fleet.start()
            await provisioned
        except asyncio.CancelledError:
            await fleet.close(drain=False)
            raise
        finally:
            provisioned.cancel()
        return fleet

    def _drain(self, fleet: Fleet) -> None:
        task = asyncio.create_task(fleet.close(drain=True), name=f"drain {self.record.name}")
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)

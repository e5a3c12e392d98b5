"""The trigger behind a release that is held."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from endpoint_deploy.aws.freeze_poller import FreezePoller
from endpoint_deploy.core.change_spec import ChangesSpec
from endpoint_deploy.core.standstill import Freeze, standstill

_LEAST_SECONDS = 5.0  # for one look, also where the triggerer comes to it late


class ReleaseOpenTrigger(BaseTrigger):
    """Fires once the endpoint is neither frozen nor out of its change window.

    The event is `{"settled": bool}`, False at the deadline (seconds since the epoch). changes: the spec's
    section as JSON. One GetObject a look; the windows need none.
    """

    def __init__(
        self,
        *,
        conn_id: str,
        region: str,
        store: str,
        endpoint: str,
        changes: dict[str, Any],
        poll_seconds: float,
        deadline: float,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's has no annotations
        self.conn_id = conn_id
        self.region = region
        self.store = store
        self.endpoint = endpoint
        self.changes = changes
        self.poll_seconds = poll_seconds
        self.deadline = deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class path is stored with the deferred task: moving this class breaks what is deferred."""
        return (
            "endpoint_deploy.triggers.release_open.ReleaseOpenTrigger",
            {
                "conn_id": self.conn_id,
                "region": self.region,
                "store": self.store,
                "endpoint": self.endpoint,
                "changes": self.changes,
                "poll_seconds": self.poll_seconds,
                "deadline": self.deadline,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait through the process's shared poller."""
        changes = ChangesSpec.model_validate(self.changes)

        def open_now(freeze: Freeze | None) -> bool:
            return standstill(changes, freeze, datetime.now(UTC)) is None

        poller = FreezePoller.shared(self.conn_id, self.region)
        try:
            async with asyncio.timeout(max(self.deadline - time.time(), _LEAST_SECONDS)):
                await poller.wait((self.store, self.endpoint), open_now, self.poll_seconds)
        except TimeoutError:
            yield TriggerEvent({"settled": False})
        else:
            yield TriggerEvent({"settled": True})

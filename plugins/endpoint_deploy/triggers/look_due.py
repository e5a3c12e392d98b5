"""The trigger behind the pauses of a stage: it is time to look again, or a person has answered."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from airflow.providers.standard.triggers.hitl import HITLTrigger
from airflow.triggers.base import BaseTrigger, TriggerEvent


class LookDueTrigger(BaseTrigger):
    """Fires `{"look": True}` at a moment, in seconds since the epoch.

    Where a person was asked in the task `ti_id`, an answer that is there sooner fires what Airflow's own
    trigger of a human-in-the-loop task fires with it. An answer that reaches Airflow's API wakes the task by
    itself, whatever this trigger is doing.
    """

    def __init__(self, *, at: float, ti_id: str | None = None, options: list[str] | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's has no annotations
        self.at = at
        self.ti_id = ti_id
        self.options = options or []

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class path is stored with the deferred task: moving this class breaks what is deferred."""
        return (
            "endpoint_deploy.triggers.look_due.LookDueTrigger",
            {"at": self.at, "ti_id": self.ti_id, "options": self.options},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait for the moment, or for the answer."""
        seconds = max(0.0, self.at - time.time())
        if self.ti_id is None:
            await asyncio.sleep(seconds)
            yield TriggerEvent({"look": True})
            return
        answer = HITLTrigger(ti_id=UUID(self.ti_id), options=self.options, params={}, timeout_datetime=None)
        try:
            async with asyncio.timeout(seconds):
                event = await anext(aiter(answer.run()))
        except TimeoutError:
            event = TriggerEvent({"look": True})
        yield event

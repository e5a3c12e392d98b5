"""State changes as events on the default bus, where moto's rules take them to their targets."""

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any

from local_sagemaker.backing.moto import Moto

logger = logging.getLogger(__name__)


class Events:
    """Puts `aws.sagemaker` events on EventBridge's default bus, in the order they are emitted."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def emit(self, detail_type: str, detail: dict[str, Any], resources: Sequence[str]) -> None:
        """One event; `detail_type` is as in "SageMaker Endpoint State Change", `resources` are ARNs."""
        self._waiting.put_nowait(
            {
                "Source": "aws.sagemaker",
                "DetailType": detail_type,
                "Detail": json.dumps(detail),
                "Resources": list(resources),
            }
        )

    def start(self) -> None:
        """Deliver from now on."""
        self._task = asyncio.create_task(self._deliver_for_ever(), name="events")

    async def stop(self) -> None:
        """Stop delivering; what waits is dropped, as EventBridge's content is with moto."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _deliver_for_ever(self) -> None:
        while True:
            event = await self._waiting.get()
            try:
                await self._moto.json("events", "AWSEvents.PutEvents", {"Entries": [event]})
            except Exception:
                logger.exception("delivering an event to EventBridge failed; going on")

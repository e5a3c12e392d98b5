"""The trigger behind every deferred wait of a release."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from endpoint_deploy.aws.poller import EndpointPoller
from endpoint_deploy.core.observed import ObservedEndpoint
from endpoint_deploy.core.plan import VariantTarget
from endpoint_deploy.core.settle import settle

_LEAST_SECONDS = 5.0  # for one look, also where the triggerer comes to it late


class EndpointSettledTrigger(BaseTrigger):
    """Fires once an endpoint is no longer changing.

    With a configuration given, short counts and weights count as still changing. The event is
    `{"settled": bool}`, False at the deadline (seconds since the epoch). It judges nothing: whoever waited
    describes the endpoint again, so that an old event cannot mislead it.
    """

    def __init__(
        self,
        *,
        conn_id: str,
        region: str,
        endpoint: str,
        poll_seconds: float,
        deadline: float,
        config: str | None = None,
        variants: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's has no annotations
        self.conn_id = conn_id
        self.region = region
        self.endpoint = endpoint
        self.poll_seconds = poll_seconds
        self.deadline = deadline
        self.config = config
        self.variants = variants or []

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class path is stored with the deferred task: moving this class breaks what is deferred."""
        return (
            "endpoint_deploy.triggers.endpoint_settled.EndpointSettledTrigger",
            {
                "conn_id": self.conn_id,
                "region": self.region,
                "endpoint": self.endpoint,
                "poll_seconds": self.poll_seconds,
                "deadline": self.deadline,
                "config": self.config,
                "variants": self.variants,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait through the process's shared poller."""
        poller = EndpointPoller.shared(self.conn_id, self.region)
        try:
            async with asyncio.timeout(max(self.deadline - time.time(), _LEAST_SECONDS)):
                await poller.wait(self.endpoint, self._done, self.poll_seconds)
        except TimeoutError:
            yield TriggerEvent({"settled": False})
        else:
            yield TriggerEvent({"settled": True})

    def _done(self, seen: ObservedEndpoint | None) -> bool:
        if seen is None:
            return True
        if self.config is None:
            return not seen.in_progress
        targets = tuple(VariantTarget.model_validate(variant) for variant in self.variants)
        return settle(seen, config=self.config, variants=targets).phase != "in_progress"

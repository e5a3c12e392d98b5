"""The trigger behind a question about a model package: a person may answer it, or reject in the registry."""

import asyncio
import copy
import logging
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID

from airflow.providers.standard.triggers.hitl import HITLTrigger
from airflow.sdk.exceptions import AirflowRuntimeError
from airflow.sdk.execution_time.hitl import update_hitl_detail_response
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from endpoint_deploy.aws.package_poller import PackagePoller

_log = logging.getLogger(__name__)


class ReleaseDecidedTrigger(BaseTrigger):
    """Fires with what Airflow's own trigger of a human-in-the-loop task fires with, answer or end of time.

    Fires `{"rejected": ARN}` where the package is Rejected in the registry first; the question is then
    answered with its default, so that nobody can answer it any more. An answer that reaches Airflow's API
    wakes the task by itself, whatever this trigger is doing.
    """

    def __init__(
        self,
        *,
        conn_id: str,
        region: str,
        model_package: str,
        poll_seconds: float,
        ti_id: str,
        options: list[str],
        defaults: list[str],
        params: dict[str, Any],
        deadline: str,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's has no annotations
        self.conn_id = conn_id
        self.region = region
        self.model_package = model_package
        self.poll_seconds = poll_seconds
        self.ti_id = ti_id
        self.options = options
        self.defaults = defaults
        self.params = params
        self.deadline = deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class path is stored with the deferred task: moving this class breaks what is deferred."""
        return (
            "endpoint_deploy.triggers.release_decided.ReleaseDecidedTrigger",
            {
                "conn_id": self.conn_id,
                "region": self.region,
                "model_package": self.model_package,
                "poll_seconds": self.poll_seconds,
                "ti_id": self.ti_id,
                "options": self.options,
                "defaults": self.defaults,
                "params": self.params,
                "deadline": self.deadline,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait for whichever comes first; an answer wins over a rejection of the same moment."""
        answered = asyncio.ensure_future(anext(aiter(self._airflow_s().run())))
        rejected = asyncio.ensure_future(self._rejected())
        try:
            await asyncio.wait({answered, rejected}, return_when=asyncio.FIRST_COMPLETED)
            if not answered.done() and (error := rejected.exception()):
                # The question itself is still open, and the task looks at the registry after the answer.
                _log.warning("%s is not watched any more: %s", self.model_package, error)
                await asyncio.wait({answered})
            if answered.done():
                yield answered.result()
            else:
                await self._close()
                yield TriggerEvent({"rejected": self.model_package})
        finally:
            answered.cancel()
            rejected.cancel()

    def _airflow_s(self) -> HITLTrigger:
        return HITLTrigger(
            ti_id=UUID(self.ti_id),
            options=self.options,
            defaults=self.defaults,
            params=copy.deepcopy(self.params),  # it takes them apart
            timeout_datetime=datetime.fromisoformat(self.deadline),
        )

    async def _rejected(self) -> None:
        poller = PackagePoller.shared(self.conn_id, self.region)
        await poller.wait(self.model_package, lambda package: package.status == "Rejected", self.poll_seconds)

    async def _close(self) -> None:
        """Answer the question; where somebody was quicker, the task finds the rejection all the same."""
        try:
            await sync_to_async(update_hitl_detail_response)(
                ti_id=UUID(self.ti_id), chosen_options=self.defaults, params_input={}
            )
        except AirflowRuntimeError as error:
            _log.warning("the question about %s could not be closed: %s", self.model_package, error)

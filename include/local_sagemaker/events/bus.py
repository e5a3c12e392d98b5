"""EventBridge: state changes, and what callers put, as events that rules take to their targets.

Rules and targets are kept by moto; matching and delivery are done here. moto's own delivery leaves the
account out of the envelope, ignores a rule's state, and stops at the first target it does not know.
"""

import asyncio
import json
import logging
import uuid
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.api.errors import ServiceError
from local_sagemaker.api.validation import check_request
from local_sagemaker.backing.moto import Moto
from local_sagemaker.events.inputs import input_for
from local_sagemaker.events.patterns import matches
from local_sagemaker.events.targets import Targets, pattern_of

logger = logging.getLogger(__name__)

PUT_EVENTS = "AWSEvents.PutEvents"
DEFAULT_BUS = "default"
RECENT = 100  # events of services that are kept to be looked at
Event = dict[str, Any]


class Events:
    """Takes events and delivers them in order; an event that nothing matches is gone.

    `recent` has the last events of services, with when they were emitted.
    """

    def __init__(self, moto: Moto, region: str) -> None:
        self._moto = moto
        self._region = region
        self._targets = Targets(moto)
        self._waiting: asyncio.Queue[tuple[str, Event]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.recent: deque[tuple[datetime, Event]] = deque(maxlen=RECENT)

    def emit(
        self,
        detail_type: str,
        detail: dict[str, Any],
        resources: Sequence[str],
        source: str = "aws.sagemaker",
    ) -> None:
        """One event of a service on the default bus.

        `detail_type` is as in "SageMaker Endpoint State Change", `resources` are ARNs.
        """
        event = {"source": source, "detail-type": detail_type, "resources": list(resources), "detail": detail}
        now = datetime.now(UTC)
        self.recent.append((now, event))
        self._put(DEFAULT_BUS, event, now)

    async def serve_put(self, request: Request) -> Response:
        """PutEvents over HTTP."""
        status, answer = 200, {}
        try:
            body = json.loads(await request.body())
            check_request("events", "PutEvents", body)
            answer = self.put(body["Entries"])
        except ValueError:
            status, answer = 400, {"__type": "SerializationException", "message": "Not valid JSON."}
        except ServiceError as error:
            status, answer = error.status, {"__type": error.code, "message": error.message}
        return Response(json.dumps(answer), status_code=status, media_type="application/x-amz-json-1.1")

    def put(self, entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """PutEvents: each entry is taken or refused by itself."""
        results = [self._put_entry(entry) for entry in entries]
        return {"FailedEntryCount": sum(1 for one in results if "ErrorCode" in one), "Entries": results}

    def _put_entry(self, entry: dict[str, Any]) -> dict[str, str]:
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                reason = f"Parameter {name} is not valid. Reason: {name} is a required argument."
                return {"ErrorCode": "InvalidArgument", "ErrorMessage": reason}
        if entry["Source"].startswith("aws."):
            return {
                "ErrorCode": "NotAuthorizedForSourceException",
                "ErrorMessage": "Not authorized for the source.",
            }
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            detail = None
        if not isinstance(detail, dict):
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        moment = datetime.fromtimestamp(entry["Time"], UTC) if "Time" in entry else datetime.now(UTC)
        bus = entry.get("EventBusName", DEFAULT_BUS).rpartition("/")[2]
        event = {
            "source": entry["Source"],
            "detail-type": entry["DetailType"],
            "resources": entry.get("Resources", []),
            "detail": detail,
        }
        return {"EventId": self._put(bus, event, moment)}

    def _put(self, bus: str, said: Event, moment: datetime) -> str:
        """Queue the event in its envelope; returns its id."""
        identity = str(uuid.uuid4())
        envelope = {
            "version": "0",
            "id": identity,
            "account": ACCOUNT_ID,
            "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._region,
        }
        self._waiting.put_nowait((bus, {**envelope, **said}))
        return identity

    def start(self) -> None:
        """Deliver from now on."""
        self._task = asyncio.create_task(self._deliver_for_ever(), name="events")

    async def stop(self) -> None:
        """Stop delivering; what waits is dropped, as what the queues hold is."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _deliver_for_ever(self) -> None:
        while True:
            bus, event = await self._waiting.get()
            try:
                await self._deliver(bus, event)
            except Exception:
                logger.exception("delivering an event failed; going on")

    async def _deliver(self, bus: str, event: Event) -> None:
        rules = await self._all("ListRules", "Rules", {"EventBusName": bus})
        for rule in rules:
            pattern = pattern_of(rule)
            if pattern is None or not matches(pattern, event):
                continue
            named = {"Rule": rule["Name"], "EventBusName": bus}
            for target in await self._all("ListTargetsByRule", "Targets", named):
                await self._targets.send(target, input_for(target, rule["Arn"], event))

    async def _all(self, operation: str, member: str, request: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page = await self._moto.json("events", f"AWSEvents.{operation}", request)
        found += page.get(member, [])
        while page.get("NextToken"):
            page = await self._moto.json(
                "events", f"AWSEvents.{operation}", {**request, "NextToken": page["NextToken"]}
            )
            found += page.get(member, [])
        return found

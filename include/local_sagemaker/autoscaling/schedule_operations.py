"""Operations on scheduled actions, and running them when they are due."""

import uuid
from typing import Any

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.api.errors import invalid
from local_sagemaker.autoscaling.paging import page
from local_sagemaker.autoscaling.records import Registry, Scheduled, now, policy_key, resource
from local_sagemaker.autoscaling.refusals import check_scalable, no_target, not_found
from local_sagemaker.autoscaling.scaler import Scaler
from local_sagemaker.autoscaling.schedules import next_time
from local_sagemaker.clock import Clock

Request = dict[str, Any]


class ScheduleOperations:
    """Puts scheduled actions and runs them."""

    def __init__(self, registry: Registry, scaler: Scaler, clock: Clock, region: str) -> None:
        self._registry = registry
        self._scaler = scaler
        self._clock = clock
        self._region = region

    def put(self, request: Request) -> dict[str, Any]:
        """PutScheduledAction: a new action, or changes of an old one."""
        check_scalable(request)
        resource_id, name = request["ResourceId"], request["ScheduledActionName"]
        if self._registry.targets.get(resource_id) is None:
            raise no_target(resource_id)
        key = policy_key(resource_id, name)
        scheduled = self._changed(self._registry.scheduled.get(key) or self._new(request), request)
        if scheduled.start is not None and scheduled.end is not None and scheduled.end <= scheduled.start:
            raise invalid("EndTime must be after StartTime")
        scheduled.due = self._due(scheduled)
        self._registry.scheduled.save(key, scheduled)
        return {}

    def delete(self, request: Request) -> dict[str, Any]:
        """DeleteScheduledAction."""
        check_scalable(request)
        key = policy_key(request["ResourceId"], request["ScheduledActionName"])
        if self._registry.scheduled.get(key) is None:
            raise not_found(
                f"No scheduled action found for service namespace: {request['ServiceNamespace']}, resource "
                f"ID: {request['ResourceId']}, scheduled action name: {request['ScheduledActionName']}"
            )
        self._registry.scheduled.delete(key)
        return {}

    def describe(self, request: Request) -> dict[str, Any]:
        """DescribeScheduledActions."""
        names = request.get("ScheduledActionNames")
        found = [
            _shown(scheduled)
            for scheduled in self._registry.scheduled.all()
            if request.get("ResourceId", scheduled.resource_id) == scheduled.resource_id
            and request["ServiceNamespace"] == resource(scheduled.resource_id)["ServiceNamespace"]
            and (not names or scheduled.name in names)
        ]
        return page(request, "ScheduledActions", found)

    def run_due(self) -> None:
        """Run what is due: take on the bounds, and bring the capacity within them."""
        for scheduled in self._registry.scheduled.all():
            if scheduled.due is None or scheduled.due > now():
                continue
            scheduled.due = self._due(scheduled)
            self._registry.scheduled.save(policy_key(scheduled.resource_id, scheduled.name), scheduled)
            target = self._registry.targets.get(scheduled.resource_id)
            if target is None or target.suspended.get("ScheduledScalingSuspended"):
                continue
            target = target.model_copy(
                update={
                    "minimum": scheduled.action.get("MinCapacity", target.minimum),
                    "maximum": scheduled.action.get("MaxCapacity", target.maximum),
                }
            )
            self._registry.targets.save(target.resource_id, target)
            self._scaler.hold_bounds(target, f"scheduled action name {scheduled.name} was triggered, ")

    def _due(self, scheduled: Scheduled) -> float | None:
        begun = max(scheduled.created, scheduled.start or 0.0)
        after = max(now(), scheduled.start or 0.0)
        due = next_time(scheduled.schedule, scheduled.timezone, self._clock, after, begun)
        return None if due is None or (scheduled.end is not None and due > scheduled.end) else due

    def _new(self, request: Request) -> Scheduled:
        for member in ("Schedule", "ScalableTargetAction"):
            if member not in request:
                raise invalid(f"{member} is required for a new scheduled action")
        resource_id, name = request["ResourceId"], request["ScheduledActionName"]
        return Scheduled(
            name=name,
            arn=(
                f"arn:aws:autoscaling:{self._region}:{ACCOUNT_ID}:scheduledAction:{uuid.uuid4()}:"
                f"resource/sagemaker/{resource_id}:scheduledActionName/{name}"
            ),
            resource_id=resource_id,
            schedule=request["Schedule"],
            created=now(),
        )

    def _changed(self, scheduled: Scheduled, request: Request) -> Scheduled:
        given = {
            "schedule": "Schedule",
            "timezone": "Timezone",
            "start": "StartTime",
            "end": "EndTime",
            "action": "ScalableTargetAction",
        }
        changes = {field: request[member] for field, member in given.items() if member in request}
        action = changes.get("action", scheduled.action)
        if not action:
            raise invalid("ScalableTargetAction needs MinCapacity or MaxCapacity")
        if action.get("MinCapacity", 0) > action.get("MaxCapacity", action.get("MinCapacity", 0)):
            raise invalid("Maximum capacity cannot be less than minimum capacity")
        return scheduled.model_copy(update=changes)


def _shown(scheduled: Scheduled) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "ScheduledActionName": scheduled.name,
        "ScheduledActionARN": scheduled.arn,
        **resource(scheduled.resource_id),
        "Schedule": scheduled.schedule,
        "ScalableTargetAction": scheduled.action,
        "CreationTime": scheduled.created,
    }
    optional = {"Timezone": scheduled.timezone, "StartTime": scheduled.start, "EndTime": scheduled.end}
    return shown | {name: value for name, value in optional.items() if value is not None}

"""Application Auto Scaling as a whole."""

import asyncio
import logging
from typing import Self

from local_sagemaker.api.control import Operation
from local_sagemaker.api.protocols import AwsService
from local_sagemaker.autoscaling.policy_operations import PolicyOperations
from local_sagemaker.autoscaling.records import Registry, Target, now
from local_sagemaker.autoscaling.scaler import Scaler
from local_sagemaker.autoscaling.schedule_operations import ScheduleOperations
from local_sagemaker.autoscaling.target_operations import TargetOperations
from local_sagemaker.autoscaling.triggers import Triggers
from local_sagemaker.clock import Clock
from local_sagemaker.cloudwatch.service import CloudWatch
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.store import Store

_TICK_SECONDS = 10
_LEAST_TICK = 0.1
logger = logging.getLogger(__name__)


class AutoScaling:
    """Scales the variants of endpoints by policies and schedules."""

    def __init__(
        self, store: Store, clock: Clock, endpoints: Endpoints, cloudwatch: CloudWatch, region: str
    ) -> None:
        self._registry = Registry(store)
        self._clock = clock
        self._region = region
        self._scaler = Scaler(self._registry, endpoints)
        self._policies = PolicyOperations(self._registry, cloudwatch, region)
        self._targets = TargetOperations(self._registry, self._scaler, self._policies, region)
        self._schedules = ScheduleOperations(self._registry, self._scaler, clock, region)
        endpoints.scaled_by(self._targets)
        cloudwatch.watch.scale_by(Triggers(self._registry, self._scaler, cloudwatch, clock).on_alarm)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Scale from now on."""
        for activity in self._registry.interrupted():
            activity.status, activity.ended = "Failed", now()
            activity.message = "The server was restarted while the change was under way."
            self._registry.note(activity)
        self._task = asyncio.create_task(self._tick_for_ever(), name="autoscaling")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop scaling; changes under way are the endpoints' own."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._scaler.close()

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(max(self._clock.real(_TICK_SECONDS), _LEAST_TICK))
            try:
                self._targets.sweep()
                self._schedules.run_due()
            except Exception:
                logger.exception("scheduled scaling failed; going on")

    def targets(self) -> list[Target]:
        """Every variant that may be scaled."""
        return self._registry.targets.all()

    def service(self) -> AwsService:
        """The API."""
        targets, policies, schedules = self._targets, self._policies, self._schedules
        operations: dict[str, Operation] = {
            "RegisterScalableTarget": targets.register,
            "DescribeScalableTargets": targets.describe,
            "DeregisterScalableTarget": targets.deregister,
            "DescribeScalingActivities": targets.describe_activities,
            "TagResource": targets.tag,
            "UntagResource": targets.untag,
            "ListTagsForResource": targets.list_tags,
            "PutScalingPolicy": policies.put,
            "DescribeScalingPolicies": policies.describe,
            "DeleteScalingPolicy": policies.delete,
            "PutScheduledAction": schedules.put,
            "DescribeScheduledActions": schedules.describe,
            "DeleteScheduledAction": schedules.delete,
        }
        return AwsService("application-autoscaling", operations, self._region, "ValidationException")

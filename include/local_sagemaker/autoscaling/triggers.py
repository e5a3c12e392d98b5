"""What scaling policies make of their alarms."""

from collections.abc import Callable

from local_sagemaker.autoscaling.decisions import clamped, cooldown, stepped, tracked
from local_sagemaker.autoscaling.records import Policy, Registry, Target, now
from local_sagemaker.autoscaling.scaler import Scaler
from local_sagemaker.clock import Clock
from local_sagemaker.cloudwatch.alarm_records import Alarm
from local_sagemaker.cloudwatch.service import CloudWatch

_AGGREGATIONS: dict[str, Callable[[list[float]], float]] = {
    "Minimum": min,
    "Maximum": max,
    "Average": lambda values: sum(values) / len(values),
}


class Triggers:
    """Turns an alarm's action into a capacity, within bounds and cooldowns, and has it carried out."""

    def __init__(self, registry: Registry, scaler: Scaler, cloudwatch: CloudWatch, clock: Clock) -> None:
        self._registry = registry
        self._scaler = scaler
        self._cloudwatch = cloudwatch
        self._clock = clock

    async def on_alarm(self, action: str, alarm: Alarm) -> None:
        """An alarm's action names a scaling policy; raises RuntimeError when there is none of that ARN."""
        arn = action.partition(":createdBy/")[0]
        policy = next((known for known in self._registry.policies.all() if known.arn == arn), None)
        target = self._registry.targets.get(policy.resource_id) if policy else None
        if policy is None or target is None:
            raise RuntimeError(f"there is no scaling policy {arn}")
        capacity = self._scaler.capacity(target)
        if capacity is None or self._scaler.busy(target):
            return
        propose = self._tracked if policy.kind == "TargetTrackingScaling" else self._stepped
        wanted = propose(policy, capacity, alarm)
        if wanted is not None and wanted != capacity:
            self._scale(policy, target, capacity, wanted, alarm)

    def _tracked(self, policy: Policy, capacity: int, alarm: Alarm) -> int | None:
        values = self._cloudwatch.recent_values(alarm)
        if alarm.state != "ALARM" or not values:
            return None
        goal = policy.config["TargetValue"]
        if alarm.name == policy.alarms[0]:
            return max(tracked(self._base(policy, capacity), values[-1], goal), capacity)
        if policy.config.get("DisableScaleIn"):
            return None
        return self._agreed(policy, capacity, min(tracked(capacity, max(values), goal), capacity))

    def _agreed(self, policy: Policy, capacity: int, wanted: int) -> int | None:
        """Scale-in waits until every other tracking policy would scale in, and keeps the most for them."""
        for other in self._registry.policies_of(policy.resource_id):
            tracking = other.kind == "TargetTrackingScaling" and not other.config.get("DisableScaleIn")
            if other.name == policy.name or not tracking:
                continue
            low = self._cloudwatch.alarms.get(other.alarms[1])
            values = self._cloudwatch.recent_values(low) if low is not None and low.state == "ALARM" else []
            if not values:
                return None
            wanted = max(wanted, min(tracked(capacity, max(values), other.config["TargetValue"]), capacity))
        return wanted

    def _stepped(self, policy: Policy, capacity: int, alarm: Alarm) -> int | None:
        values = self._cloudwatch.recent_values(alarm)
        if not values:
            return None
        measured = _AGGREGATIONS[policy.config.get("MetricAggregationType", "Average")](values)
        beyond = measured - alarm.request["Threshold"]
        wanted = stepped(policy.config, capacity, beyond)
        if wanted is not None and wanted > capacity:
            wanted = max(stepped(policy.config, self._base(policy, capacity), beyond) or 0, capacity)
        return wanted

    def _base(self, policy: Policy, capacity: int) -> int:
        """What to scale out from: within the cooldown, what the last scale-out began with.

        So what it added counts as part of the next (PutScalingPolicy's reference, cooldown).
        """
        return policy.base if self._cooling(policy.scaled_out, cooldown(policy, out=True)) else capacity

    def _scale(self, policy: Policy, target: Target, capacity: int, wanted: int, alarm: Alarm) -> None:
        bounded = clamped(target, wanted)
        cause = f"monitor alarm {alarm.name} in state {alarm.state} triggered policy {policy.name}"
        out = wanted > capacity
        if target.suspended.get(f"DynamicScaling{'Out' if out else 'In'}Suspended"):
            return
        if not out and self._cooling(policy.scaled_in, cooldown(policy, out=False)):
            return
        if bounded == capacity:
            self._scaler.note_not_scaled(target, capacity, cause)
            return
        self._scaler.begin(target, bounded, cause, policy)

    def _cooling(self, since: float, seconds: int) -> bool:
        return now() - since < self._clock.real(seconds)

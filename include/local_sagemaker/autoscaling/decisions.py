"""How far to scale: target tracking and steps, in numbers alone (Application Auto Scaling guide)."""

import math
from typing import Any

from local_sagemaker.autoscaling.records import Policy, Target

# What the service waits for variants of endpoints when a policy does not say (PutScalingPolicy's reference).
DEFAULT_COOLDOWN = 300


def clamped(target: Target, capacity: int) -> int:
    """The capacity within the target's bounds."""
    return min(max(capacity, target.minimum), target.maximum)


def tracked(capacity: int, value: float, goal: float) -> int:
    """The capacity at which a metric per instance, now `value`, would be at most `goal`."""
    return math.ceil(max(capacity, 1) * value / goal - 1e-9)


def stepped(config: dict[str, Any], capacity: int, beyond: float) -> int | None:
    """The capacity after the step for a value `beyond` the alarm's threshold; None: there is no such step.

    Bounds are relative to the threshold; the one nearer to it is inclusive.
    """
    for step in config.get("StepAdjustments", []):
        low = step.get("MetricIntervalLowerBound", -math.inf)
        high = step.get("MetricIntervalUpperBound", math.inf)
        if (low <= beyond < high) if beyond >= 0 else (low < beyond <= high):
            return _adjusted(config, capacity, step["ScalingAdjustment"])
    return None


def cooldown(policy: Policy, *, out: bool) -> int:
    """How long after scaling the policy waits, in the service's seconds."""
    member = "Cooldown"
    if policy.kind == "TargetTrackingScaling":
        member = "ScaleOutCooldown" if out else "ScaleInCooldown"
    seconds: int = policy.config.get(member, DEFAULT_COOLDOWN)
    return seconds


def _adjusted(config: dict[str, Any], capacity: int, adjustment: int) -> int:
    kind = config["AdjustmentType"]
    if kind == "ExactCapacity":
        return adjustment
    if kind == "ChangeInCapacity":
        return capacity + adjustment
    change = capacity * adjustment / 100
    # Beyond one instance it is rounded towards zero, below one up to one (guide, Step scaling policies).
    whole = math.trunc(change) if abs(change) >= 1 else int(math.copysign(math.ceil(abs(change)), change))
    least = config.get("MinAdjustmentMagnitude", 0)
    if abs(whole) < least:
        whole = int(math.copysign(least, adjustment))
    return capacity + whole

"""Deployments that are autoscaled, and what is registered for them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.deploy.rig import BUCKET, Rig

_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
# Never scales by itself: on a busy machine a test lasts as long as the alarms of a low load take to ring.
TRACKING: dict[str, Any] = {
    "target": 100_000,
    "scale_in_cooldown": 600,
    "scale_out_cooldown": 30,
    "disable_scale_in": True,
}
SECTION: dict[str, Any] = {
    "min": 1,
    "max": 4,
    "target_tracking": [TRACKING],
    "scheduled": [
        {"name": "morning", "schedule": "cron(0 8 1 1 ? 2099)", "min": 2, "timezone": "Europe/Berlin"}
    ],
}


def with_autoscaling(rig: Rig, section: dict[str, Any] | None = SECTION, **changes: Any) -> None:
    variant = {"instance_type": changes.pop("instance_type", "ml.m5.large"), **changes.pop("variant", {})}
    rig.spec(
        endpoint={
            "variants": [{**variant, **({"autoscaling": section} if section else {})}],
            "wait": {"poll_seconds": 0.2, "timeout_seconds": 120},
            "data_capture": {"destination": f"s3://{BUCKET}/{rig.name}/captured"},
        },
        smoke_tests=[{"name": "numbers", "payload": "numbers.json"}],
        **changes,
    )


class Scaler:
    """What is registered, by Application Auto Scaling's own API."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.api = rig.clients("application-autoscaling")

    def named(self, variant: str) -> dict[str, str]:
        return {
            "ServiceNamespace": "sagemaker",
            "ScalableDimension": _DIMENSION,
            "ResourceId": f"endpoint/{self.rig.endpoint}/variant/{variant}",
        }

    def targets(self) -> dict[str, dict[str, Any]]:
        """By variant."""
        pages = self.api.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="sagemaker")
        prefix = f"endpoint/{self.rig.endpoint}/variant/"
        found = (target for page in pages for target in page["ScalableTargets"])
        return {t["ResourceId"].removeprefix(prefix): t for t in found if t["ResourceId"].startswith(prefix)}

    def all_of(self, variant: str) -> dict[str, Any]:
        """Everything of a target that somebody chose, names of alarms and times of making aside."""
        target = self.targets()[variant]
        policies = self.api.describe_scaling_policies(**self.named(variant))["ScalingPolicies"]
        actions = self.api.describe_scheduled_actions(**self.named(variant))["ScheduledActions"]
        made = ("PolicyARN", "ResourceId", "CreationTime", "Alarms", "ScheduledActionARN")
        return {
            "bounds": (target["MinCapacity"], target["MaxCapacity"]),
            "suspended": target["SuspendedState"],
            "policies": [{k: v for k, v in p.items() if k not in made} for p in policies],
            "actions": [{k: v for k, v in a.items() if k not in made} for a in actions],
            "tags": self.api.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"],
        }

    def grow(self, count: int) -> None:
        """What autoscaling does when it scales out."""
        (variant,) = self.rig.describe()["ProductionVariants"]
        self.rig.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=self.rig.endpoint,
            DesiredWeightsAndCapacities=[
                {"VariantName": variant["VariantName"], "DesiredInstanceCount": count}
            ],
        )
        self.settle()

    def settle(self) -> None:
        self.rig.sagemaker.get_waiter("endpoint_in_service").wait(
            EndpointName=self.rig.endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def make_by_hand(self, variant: str) -> None:
        """A target with a tracking and a step policy, its alarm, a schedule and a suspension."""
        self.api.register_scalable_target(
            **self.named(variant), MinCapacity=1, MaxCapacity=5, Tags={"team": "ops"},
            SuspendedState={"ScheduledScalingSuspended": True},
        )  # fmt: skip
        self.api.put_scaling_policy(
            **self.named(variant),
            PolicyName="by-hand",
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
                "Cooldown": 120,
            },
        )
        self.api.put_scheduled_action(
            **self.named(variant),
            ScheduledActionName="night",
            Schedule="cron(0 22 1 1 ? 2099)",
            ScalableTargetAction={"MaxCapacity": 2},
        )
        (policy,) = self.api.describe_scaling_policies(**self.named(variant))["ScalingPolicies"]
        self.rig.clients("cloudwatch").put_metric_alarm(
            AlarmName=f"{self.rig.name}-busy-{variant}",
            Namespace="AWS/SageMaker",
            MetricName="InvocationsPerInstance",
            Dimensions=[
                {"Name": "EndpointName", "Value": self.rig.endpoint},
                {"Name": "VariantName", "Value": variant},
            ],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1_000_000.0,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[policy["PolicyARN"]],
        )

    def alarms(self) -> dict[str, dict[str, Any]]:
        """Metric alarms that concern the rig's endpoint but target tracking's, by name."""
        found = self.rig.clients("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm"])["MetricAlarms"]
        return {
            a["AlarmName"]: a
            for a in found
            if self.rig.name in a["AlarmName"] and not a["AlarmName"].startswith("TargetTracking")
        }

    @contextmanager
    def watched(self) -> Iterator[set[tuple[str, bool]]]:
        """(variant, whether its scale-in is suspended), of every look while the block runs."""
        seen: set[tuple[str, bool]] = set()
        ending = threading.Event()

        def look() -> None:
            while not ending.wait(0.05):
                seen.update(
                    (name, target["SuspendedState"]["DynamicScalingInSuspended"])
                    for name, target in self.targets().items()
                )

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield seen
        finally:
            ending.set()
            thread.join()


def only(rig: Rig) -> dict[str, Any]:
    (variant,) = rig.describe()["ProductionVariants"]
    return variant


def captures(rig: Rig) -> bool:
    return rig.describe()["DataCaptureConfig"]["EnableCapture"]

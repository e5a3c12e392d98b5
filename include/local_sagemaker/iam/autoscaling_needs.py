"""What Application Auto Scaling's operations need (service authorization reference), and the service then.

It scales by a role of its own, but asks whoever registers a variant, or puts a policy on it, for the rights
to what is done in their name (Application Auto Scaling's guide, identity-based policy examples).
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.iam.policies import Need

_SERVICE = "application-autoscaling"
_ENDPOINT = ("DescribeEndpoint", "UpdateEndpointWeightsAndCapacities")
_ALARMS = ("PutMetricAlarm", "DescribeAlarms", "DeleteAlarms")


def autoscaling_needs(operation: str, request: dict[str, Any], region: str) -> Iterator[Need]:
    """The operation's own action on the target, and the rights that the service asks for besides."""
    yield Need(f"{_SERVICE}:{operation}", _target(operation, request, region), {})
    resource = str(request.get("ResourceId", ""))
    if operation == "RegisterScalableTarget" and resource.startswith("endpoint/"):
        arn = f"arn:aws:sagemaker:{region}:{ACCOUNT_ID}:endpoint/{resource.split('/')[1]}"
        yield from (Need(f"sagemaker:{action}", arn, {}) for action in _ENDPOINT)
    if operation == "PutScalingPolicy" and request.get("PolicyType") == "TargetTrackingScaling":
        arn = f"arn:aws:cloudwatch:{region}:{ACCOUNT_ID}:alarm:TargetTracking-{resource}"
        yield from (Need(f"cloudwatch:{action}", arn, {}) for action in _ALARMS)


def _target(operation: str, request: dict[str, Any], region: str) -> str:
    """Describing takes no resource; a target's ARN ends in an identity that only the service knows."""
    if operation.startswith("Describe"):
        return "*"
    if isinstance(arn := request.get("ResourceARN"), str):
        return arn
    named = (
        f"{request.get('ServiceNamespace')}/{request.get('ScalableDimension')}/{request.get('ResourceId')}"
    )
    identity = hashlib.sha256(named.encode()).hexdigest()[:34]
    return f"arn:aws:{_SERVICE}:{region}:{ACCOUNT_ID}:scalable-target/{identity}"

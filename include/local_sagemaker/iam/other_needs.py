"""What the operations of the other services need: one action each, on what the request names."""

from collections.abc import Iterator
from typing import Any

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.iam.policies import Need

# Services whose actions begin otherwise than boto3 calls them.
_PREFIXES = {
    "elbv2": "elasticloadbalancing",
    "stepfunctions": "states",
    "service-quotas": "servicequotas",
}
_IAM_KINDS = {
    "RoleName": "role",
    "UserName": "user",
    "GroupName": "group",
    "InstanceProfileName": "instance-profile",
}


def other_needs(service: str, operation: str, request: dict[str, Any], region: str) -> Iterator[Need]:
    """The operation's own action on each resource that the request names."""
    prefix = _PREFIXES.get(service, service)
    resources = _RESOURCES.get(service, _by_arn)(operation, request, region)
    for resource in resources or ["*"]:
        yield Need(f"{prefix}:{operation}", resource, {})


def _by_arn(_operation: str, request: dict[str, Any], _region: str) -> list[str]:
    """The first member that holds an ARN: the resource, in nearly every API."""
    for name, value in request.items():
        if name.endswith(("Arn", "ARN")) and isinstance(value, str) and value.startswith("arn:"):
            return [value]
    return []


def _logs(_operation: str, request: dict[str, Any], region: str) -> list[str]:
    group = request.get("logGroupName")
    if not group:
        return []
    stream = request.get("logStreamName")
    arn = f"arn:aws:logs:{region}:{ACCOUNT_ID}:log-group:{group}"
    return [f"{arn}:log-stream:{stream}" if stream else arn]


def _sqs(_operation: str, request: dict[str, Any], region: str) -> list[str]:
    name = str(request.get("QueueUrl", request.get("QueueName", ""))).rpartition("/")[2]
    return [f"arn:aws:sqs:{region}:{ACCOUNT_ID}:{name}"] if name else []


def _events(_operation: str, request: dict[str, Any], region: str) -> list[str]:
    name = request.get("Rule") or request.get("Name")
    return [f"arn:aws:events:{region}:{ACCOUNT_ID}:rule/{name}"] if name else []


def _iam(_operation: str, request: dict[str, Any], _region: str) -> list[str]:
    for member, kind in _IAM_KINDS.items():
        if member in request:
            return [f"arn:aws:iam::{ACCOUNT_ID}:{kind}/{request[member]}"]
    return [request["PolicyArn"]] if "PolicyArn" in request else []


def _ecr(_operation: str, request: dict[str, Any], region: str) -> list[str]:
    name, registry = request.get("repositoryName"), request.get("registryId") or ACCOUNT_ID
    return [f"arn:aws:ecr:{region}:{registry}:repository/{name}"] if name else []


_RESOURCES = {"logs": _logs, "sqs": _sqs, "events": _events, "iam": _iam, "ecr": _ecr}

"""What SageMaker's operations need (Service Authorization Reference, Actions for Amazon SageMaker)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.iam.policies import Need

_PREFIX = "sagemaker"
_NOUN = re.compile(r"(?:Create|Describe|Update|Delete|Stop|Start|Put|Get|Retry|Send)(?P<noun>\w+)")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Whose name in the operation is not that of the resource.
_NOUNS = {
    "EndpointWeightsAndCapacities": "Endpoint",
    "ModelPackageGroupPolicy": "ModelPackageGroup",
    "ModelCardExportJob": "ModelCard",
}
_ROLES = ("ExecutionRoleArn", "RoleArn")
_TAGGING = ("AddTags", "DeleteTags", "ListTags")
_NETWORK = {"Subnets": "sagemaker:VpcSubnets", "SecurityGroupIds": "sagemaker:VpcSecurityGroupIds"}
Tags = Callable[[str], dict[str, str]]


def sagemaker_needs(operation: str, request: dict[str, Any], region: str, tags: Tags) -> Iterator[Need]:
    """Every action on a resource that the operation must be allowed, the operation's own first."""
    context = _context(request)
    resources = _resources(operation, request, region)
    for resource in resources:
        yield Need(f"{_PREFIX}:{operation}", resource, {**context, **_resource_tags(tags(resource))})
    if operation.startswith("Create") and request.get("Tags"):
        tagging = {"sagemaker:TaggingAction": [operation]}
        for resource in resources[:1]:
            yield Need(f"{_PREFIX}:AddTags", resource, {**context, **tagging})
    for role in _passed_roles(request):
        passed = {"iam:PassedToService": ["sagemaker.amazonaws.com"]}
        yield Need("iam:PassRole", role, {**passed, "iam:AssociatedResourceArn": resources[:1]})


def _resources(operation: str, request: dict[str, Any], region: str) -> list[str]:
    """The ARNs of what an operation is about; `*` where the reference names no resource."""
    if operation in _TAGGING:
        return [str(request.get("ResourceArn", "*"))]
    if operation == "BatchDescribeModelPackage":
        return [str(arn) for arn in request.get("ModelPackageArnList", [])]
    found = _NOUN.fullmatch(operation)
    if found is None:
        return ["*"]
    noun = _NOUNS.get(found["noun"], found["noun"])
    own = _named(noun, request, region)
    if operation == "CreateModelPackage" and "ModelPackageGroupName" in request:
        group = _arn("model-package", str(request["ModelPackageGroupName"]), region)
        own = f"{group}/*"
    if operation == "CreateEndpoint":
        return [own, _named("EndpointConfig", request, region)]
    return [own]


def _named(noun: str, request: dict[str, Any], region: str) -> str:
    value = request.get(f"{noun}Name", request.get(f"{noun}Arn"))
    if not isinstance(value, str):
        return "*"
    return _arn(_HUMP.sub("-", noun).lower(), value, region)


def _arn(kind: str, name: str, region: str) -> str:
    if name.startswith("arn:"):
        name = name.split(":", 5)[-1].partition("/")[2]
    return f"arn:aws:{_PREFIX}:{region}:{ACCOUNT_ID}:{kind}/{name.lower()}"


def invoke_needs(operation: str, endpoint: str, region: str, tags: Tags) -> Iterator[Need]:
    """What the runtime's operations need, which are all about one endpoint."""
    arn = _arn("endpoint", endpoint, region)
    yield Need(f"{_PREFIX}:{operation}", arn, _resource_tags(tags(arn)))


def _context(request: dict[str, Any]) -> dict[str, list[str]]:
    context: dict[str, list[str]] = {}
    listed = request.get("Tags")
    if isinstance(listed, list):
        pairs = {tag["Key"]: tag.get("Value", "") for tag in listed if isinstance(tag, dict) and "Key" in tag}
        context.update({f"aws:RequestTag/{key}": [value] for key, value in pairs.items()})
        context["aws:TagKeys"] = list(pairs)
    elif isinstance(request.get("TagKeys"), list):
        context["aws:TagKeys"] = [str(key) for key in request["TagKeys"]]
    instances = sorted(set(_values(request, "InstanceType")))
    if instances:
        context["sagemaker:InstanceTypes"] = instances
    if "EnableNetworkIsolation" in request:
        context["sagemaker:NetworkIsolation"] = [str(request["EnableNetworkIsolation"]).lower()]
    network = request.get("VpcConfig", {})
    for member, key in _NETWORK.items():
        if network.get(member):
            context[key] = list(network[member])
    return context


def _resource_tags(tags: dict[str, str]) -> dict[str, list[str]]:
    prefixes = ("aws:ResourceTag/", "sagemaker:ResourceTag/")
    return {prefix + key: [value] for prefix in prefixes for key, value in tags.items()}


def _passed_roles(request: dict[str, Any]) -> list[str]:
    return sorted({value for member in _ROLES for value in _values(request, member)})


def _values(value: Any, member: str) -> Iterator[str]:
    """Every text under a member of that name, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == member and isinstance(inner, str):
                yield inner
            else:
                yield from _values(inner, member)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, member)

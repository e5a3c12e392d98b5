"""What CloudWatch's operations on alarms need (service authorization reference, Amazon CloudWatch)."""

from collections.abc import Callable, Iterator
from typing import Any

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.iam.policies import Need

Tags = Callable[[str], dict[str, str]]  # of an alarm, by its ARN
_MEMBERS = ("AlarmName", "AlarmNames")
_KEY, _VALUE = ".Key", ".Value"


def cloudwatch_needs(operation: str, request: dict[str, Any], region: str, tags: Tags) -> Iterator[Need]:
    """The operation's own action on each alarm that is named; to make one with tags, TagResource too."""
    asked = _asked(request)
    context = {f"aws:RequestTag/{key}": [value] for key, value in asked.items()}
    if asked:
        context["aws:TagKeys"] = list(asked)
    actions = [operation, *(["TagResource"] if asked and operation.startswith("Put") else [])]
    for arn in _named(operation, request, region):
        of_alarm = {f"aws:ResourceTag/{key}": [value] for key, value in tags(arn).items()}
        for action in actions:
            yield Need(f"cloudwatch:{action}", arn, {**context, **of_alarm})


def _named(operation: str, request: dict[str, Any], region: str) -> list[str]:
    if isinstance(arn := request.get("ResourceARN"), str):
        return [arn]
    if "Alarm" not in operation:
        return ["*"]
    named = [value for name, value in request.items() if name.split(".")[0] in _MEMBERS]
    flat = [one for value in named for one in (value if isinstance(value, list) else [value])]
    return [f"arn:aws:cloudwatch:{region}:{ACCOUNT_ID}:alarm:{name}" for name in flat or ["*"]]


def _asked(request: dict[str, Any]) -> dict[str, str]:
    """The tags in the request: a list, or in the query protocol `Tags.member.1.Key` and so on."""
    listed = request.get("Tags")
    if isinstance(listed, list):
        return {tag["Key"]: tag.get("Value", "") for tag in listed if isinstance(tag, dict) and "Key" in tag}
    keys = [name for name in request if name.startswith("Tags.member.") and name.endswith(_KEY)]
    return {request[key]: request.get(f"{key.removesuffix(_KEY)}{_VALUE}", "") for key in keys}

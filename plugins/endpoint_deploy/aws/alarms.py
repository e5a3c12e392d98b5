"""The alarms that guard an update: made before it, removed after it, told from others by their tags."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.belongings import name_head
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core import tags
from endpoint_deploy.core.plan import PlannedAlarm
from endpoint_deploy.errors import Conflict

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricAlarmTypeDef

_MOST_DELETED = 100  # names that one DeleteAlarms takes


def ensure_alarm(hook: EndpointHook, alarm: PlannedAlarm, endpoint: str, created_by: str) -> bool:
    """PutMetricAlarm, or leave the one that this run has made. Returns whether it was made now.

    One that another run of ours has left is made anew: it may ring still for what it saw then, and an
    update that is guarded by it would be rolled back at once. Raises Conflict where it is not ours.
    """
    cloudwatch = hook.cloudwatch
    found = _find(hook, alarm.name)
    if found is not None:
        its_tags = _tags_of(hook, found["AlarmArn"]) or {}
        if not tags.ours(its_tags, endpoint):
            raise Conflict(
                f"alarm {alarm.name} exists and does not carry the tag {tags.ENDPOINT}: it was not made here "
                "and is not overwritten; delete it, or rename it"
            )
        if its_tags.get(tags.CREATED_BY) == created_by:
            return False
        cloudwatch.delete_alarms(AlarmNames=[alarm.name])
    its_tags = {**alarm.tags, tags.CREATED_BY: created_by}
    body: Any = {**alarm.body, "Tags": tags.as_list(its_tags)}
    cloudwatch.put_metric_alarm(**body)
    return True


def remove_alarms(hook: EndpointHook, endpoint: str, *, created_by: str | None = None) -> list[str]:
    """Delete the endpoint's alarms of ours, or only those that one run has made. Returns their names."""
    removed = [
        name
        for name, its_tags in _owned(hook, endpoint)
        if created_by is None or its_tags.get(tags.CREATED_BY) == created_by
    ]
    for start in range(0, len(removed), _MOST_DELETED):
        hook.cloudwatch.delete_alarms(AlarmNames=removed[start : start + _MOST_DELETED])
    return removed


def _owned(hook: EndpointHook, endpoint: str) -> Iterator[tuple[str, dict[str, str]]]:
    pages = hook.cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=f"{name_head(endpoint)}-", AlarmTypes=["MetricAlarm"]
    )
    for page in pages:
        for alarm in page["MetricAlarms"]:
            its_tags = _tags_of(hook, alarm["AlarmArn"])
            # A scaling policy's alarm stays as long as its policy.
            scaling = its_tags is not None and its_tags.get(tags.STAGE) == tags.SCALING
            if its_tags is not None and tags.ours(its_tags, endpoint) and not scaling:
                yield alarm["AlarmName"], its_tags


def _find(hook: EndpointHook, name: str) -> "MetricAlarmTypeDef | None":
    alarms = hook.cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
    return alarms[0] if alarms else None


def _tags_of(hook: EndpointHook, arn: str) -> dict[str, str] | None:
    """Its tags; None where it has been deleted since."""
    try:
        found: Any = hook.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
    except ClientError as error:
        if errors.is_absent_alarm(error):
            return None
        raise
    return tags.as_dict(found)

"""What was made for an endpoint, by its tags."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core import naming, tags


@dataclass(frozen=True)
class Owned:
    """A configuration or model of ours; `created` is the service's time."""

    name: str
    tags: dict[str, str]
    created: datetime


def owned_configs(hook: EndpointHook, endpoint: str) -> Iterator[Owned]:
    """The configurations that carry the endpoint's tag."""
    for page in hook.sagemaker.get_paginator("list_endpoint_configs").paginate(
        NameContains=name_head(endpoint)
    ):
        for item in page["EndpointConfigs"]:
            yield from _ours(
                hook, endpoint, item["EndpointConfigName"], item["EndpointConfigArn"], item["CreationTime"]
            )


def owned_models(hook: EndpointHook, endpoint: str) -> Iterator[Owned]:
    """The models that carry the endpoint's tag."""
    for page in hook.sagemaker.get_paginator("list_models").paginate(NameContains=name_head(endpoint)):
        for item in page["Models"]:
            yield from _ours(hook, endpoint, item["ModelName"], item["ModelArn"], item["CreationTime"])


def name_head(endpoint: str) -> str:
    """What every name made for the endpoint starts with."""
    return naming.resource_name(endpoint, "").rpartition("-")[0]


def _ours(hook: EndpointHook, endpoint: str, name: str, arn: str, created: datetime) -> Iterator[Owned]:
    try:
        its_tags = hook.tags_of(arn)
    except ClientError as error:
        if errors.is_absent(error):
            return  # deleted since it was listed
        raise
    if tags.ours(its_tags, endpoint):
        yield Owned(name, its_tags, created)

"""What was made for an endpoint, by its tags."""

from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core import naming, tags


def belongings(hook: EndpointHook, endpoint: str) -> tuple[list[str], list[str]]:
    """Names of the configurations and models that carry the endpoint's tag."""
    head = naming.resource_name(endpoint, "").rpartition("-")[0]  # every name made for it starts so
    client = hook.sagemaker
    configs = [
        item["EndpointConfigName"]
        for page in client.get_paginator("list_endpoint_configs").paginate(NameContains=head)
        for item in page["EndpointConfigs"]
        if tags.ours(hook.tags_of(item["EndpointConfigArn"]), endpoint)
    ]
    models = [
        item["ModelName"]
        for page in client.get_paginator("list_models").paginate(NameContains=head)
        for item in page["Models"]
        if tags.ours(hook.tags_of(item["ModelArn"]), endpoint)
    ]
    return configs, models

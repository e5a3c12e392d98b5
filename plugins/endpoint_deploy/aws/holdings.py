"""Gather what there is for one endpoint, for housekeeping to decide about."""

from collections.abc import Iterable
from datetime import datetime

from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.belongings import owned_configs, owned_models
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core import tags
from endpoint_deploy.core.observed import ObservedEndpoint
from endpoint_deploy.core.retention import HeldConfig, HeldPackage, Holdings


def holdings(
    hook: EndpointHook, endpoint_name: str, seen: ObservedEndpoint | None, group: str | None
) -> Holdings:
    """Configurations and models that carry the endpoint's tag, and the versions of its package group."""
    configs = []
    for each in owned_configs(hook, endpoint_name):
        found = hook.find_config(each.name)
        if found is not None:
            leads = tuple(name for name in (found.joint_final, found.joint_champion) if name)
            models = tuple(variant["ModelName"] for variant in found.variants)
            configs.append(HeldConfig(name=found.name, models=models, leads=leads))
    owned = list(owned_models(hook, endpoint_name))
    live = {seen.config, seen.pending_config} if seen else set()
    return Holdings(
        configs=tuple(configs),
        models={model.name: model.tags.get(tags.ARTIFACT) for model in owned},
        packages=tuple(_packages(hook, group)) if group else (),
        live=frozenset(name for name in live if name),
        referred=_referred(
            hook,
            names=frozenset(model.name for model in owned),
            since=min((model.created for model in owned), default=None),
            known=frozenset(config.name for config in configs),
        ),
    )


def _packages(hook: EndpointHook, group: str) -> Iterable[HeldPackage]:
    pages = hook.sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    try:
        for page in pages:
            for item in page["ModelPackageSummaryList"]:
                yield HeldPackage(
                    arn=item["ModelPackageArn"],
                    version=item["ModelPackageVersion"],
                    status=item["ModelApprovalStatus"],
                )
    except ClientError as error:
        if not errors.is_absent(error):
            raise  # a group that nothing was registered in yet is not there


def _referred(
    hook: EndpointHook, *, names: frozenset[str], since: datetime | None, known: frozenset[str]
) -> frozenset[str]:
    """Models of ours in configurations that are not: somebody tries one on an endpoint of their own.

    A configuration names models that exist when it is made, so only those younger than ours can.
    """
    if since is None:
        return frozenset()
    found: set[str] = set()
    pages = hook.sagemaker.get_paginator("list_endpoint_configs").paginate(CreationTimeAfter=since)
    for page in pages:
        for item in page["EndpointConfigs"]:
            if item["EndpointConfigName"] in known:
                continue
            config = hook.find_config(item["EndpointConfigName"])
            if config is not None:
                found |= {variant["ModelName"] for variant in config.variants} & names
    return frozenset(found)

"""Remove what a failed release has made, and nothing else."""

from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.alarms import remove_alarms
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core import tags
from endpoint_deploy.core.plan import Plan


def sweep(hook: EndpointHook, plan: Plan, created_by: str) -> list[str]:
    """Delete the alarms, and of the plan the configurations and models, that carry this run's key.

    Returns their names.

    What was adopted was made by another run, and may be what a rollback needs. Nothing live is deleted:
    SageMaker allows it, and refuses the endpoint's next update (hashicorp/terraform-provider-aws 40048).
    """
    endpoint = hook.find_endpoint(plan.endpoint)
    live: set[str | None] = {endpoint.config, endpoint.pending_config} if endpoint else set()
    removed = remove_alarms(hook, plan.endpoint, created_by=created_by) if plan.alarms else []
    made_now = {config.name for config in (plan.config, plan.joint) if config and not config.exists}
    for name in sorted(made_now - live):
        config = hook.find_config(name)
        if config is not None and _made_by(config.tags, plan.endpoint, created_by):
            hook.delete_config_if_there(name)
            removed.append(name)
    serving = _models_of(hook, live)
    for model in plan.models:
        if model.exists or model.name in serving:
            continue
        if _model_made_by(hook, model.name, plan.endpoint, created_by):
            hook.delete_model_if_there(model.name)
            removed.append(model.name)
    return removed


def _models_of(hook: EndpointHook, configs: set[str | None]) -> set[str]:
    found = [hook.find_config(name) for name in configs if name]
    return {variant["ModelName"] for config in found if config for variant in config.variants}


def _made_by(its_tags: dict[str, str], endpoint: str, created_by: str) -> bool:
    return tags.ours(its_tags, endpoint) and its_tags.get(tags.CREATED_BY) == created_by


def _model_made_by(hook: EndpointHook, name: str, endpoint: str, created_by: str) -> bool:
    model = hook.find_model(name)
    if model is None:
        return False
    try:
        return _made_by(hook.tags_of(model["ModelArn"]), endpoint, created_by)
    except ClientError as error:
        if errors.is_absent(error):
            return False
        raise

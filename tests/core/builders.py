"""Specs, candidates and descriptions to plan with: real models with defaults, nothing pretended."""

from collections.abc import Iterable, Mapping
from typing import Any

from endpoint_deploy.core import requests, tags
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.observed import (
    Observed,
    ObservedConfig,
    ObservedEndpoint,
    ObservedVariant,
    config_view,
    endpoint_view,
)
from endpoint_deploy.core.plan import Plan, PlannedConfig
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.requests import Desired
from endpoint_deploy.core.spec import DeploymentSpec

ENDPOINT = "churn-prod"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn:1"
Body = dict[str, Any]


def variant(name: str = "primary", **changes: Any) -> Body:
    return {"name": name, "instance_type": "ml.m5.large", **changes}


def serverless(name: str = "primary", **changes: Any) -> Body:
    return {"name": name, "serverless": {"memory_mb": 2048, "max_concurrency": 5}, **changes}


def spec(
    *variants: Body,
    strategy: str = "staged",
    model: Body | None = None,
    endpoint: Body | None = None,
    **changes: Any,
) -> DeploymentSpec:
    return DeploymentSpec.model_validate(
        {
            "name": "churn",
            "environment": "prod",
            "aws": {
                "region": "eu-west-1",
                "role_arn": "arn:aws:iam::123456789012:role/sagemaker-execution",
                "store": "s3://models/endpoint-deploy",
            },
            "model": {"artifact": "s3://models/churn/model.tar.gz", "image": IMAGE, **(model or {})},
            "endpoint": {"variants": variants or (variant(),), **(endpoint or {})},
            "release": {"strategy": strategy},
            "smoke_tests": [{"name": "one", "payload": "one.json"}],
            **changes,
        }
    )


def candidate(letter: str = "a") -> Candidate:
    return Candidate(
        artifact="s3://models/churn/model.tar.gz",
        image=IMAGE,
        sha256=letter * 64,
        pinned=f"s3://models/endpoint-deploy/artifacts/{letter * 64}/model.tar.gz",
    )


def described_config(
    body: Body, its_tags: Mapping[str, str] | None = None, *, ours: bool = True
) -> ObservedConfig:
    """What DescribeEndpointConfig and ListTags answer once a body was created."""
    own = {tags.ENDPOINT: ENDPOINT} if ours else {}
    return config_view(body, {**own, **(its_tags or {})})


def planned_config(config: PlannedConfig | None) -> ObservedConfig:
    """A plan's configuration as it is described once it was created."""
    assert config is not None
    return described_config(config.body, config.tags)


def final_config(its_spec: DeploymentSpec, its_candidate: Candidate) -> ObservedConfig:
    """The configuration that a release of this candidate ends on."""
    want = requests.desired(its_spec, its_candidate)
    body = requests.final_config_body(its_spec, want)
    return described_config(body, {tags.ARTIFACT: its_candidate.sha256, tags.STAGE: "final"})


def foreign_config(name: str = "by-hand", **variant_changes: Any) -> ObservedConfig:
    """A configuration that somebody made without this pipeline."""
    body = {
        "VariantName": "AllTraffic",
        "ModelName": "by-hand",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
        **variant_changes,
    }
    return described_config({"EndpointConfigName": name, "ProductionVariants": [body]}, ours=False)


def endpoint_on(
    config: ObservedConfig,
    status: str = "InService",
    *,
    counts: Mapping[str, int] | None = None,
    weights: Mapping[str, float] | None = None,
    reason: str | None = None,
) -> ObservedEndpoint:
    """DescribeEndpoint's answer on a configuration, where not said otherwise as that declares it."""
    variants = []
    for body in config.variants:
        name = body["VariantName"]
        weight = (weights or {}).get(name, body["InitialVariantWeight"])
        shown: Body = {"VariantName": name, "DesiredWeight": weight, "CurrentWeight": weight}
        if "InitialInstanceCount" in body:
            count = (counts or {}).get(name, body["InitialInstanceCount"])
            shown |= {"DesiredInstanceCount": count, "CurrentInstanceCount": count}
        variants.append(shown)
    answer = {
        "EndpointName": ENDPOINT,
        "EndpointStatus": status,
        "EndpointConfigName": config.name,
        "ProductionVariants": variants,
    }
    return endpoint_view(answer | ({"FailureReason": reason} if reason else {}))


def live(config: ObservedConfig, status: str = "InService", /, **changes: Any) -> Observed:
    """An endpoint that serves an own, or a foreign, configuration."""
    keys = ("counts", "weights", "reason")
    described = {key: changes.pop(key) for key in keys if key in changes}
    return Observed(
        endpoint=endpoint_on(config, status, **described), **{"config": config, "champion": config, **changes}
    )


def hung(plan: Plan, champion: ObservedConfig | None, *, shifted: bool = False, **changes: Any) -> Observed:
    """What a staged release leaves behind that stopped with champion and candidate side by side."""
    joint = planned_config(plan.joint)
    weights = plan.shift.weights if shifted and plan.shift else None
    return live(joint, weights=changes.pop("weights", weights), champion=champion, **changes)


def staged(
    its_spec: DeploymentSpec, before: str = "a", after: str = "b", **observed: Any
) -> tuple[ObservedConfig, Plan]:
    """A champion, and the plan that stages another candidate beside it."""
    champion = final_config(its_spec, candidate(before))
    return champion, make_plan(its_spec, candidate(after), live(champion, **observed))


def wanted(its_spec: DeploymentSpec, its_candidate: Candidate) -> Desired:
    return requests.desired(its_spec, its_candidate)


def weights_of(variants: Iterable[ObservedVariant]) -> dict[str, float]:
    return {v.name: v.desired_weight for v in variants}

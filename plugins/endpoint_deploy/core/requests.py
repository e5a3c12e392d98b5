"""From spec and candidate to the bodies of CreateModel and CreateEndpointConfig.

A model's body is derived again where it is needed and never travels: its environment may hold what must not
be in a log, an XCom or the ledger. What travels is its name, which ends in its digest. A configuration's body
holds nothing secret, and travels in the plan.
"""

from collections.abc import Mapping
from typing import Any

from endpoint_deploy.core import naming, tags
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.endpoint_spec import DataCaptureSpec, VariantSpec
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.strict import Strict

Body = dict[str, Any]

# What AWS's framework containers read to find the code that the archive carries under code/
# (sagemaker-inference, `environment.py`; the SageMaker SDK sets the same two).
_SCRIPT_MODE = {
    "SAGEMAKER_PROGRAM": "inference.py",
    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
}


class DesiredVariant(Strict):
    """One variant as the release wants it: its AWS name, model and share. `count` is None if serverless."""

    name: str
    declared: str
    model: str
    count: int | None
    weight: float


class Desired(Strict):
    """Everything that a release of this candidate would end with."""

    digest: str
    models: tuple[str, ...]
    variants: tuple[DesiredVariant, ...]
    config: str


def base_tags(spec: DeploymentSpec) -> dict[str, str]:
    """The tags that every resource of a deployment carries."""
    return {**spec.tags, tags.DEPLOYMENT: spec.key, tags.ENDPOINT: spec.endpoint_name}


def model_body(spec: DeploymentSpec, candidate: Candidate, variant: VariantSpec) -> Body:
    """CreateModel's body, its name included, for the model behind one variant."""
    code = _SCRIPT_MODE if spec.model.needs_inference_code else {}
    environment = {**code, **spec.model.environment, **variant.environment}
    content = {
        "PrimaryContainer": {
            "Image": candidate.image,
            "ModelDataUrl": candidate.pinned,
            **({"Environment": environment} if environment else {}),
        },
        "ExecutionRoleArn": spec.aws.role_arn,
    }
    # The bytes are named by their digest too: a pinned URI alone could be overwritten by hand.
    return {"ModelName": naming.resource_name(spec.endpoint_name, [content, candidate.sha256]), **content}


def model_bodies(spec: DeploymentSpec, candidate: Candidate) -> dict[str, Body]:
    """Every distinct model of a release by its name, in the order of the variants."""
    bodies = (model_body(spec, candidate, variant) for variant in spec.endpoint.variants)
    return {body["ModelName"]: body for body in bodies}


def variant_body(variant: VariantSpec, *, name: str, model: str, count: int | None, weight: float) -> Body:
    """One member of CreateEndpointConfig's `ProductionVariants`."""
    body: Body = {"VariantName": name, "ModelName": model, "InitialVariantWeight": float(weight)}
    if variant.serverless:
        body["ServerlessConfig"] = without_none(
            MemorySizeInMB=variant.serverless.memory_mb,
            MaxConcurrency=variant.serverless.max_concurrency,
            ProvisionedConcurrency=variant.serverless.provisioned_concurrency,
        )
        return body
    return body | without_none(
        InstanceType=variant.instance_type,
        InitialInstanceCount=count,
        VolumeSizeInGB=variant.volume_gb,
        ModelDataDownloadTimeoutInSeconds=variant.download_timeout_seconds,
        ContainerStartupHealthCheckTimeoutInSeconds=variant.startup_timeout_seconds,
    )


def desired(spec: DeploymentSpec, candidate: Candidate) -> Desired:
    """Name everything that this release would end with."""
    models = {v.name: model_body(spec, candidate, v)["ModelName"] for v in spec.endpoint.variants}
    declared = [
        variant_body(v, name=v.name, model=models[v.name], count=v.instances, weight=v.weight)
        for v in spec.endpoint.variants
    ]
    release = naming.digest([declared, _settings(spec)])
    staged = spec.release.strategy != "direct"
    variants = tuple(
        DesiredVariant(
            # SageMaker's guardrails need the same names on both sides, so `direct` keeps them as declared.
            name=naming.variant_name(v.name, release) if staged else v.name,
            declared=v.name,
            model=models[v.name],
            count=v.instances,
            weight=v.weight,
        )
        for v in spec.endpoint.variants
    )
    content = _final_content(spec, variants)
    return Desired(
        digest=release,
        models=tuple(dict.fromkeys(models.values())),
        variants=variants,
        config=naming.resource_name(spec.endpoint_name, content),
    )


def final_config_body(spec: DeploymentSpec, want: Desired) -> Body:
    """CreateEndpointConfig's body for the configuration a release ends on."""
    return {"EndpointConfigName": want.config, **_final_content(spec, want.variants)}


def joint_config_body(
    spec: DeploymentSpec, want: Desired, champion: list[Body], counts: Mapping[str, int]
) -> Body:
    """Champion and candidate side by side, the candidate at weight 0.

    champion: the live variants' bodies, with their live counts and weights; counts: the candidate's
    instances by variant name.
    """
    content = {
        "ProductionVariants": champion
        + _variant_bodies(spec, want.variants, weights=dict.fromkeys((v.name for v in want.variants), 0.0),
                          counts=counts),
        **_settings(spec),
    }  # fmt: skip
    return {"EndpointConfigName": naming.resource_name(spec.endpoint_name, ["joint", content]), **content}


def _final_content(spec: DeploymentSpec, variants: tuple[DesiredVariant, ...]) -> Body:
    return {"ProductionVariants": _variant_bodies(spec, variants), **_settings(spec)}


def _variant_bodies(
    spec: DeploymentSpec,
    variants: tuple[DesiredVariant, ...],
    weights: Mapping[str, float] | None = None,
    counts: Mapping[str, int] | None = None,
) -> list[Body]:
    declared = {variant.name: variant for variant in spec.endpoint.variants}
    return [
        variant_body(
            declared[v.declared],
            name=v.name,
            model=v.model,
            count=(counts or {}).get(v.name, v.count),
            weight=v.weight if weights is None else weights[v.name],
        )
        for v in variants
    ]


def _settings(spec: DeploymentSpec) -> Body:
    """What a configuration says beside its variants."""
    capture = spec.endpoint.data_capture
    return without_none(
        DataCaptureConfig=_capture_body(capture) if capture else None, KmsKeyId=spec.endpoint.kms_key_id
    )


def _capture_body(capture: DataCaptureSpec) -> Body:
    return without_none(
        EnableCapture=True,
        InitialSamplingPercentage=capture.sampling_percent,
        DestinationS3Uri=capture.destination,
        KmsKeyId=capture.kms_key_id,
        CaptureOptions=[{"CaptureMode": mode} for mode in capture.capture],
    )


def without_none(**members: Any) -> Body:
    """A request's members that are given."""
    return {key: value for key, value in members.items() if value is not None}

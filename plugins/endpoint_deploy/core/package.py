"""Model packages: what one says when it is registered, and what is read from one that is to be released.

A package carries no tags of its own (a version uses its group's), so that what the pipeline has to know of it
stands in `CustomerMetadataProperties`: at most 50, keys of 128 and values of 256 characters, letters, digits,
spaces and `_ . : / = + - @` (SageMaker's API model, CustomerMetadataMap).
"""

import re
from typing import Any

from endpoint_deploy.core import naming, tags
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.retrain import Evaluation, GatedMetrics, TrainedModel, TrainingSet
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.errors import ReleaseFailed

_PREFIX = "endpoint-deploy:"
KEY = _PREFIX + "package-key"
CHAMPION = _PREFIX + "champion-sha256"
_NO_CHAMPION = "none"
_UNFIT = re.compile(r"[^\w\s.:/=+\-@]")
_LONGEST_VALUE = 256
_KEY_LENGTH = 32  # also a ClientToken, which takes 36
_ARN = re.compile(r":model-package/(?P<group>[^/]+)/(?P<version>\d+)$")
_REGRESSION = frozenset({"r2", "mae", "rmse"})


class Lineage(Strict):
    """Where a candidate comes from, gathered from the retraining's tasks."""

    candidate: Candidate
    trained: TrainedModel
    training_set: TrainingSet | None
    evaluation: Evaluation
    gated: GatedMetrics
    dag_id: str
    run_id: str


class Approval(Strict):
    """One approval of a package; `given` is the package's LastModifiedTime with it, None before that."""

    model_package: str
    given: str | None


class Package(Strict):
    """A model package as DescribeModelPackage shows it; `status` is its ModelApprovalStatus."""

    arn: str
    group: str
    version: int
    status: str
    said: str
    image: str
    artifact: str
    sha256: str | None
    champion: str | None
    key: str | None
    modified: str

    @property
    def approval(self) -> Approval:
        """The approval that it carries, where it is Approved."""
        return Approval(model_package=self.arn, given=self.modified)


def key_of(spec: DeploymentSpec, lineage: Lineage) -> str:
    """What is the same for one candidate and one evaluation of it, and for nothing else."""
    champion = lineage.gated.champion
    return naming.digest(
        [
            spec.key,
            lineage.candidate.sha256,
            lineage.candidate.image,
            lineage.evaluation.job,
            champion.sha256 if champion else None,
        ]
    )[:_KEY_LENGTH]


def description_of(spec: DeploymentSpec, key: str) -> str:
    """ModelPackageDescription: the only text of ours that ListModelPackages shows, so the key is in it."""
    return f"Retrained for {spec.key} [{key}]"


def package_body(spec: DeploymentSpec, group: str, lineage: Lineage, *, statistics: str) -> dict[str, Any]:
    """CreateModelPackage's body. It is born pending: an approval is announced before it is given.

    statistics: the s3:// address of `statistics_of`.
    """
    key = key_of(spec, lineage)
    return {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": description_of(spec, key),
        "ClientToken": key,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [{"Image": lineage.candidate.image, "ModelDataUrl": lineage.candidate.pinned}],
            "SupportedContentTypes": sorted({test.content_type for test in spec.smoke_tests}),
            "SupportedResponseMIMETypes": sorted({test.accept for test in spec.smoke_tests}),
        },
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": statistics}}
        },
        "MetadataProperties": {
            "GeneratedBy": f"{lineage.dag_id} {lineage.run_id}"[:1024],
            "ProjectId": spec.key,
            **({"CommitId": lineage.trained.code_sha256} if lineage.trained.code_sha256 else {}),
        },
        "CustomerMetadataProperties": {**metadata_of(spec, lineage), KEY: key},
    }


def statistics_of(lineage: Lineage) -> dict[str, Any]:
    """The metrics that the gate let through, with all of the lineage, as ModelMetrics refers to them."""
    metrics = lineage.gated.metrics
    kind = "regression" if _REGRESSION.issuperset(m.name for m in metrics) else "classification"
    return {
        "version": 0.0,
        f"{kind}_metrics": {m.name: {"value": m.candidate, "champion": m.champion} for m in metrics},
        "lineage": lineage.model_dump(mode="json"),
    }


def metadata_of(spec: DeploymentSpec, lineage: Lineage) -> dict[str, str]:
    """CustomerMetadataProperties: the lineage, and what the champion was that it was evaluated against."""
    champion = lineage.gated.champion
    data = lineage.training_set
    said = {
        tags.DEPLOYMENT: spec.key,
        tags.ENDPOINT: spec.endpoint_name,
        tags.ARTIFACT: lineage.candidate.sha256,
        CHAMPION: champion.sha256 if champion else _NO_CHAMPION,
        _PREFIX + "champion-release": str(champion.release) if champion else None,
        _PREFIX + "training-set": data.digest if data else None,
        _PREFIX + "training-manifest": data.manifest if data else None,
        _PREFIX + "training-job": lineage.trained.job,
        _PREFIX + "code-sha256": lineage.trained.code_sha256,
        _PREFIX + "evaluation-job": lineage.evaluation.job,
        _PREFIX + "dag-id": lineage.dag_id,
        _PREFIX + "run-id": lineage.run_id,
    }
    # What does not fit, such as a very long address, stands whole in the statistics.
    return {
        key: _UNFIT.sub("_", value) for key, value in said.items() if value and len(value) <= _LONGEST_VALUE
    }


def package_of(described: dict[str, Any]) -> Package:
    """DescribeModelPackage's answer; raises ReleaseFailed where it is not one model in one container."""
    arn = described["ModelPackageArn"]
    named = _ARN.search(arn)
    if named is None:
        raise ReleaseFailed(f"{arn} is in no model package group, expected a version of one")
    containers = described.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1:
        raise ReleaseFailed(f"model package {arn} has {len(containers)} containers, expected one")
    source = containers[0].get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri")
    artifact = containers[0].get("ModelDataUrl") or source
    if not artifact:
        raise ReleaseFailed(f"model package {arn} names no model data, expected a model.tar.gz in S3")
    metadata = described.get("CustomerMetadataProperties", {})
    champion = metadata.get(CHAMPION)
    modified = described.get("LastModifiedTime") or described["CreationTime"]
    return Package(
        arn=arn,
        group=described.get("ModelPackageGroupName") or named["group"],
        version=int(named["version"]),
        status=described.get("ModelApprovalStatus", "PendingManualApproval"),
        said=described.get("ApprovalDescription", ""),
        image=containers[0]["Image"],
        artifact=artifact,
        sha256=metadata.get(tags.ARTIFACT),
        champion=None if champion == _NO_CHAMPION else champion,
        key=metadata.get(KEY),
        modified=modified.isoformat(),
    )


def check_group(package: Package, group: str) -> None:
    """Raise ReleaseFailed unless the package is in this group."""
    if package.group.lower() != group.lower():  # ARNs carry the group's name in lower case
        raise ReleaseFailed(
            f"model package {package.arn} is in group {package.group}, expected one of {group}, as "
            "registry.group says"
        )


def check_releasable(package: Package, group: str) -> None:
    """Raise ReleaseFailed unless the package is an approved one of this group."""
    check_group(package, group)
    if package.status == "Approved":
        return
    said = f" ({package.said})" if package.said else ""
    raise ReleaseFailed(
        f"model package {package.arn} is {package.status}{said}, expected Approved: whoever decides about "
        f"group {group} approves it in the registry (UpdateModelPackage), then clear from `resolve_release`"
    )

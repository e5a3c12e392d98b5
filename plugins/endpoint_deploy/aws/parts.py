"""What the instances of an endpoint are started from: archive, image, execution role."""

import re
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.strict import Strict

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# <account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag> or @<digest> (ECR's user guide, registries)
_ECR = re.compile(
    r"^(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<repository>[^:@]+)"
    r"(:(?P<tag>[^@]+))?(@(?P<digest>sha256:[0-9a-f]{64}))?$"
)


class ArchiveState(Strict):
    """HeadObject of a pinned archive; `sha256` is what its metadata says."""

    etag: str
    sha256: str | None


def archive_state(s3: "S3Client", uri: str) -> ArchiveState | None:
    """What there is at an archive's address; None where there is nothing. One HeadObject."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        found = s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if errors.is_absent_object(error):
            return None
        raise
    return ArchiveState(etag=found["ETag"], sha256=found["Metadata"].get("sha256"))


def image_digest(hook: EndpointHook, image: str) -> str | None:
    """The digest of an image in ECR now; None where ECR has no such image. One BatchGetImage.

    Raises LookupError for an image that ECR cannot be asked about: of another registry or region, or of a
    repository that this account may not see. One whose repository is not there is not there either.
    """
    named = _ECR.match(image)
    if named is None or named["region"] != hook.region_name:
        raise LookupError(f"{image} is not an image of ECR in {hook.region_name}")
    wanted = {"imageDigest": named["digest"]} if named["digest"] else {"imageTag": named["tag"] or "latest"}
    try:
        answer = hook.sibling("ecr").batch_get_image(
            registryId=named["account"], repositoryName=named["repository"], imageIds=[wanted]
        )
    except ClientError as error:
        if errors.is_absent_repository(error):
            return None
        if errors.is_denied(error):
            raise LookupError(f"{image}: {errors.code(error)}") from error
        raise
    for found in answer.get("images", []):
        return str(found["imageId"]["imageDigest"])
    # BatchGetImage answers 200 and says under `failures` what it did not find (API reference, ImageFailure).
    codes = {failure.get("failureCode") for failure in answer.get("failures", [])}
    if codes and codes != {"ImageNotFound"}:
        raise LookupError(f"{image}: {', '.join(sorted(map(str, codes)))}")
    return None


def role_is_there(hook: EndpointHook, arn: str) -> bool:
    """Whether an execution role exists. One GetRole."""
    try:
        hook.sibling("iam").get_role(RoleName=arn.rpartition("/")[2])
    except ClientError as error:
        if errors.is_absent_role(error):
            return False
        raise
    return True


def count_bounds(hook: EndpointHook, endpoint: str, variants: list[str]) -> dict[str, tuple[int, int]]:
    """Least and most instances by variant, of those that Application Auto Scaling scales."""
    pages = (
        hook.sibling("application-autoscaling")
        .get_paginator("describe_scalable_targets")
        .paginate(
            ServiceNamespace="sagemaker",
            ResourceIds=[f"endpoint/{endpoint}/variant/{variant}" for variant in variants],
            ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        )
    )
    return {
        str(target["ResourceId"]).rpartition("/")[2]: (int(target["MinCapacity"]), int(target["MaxCapacity"]))
        for page in pages
        for target in page["ScalableTargets"]
    }

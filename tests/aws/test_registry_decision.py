"""A decision and the registry's status of the package come to agree."""

import uuid
from typing import Any

import pytest

from endpoint_deploy.aws.claims import Claims
from endpoint_deploy.aws.registry import ModelRegistry
from endpoint_deploy.core.approval import Decision
from endpoint_deploy.operators.registry_decision import agree, is_rejected

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn:1"
APPROVED = Decision(
    verdict="approved", by="person", user="ann", at="2026-01-01T00:00:00+00:00", plan="p", asked="s3://b/q"
)
REJECTED = APPROVED.model_copy(update={"verdict": "rejected", "note": "not today"})


class Package:
    """A package that waits for a decision."""

    def __init__(self, client: Any) -> None:
        group, sagemaker, s3 = f"g{uuid.uuid4().hex[:8]}", client("sagemaker"), client("s3")
        s3.create_bucket(Bucket=group, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket=group, Key="model.tar.gz", Body=b"model")
        sagemaker.create_model_package_group(ModelPackageGroupName=group)
        self.arn = sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={
                "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{group}/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )["ModelPackageArn"]
        self.registry = ModelRegistry(sagemaker, group)
        self.claims = Claims(s3, f"s3://{group}/store", "churn-prod")

    def agree(self, decision: Decision) -> Decision:
        return agree(self.registry, self.claims, self.arn, decision)


@pytest.fixture
def package(local_sagemaker: Any) -> Package:
    return Package(local_sagemaker.client)


def test_an_approval_is_told_once_and_is_no_news_to_the_watcher(package: Package) -> None:
    assert package.agree(APPROVED) == APPROVED
    told = package.registry.describe(package.arn)
    assert (told.status, told.said) == ("Approved", APPROVED.sentence)
    assert package.claims.covers(told.approval)
    assert package.agree(APPROVED) == APPROVED
    assert package.registry.describe(package.arn) == told


def test_a_rejection_is_told_with_its_note(package: Package) -> None:
    assert package.agree(REJECTED) == REJECTED
    told = package.registry.describe(package.arn)
    assert is_rejected(told)
    assert told.said == REJECTED.sentence


def test_what_the_registry_has_rejected_stays_rejected(package: Package) -> None:
    package.registry.set_status(package.arn, "Rejected", "biased")
    counts = package.agree(APPROVED)
    assert (counts.verdict, counts.by, counts.note) == ("rejected", "registry", "biased")
    assert (counts.plan, counts.asked) == (APPROVED.plan, APPROVED.asked)
    assert is_rejected(package.registry.describe(package.arn))

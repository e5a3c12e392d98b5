"""One model package group of SageMaker's model registry: one method per call, errors told apart."""

from typing import Any

from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.core import tags
from endpoint_deploy.core.package import Package, package_of
from endpoint_deploy.errors import ReleaseFailed

_LONGEST_REASON = 1024  # ApprovalDescription, in the service's API model


class ModelRegistry:
    """The packages of a group, through a SageMaker client."""

    def __init__(self, client: Any, group: str) -> None:
        self._client = client
        self._group = group

    def ensure_group(self, description: str, its_tags: dict[str, str]) -> bool:
        """CreateModelPackageGroup; False where there is one of that name, which is left as it is."""
        try:
            self._client.create_model_package_group(
                ModelPackageGroupName=self._group,
                ModelPackageGroupDescription=description,
                Tags=tags.as_list(its_tags),
            )
        except ClientError as error:
            if errors.is_taken(error):
                return False
            raise
        return True

    def newest_approved(self) -> str | None:
        """ARN of the newest package that is Approved, by one ListModelPackages; None where there is none."""
        try:
            page = self._client.list_model_packages(
                ModelPackageGroupName=self._group,
                ModelApprovalStatus="Approved",
                SortBy="CreationTime",
                SortOrder="Descending",
                MaxResults=1,
            )
        except ClientError as error:
            if errors.is_absent(error):
                return None
            raise
        found = page["ModelPackageSummaryList"]
        return str(found[0]["ModelPackageArn"]) if found else None

    def approved(self) -> list[str]:
        """ARNs of all packages that are Approved, the newest first, a hundred a ListModelPackages."""
        pages = self._client.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=self._group,
            ModelApprovalStatus="Approved",
            SortBy="CreationTime",
            SortOrder="Descending",
            PaginationConfig={"PageSize": 100},
        )
        try:
            return [str(s["ModelPackageArn"]) for page in pages for s in page["ModelPackageSummaryList"]]
        except ClientError as error:
            if errors.is_absent(error):
                return []
            raise

    def registered(self, key: str, description: str) -> Package | None:
        """The first package that was registered under this key; None where there is none.

        ListModelPackages shows no metadata, so those of this description are looked at one by one.
        """
        pages = self._client.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=self._group, SortBy="CreationTime", SortOrder="Ascending"
        )
        for page in pages:
            for summary in page["ModelPackageSummaryList"]:
                if summary.get("ModelPackageDescription") != description:
                    continue
                package = self.describe(summary["ModelPackageArn"])
                if package.key == key:
                    return package
        return None

    def create(self, body: dict[str, Any]) -> Package:
        """CreateModelPackage; a body whose ClientToken was sent before gives the package of then."""
        return self.describe(self._client.create_model_package(**body)["ModelPackageArn"])

    def describe(self, arn: str) -> Package:
        """DescribeModelPackage; raises ReleaseFailed where there is no such package."""
        try:
            return package_of(self._client.describe_model_package(ModelPackageName=arn))
        except ClientError as error:
            if errors.is_absent(error):
                raise ReleaseFailed(f"there is no model package {arn}: {errors.message(error)}") from error
            raise

    def update(self, arn: str, metadata: dict[str, str], *, approved: str | None = None) -> Package:
        """UpdateModelPackage: add metadata, approve it with this reason; returns it as it then is."""
        change: dict[str, Any] = {"CustomerMetadataProperties": metadata} if metadata else {}
        if approved is not None:
            change |= {"ModelApprovalStatus": "Approved", "ApprovalDescription": approved[:_LONGEST_REASON]}
        self._client.update_model_package(ModelPackageArn=arn, **change)
        return self.describe(arn)

    def set_status(self, arn: str, status: str, because: str) -> Package:
        """UpdateModelPackage to this ModelApprovalStatus, with this reason; returns it as it then is."""
        self._client.update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=because[:_LONGEST_REASON]
        )
        return self.describe(arn)

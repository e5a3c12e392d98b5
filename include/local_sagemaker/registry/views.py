"""Model packages as the API and its events show them."""

from datetime import UTC, datetime
from typing import Any

from local_sagemaker.registry.records import Package

_SUMMARISED = (
    "ModelPackageDescription",
    "ModelApprovalStatus",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)


def identity(package: Package) -> dict[str, Any]:
    """What names a package: a version by its group and number, the others by their name."""
    if package.group is None:
        return {"ModelPackageName": package.name}
    return {"ModelPackageGroupName": package.group, "ModelPackageVersion": package.version}


def _common(package: Package) -> dict[str, Any]:
    return {
        **identity(package),
        "ModelPackageArn": package.arn,
        "CreationTime": package.created,
        "ModelPackageStatus": "Completed",
    }


def summary(package: Package) -> dict[str, Any]:
    """As ListModelPackages shows it."""
    return {**_common(package), **_chosen(package, _SUMMARISED)}


def batch_summary(package: Package) -> dict[str, Any]:
    """As BatchDescribeModelPackage shows it."""
    chosen = tuple(name for name in _SUMMARISED if name != "ModelLifeCycle")
    return {**_common(package), **_chosen(package, (*chosen, "InferenceSpecification"))}


def description(package: Package) -> dict[str, Any]:
    """As DescribeModelPackage shows it."""
    shown: dict[str, Any] = {
        "CertifyForMarketplace": False,
        **package.request,
        **_common(package),
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CreatedBy": package.created_by,
    }
    if package.modified is not None:
        shown["LastModifiedTime"] = package.modified
        shown["LastModifiedBy"] = package.modified_by
    return shown


def event_detail(package: Package, updated: list[str]) -> dict[str, Any]:
    """The detail of "SageMaker Model Package State Change": the description, with times in ISO 8601.

    `updated` are the members an update changed; the event of a creation has none.
    """
    detail = description(package)
    for name in ("CreationTime", "LastModifiedTime"):
        if name in detail:
            moment = datetime.fromtimestamp(detail[name], UTC)
            detail[name] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if package.group is not None:
        # A version's name in the event is its group and number, as in its ARN.
        detail["ModelPackageName"] = package.name
    return {**detail, "UpdatedModelPackageFields": updated} if updated else detail


def _chosen(package: Package, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: package.request[name] for name in names if name in package.request}

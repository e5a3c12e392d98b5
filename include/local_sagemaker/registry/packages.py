"""Model packages: create, describe, list, update (approval), delete, and the containers in them."""

from collections.abc import Callable
from typing import Any

from local_sagemaker.api.caller import user_context
from local_sagemaker.api.errors import ServiceError, invalid, unsupported
from local_sagemaker.api.listing import page
from local_sagemaker.clock import Clock
from local_sagemaker.events.bus import Events
from local_sagemaker.registry import views
from local_sagemaker.registry.groups import Groups
from local_sagemaker.registry.records import PACKAGE_KIND, Package, bare_name, package_arn, package_key
from local_sagemaker.store import Store

Request = dict[str, Any]

EVENT = "SageMaker Model Package State Change"
_ONLY_ADDRESS = ("ModelPackageName", "ModelPackageGroupName", "ClientToken", "Tags")
_UPDATED_AS_GIVEN = (
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
)
_MAX_ADDITIONAL = 15
_MAX_METADATA = 50
# What a container definition of CreateModel has too.
_CONTAINER_MEMBERS = (
    "ContainerHostname",
    "Image",
    "ModelDataUrl",
    "ModelDataSource",
    "AdditionalModelDataSources",
    "Environment",
)


class Packages:
    """The packages in the store, and the events of their changes."""

    def __init__(self, store: Store, clock: Clock, region: str, groups: Groups, events: Events) -> None:
        self._store = store
        self._clock = clock
        self._region = region
        self._groups = groups
        self._events = events

    def create(self, request: Request) -> dict[str, Any]:
        """CreateModelPackage: the next version in a group, or a package of its own name."""
        _check_creation(request)
        token = request.get("ClientToken")
        if token and (earlier := self._made_with(token)):
            return {"ModelPackageArn": earlier.arn}
        kept = {name: value for name, value in request.items() if name not in _ONLY_ADDRESS}
        tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
        version = None
        group_name = None
        if "ModelPackageGroupName" in request:
            group = self._groups.get(request["ModelPackageGroupName"])
            version = group.last_version + 1
            name, group_name = f"{group.name}/{version}", group.name
            kept.setdefault("ModelApprovalStatus", "PendingManualApproval")
            self._groups.save(group.model_copy(update={"last_version": version}))
        else:
            name = request["ModelPackageName"]
        arn = package_arn(self._region, name)
        if self._find(name):
            raise invalid(f"Model Package already exists: {arn}")
        package = Package(
            name=name,
            group=group_name,
            version=version,
            arn=arn,
            created=self._clock.now(),
            created_by=user_context(),
            request=kept,
            client_token=token,
            tags=tags,
        )
        self._save(package)
        self._tell(package, [])
        return {"ModelPackageArn": arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """DescribeModelPackage, by name or ARN."""
        return views.description(self.get(request["ModelPackageName"]))

    def batch_describe(self, request: Request) -> dict[str, Any]:
        """BatchDescribeModelPackage: those found, and an error for each of the others."""
        found: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        for arn in request["ModelPackageArnList"]:
            try:
                found[arn] = views.batch_summary(self.get(arn))
            except ServiceError as error:
                errors[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
        answer: dict[str, Any] = {"ModelPackageSummaries": found}
        return {**answer, "BatchDescribeModelPackageErrorMap": errors} if errors else answer

    def list_page(self, request: Request) -> dict[str, Any]:
        """ListModelPackages: those without a group unless asked otherwise, oldest first (its reference)."""
        shown = [package for package in self._all() if self._listed(request, package)]
        named = [{**views.summary(package), "ModelPackageName": package.name} for package in shown]
        answer = page(
            {"SortOrder": "Ascending", **request}, named, "ModelPackageSummaryList", "ModelPackageName"
        )
        for summary in answer["ModelPackageSummaryList"]:
            if "ModelPackageGroupName" in summary:
                del summary["ModelPackageName"]  # versions have none
        return answer

    def _listed(self, request: Request, package: Package) -> bool:
        if request.get("ModelApprovalStatus", package.approval) != package.approval:
            return False
        if "ModelPackageGroupName" in request:
            return package.group == self._groups.get(request["ModelPackageGroupName"]).name
        wanted = request.get("ModelPackageType", "Unversioned")
        types = ("Both", "Unversioned" if package.group is None else "Versioned")
        return wanted in types

    def update(self, request: Request) -> dict[str, Any]:
        """UpdateModelPackage: approval and its description, life cycle, metadata, specifications."""
        package = self.get(request["ModelPackageArn"])
        if package.group is None and "ModelApprovalStatus" in request:
            raise invalid("ModelApprovalStatus applies to model packages in a model package group only.")
        kept = {
            **package.request,
            **{name: request[name] for name in _UPDATED_AS_GIVEN if name in request},
            **_metadata(package, request),
            **_additional(package, request),
        }
        updated = [name for name in kept if kept[name] != package.request.get(name)]
        package = package.model_copy(
            update={"request": kept, "modified": self._clock.now(), "modified_by": user_context()}
        )
        self._save(package)
        self._tell(package, updated)
        return {"ModelPackageArn": package.arn}

    def delete(self, request: Request) -> dict[str, Any]:
        """DeleteModelPackage; models made from it are not touched."""
        package = self.get(request["ModelPackageName"])
        self._store.delete(PACKAGE_KIND, package.key)
        return {}

    def containers(self, name_or_arn: str) -> list[dict[str, Any]]:
        """The package's containers in the form of CreateModel's; refuses a version that is not approved.

        "For versioned models, the value of this parameter must be set to Approved to deploy the model"
        (ModelApprovalStatus in CreateModelPackage's reference).
        """
        package = self.get(name_or_arn)
        if package.approval not in (None, "Approved"):
            raise invalid(
                f"Model package {package.arn} cannot be deployed: its ModelApprovalStatus is "
                f"{package.approval}, and must be Approved."
            )
        specification = package.request.get("InferenceSpecification")
        if specification is None:
            raise invalid(f"Model package {package.arn} has no InferenceSpecification to make a model from.")
        return [
            {name: container[name] for name in _CONTAINER_MEMBERS if name in container}
            for container in specification["Containers"]
        ]

    def get(self, name_or_arn: str) -> Package:
        """The package, or the service's error."""
        package = self._find(name_or_arn)
        if package is None:
            arn = package_arn(self._region, bare_name(name_or_arn))
            raise invalid(f"ModelPackage {arn} does not exist.")
        return package

    def _find(self, name_or_arn: str) -> Package | None:
        document = self._store.get(PACKAGE_KIND, package_key(name_or_arn))
        return Package.model_validate(document) if document else None

    def _all(self) -> list[Package]:
        return [Package.model_validate(document) for _, document in self._store.all(PACKAGE_KIND)]

    def _made_with(self, token: str) -> Package | None:
        return next((package for package in self._all() if package.client_token == token), None)

    def _save(self, package: Package) -> None:
        self._store.put(PACKAGE_KIND, package.key, package.model_dump())

    def _tell(self, package: Package, updated: list[str]) -> None:
        self._events.emit(EVENT, views.event_detail(package, updated), [package.arn])

    def tags_of(self, name: str) -> tuple[dict[str, str], Callable[[dict[str, str]], None]]:
        """The tags of a package, and how to change them."""
        package = self.get(name)
        return package.tags, lambda tags: self._save(package.model_copy(update={"tags": tags}))

    def operations(self) -> dict[str, Callable[[Request], dict[str, Any]]]:
        """The API's operations on packages, by name."""
        return {
            "CreateModelPackage": self.create,
            "DescribeModelPackage": self.describe,
            "BatchDescribeModelPackage": self.batch_describe,
            "ListModelPackages": self.list_page,
            "UpdateModelPackage": self.update,
            "DeleteModelPackage": self.delete,
        }


def _check_creation(request: Request) -> None:
    versioned = "ModelPackageGroupName" in request
    if versioned and "ModelPackageName" in request:
        raise invalid(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine "
            "which one to use."
        )
    if not versioned and "ModelPackageName" not in request:
        raise invalid("Missing ARN.")
    for member in ("ValidationSpecification", "SourceAlgorithmSpecification", "CertifyForMarketplace"):
        if request.get(member):
            raise unsupported(f"{member} is not served")
    if versioned and request.get("Tags"):
        raise invalid(
            "Tags cannot be given for a model package in a model package group: it uses the group's."
        )
    if not versioned and "ModelApprovalStatus" in request:
        raise invalid("ModelApprovalStatus applies to model packages in a model package group only.")
    if not versioned and "InferenceSpecification" not in request:
        raise invalid("A model package needs an InferenceSpecification or a SourceAlgorithmSpecification.")
    for container in request.get("InferenceSpecification", {}).get("Containers", []):
        if "ModelDataUrl" in container and "ModelDataSource" in container:
            raise invalid("ModelDataUrl and ModelDataSource cannot both be given.")


def _metadata(package: Package, request: Request) -> dict[str, Any]:
    """CustomerMetadataProperties after an update: those given are added, then those named removed."""
    name = "CustomerMetadataProperties"
    removed = request.get("CustomerMetadataPropertiesToRemove", [])
    if name not in request and not removed:
        return {}
    merged = {**package.request.get(name, {}), **request.get(name, {})}
    merged = {key: value for key, value in merged.items() if key not in removed}
    if len(merged) > _MAX_METADATA:
        raise invalid(f"A model package can have at most {_MAX_METADATA} CustomerMetadataProperties.")
    return {name: merged}


def _additional(package: Package, request: Request) -> dict[str, Any]:
    added = request.get("AdditionalInferenceSpecificationsToAdd", [])
    if not added:
        return {}
    name = "AdditionalInferenceSpecifications"
    specifications = [*package.request.get(name, []), *added]
    if len(specifications) > _MAX_ADDITIONAL:
        raise invalid(f"A model package can have at most {_MAX_ADDITIONAL} {name}.")
    return {name: specifications}

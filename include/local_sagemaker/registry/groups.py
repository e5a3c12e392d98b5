"""Model package groups: create, describe, list, delete, and their resource policies."""

import json
from collections.abc import Callable
from typing import Any

from local_sagemaker.api.caller import user_context
from local_sagemaker.api.errors import ServiceError, invalid
from local_sagemaker.api.listing import page
from local_sagemaker.clock import Clock
from local_sagemaker.registry.records import GROUP_KIND, PACKAGE_KIND, Group, bare_name, group_arn
from local_sagemaker.store import Store

Request = dict[str, Any]


class Groups:
    """The groups in the store."""

    def __init__(self, store: Store, clock: Clock, region: str) -> None:
        self._store = store
        self._clock = clock
        self._region = region

    def create(self, request: Request) -> dict[str, Any]:
        """CreateModelPackageGroup: refuses a name that is taken, in whatever case."""
        name = request["ModelPackageGroupName"]
        arn = group_arn(self._region, name)
        if self._store.get(GROUP_KIND, name.lower()):
            raise invalid(f"Model Package Group already exists: {arn}")
        tags = {tag["Key"]: tag["Value"] for tag in request.pop("Tags", [])}
        self.save(
            Group(
                name=name,
                arn=arn,
                created=self._clock.now(),
                created_by=user_context(),
                request=request,
                tags=tags,
            )
        )
        return {"ModelPackageGroupArn": arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """DescribeModelPackageGroup, by name or ARN."""
        group = self.get(request["ModelPackageGroupName"])
        return {**_summary(group), "CreatedBy": group.created_by}

    def list_page(self, request: Request) -> dict[str, Any]:
        """ListModelPackageGroups: oldest first unless asked otherwise (its reference)."""
        if request.get("CrossAccountFilterOption") == "CrossAccount":
            return {"ModelPackageGroupSummaryList": []}
        summaries = [_summary(Group.model_validate(document)) for _, document in self._store.all(GROUP_KIND)]
        return page(
            {"SortOrder": "Ascending", **request},
            summaries,
            "ModelPackageGroupSummaryList",
            "ModelPackageGroupName",
        )

    def delete(self, request: Request) -> dict[str, Any]:
        """DeleteModelPackageGroup: only an empty one; `ConflictException` otherwise."""
        group = self.get(request["ModelPackageGroupName"])
        versions = sum(
            1 for key, _ in self._store.all(PACKAGE_KIND) if key.startswith(f"{group.name.lower()}/")
        )
        if versions:
            raise ServiceError(
                "ConflictException",
                f"Model Package Group {group.arn} cannot be deleted: it still has {versions} model "
                f"package{'s' if versions > 1 else ''}.",
            )
        self._store.delete(GROUP_KIND, group.name.lower())
        return {}

    def put_policy(self, request: Request) -> dict[str, Any]:
        """PutModelPackageGroupPolicy: kept and returned; this account's own requests need none."""
        group = self.get(request["ModelPackageGroupName"])
        try:
            json.loads(request["ResourcePolicy"])
        except ValueError as error:
            raise invalid(f"The ResourcePolicy is not valid JSON: {error}.") from error
        self.save(group.model_copy(update={"policy": request["ResourcePolicy"]}))
        return {"ModelPackageGroupArn": group.arn}

    def get_policy(self, request: Request) -> dict[str, Any]:
        """GetModelPackageGroupPolicy."""
        group = self.get(request["ModelPackageGroupName"])
        if group.policy is None:
            raise invalid(f"Cannot find resource policy for: {group.arn}")
        return {"ResourcePolicy": group.policy}

    def delete_policy(self, request: Request) -> dict[str, Any]:
        """DeleteModelPackageGroupPolicy."""
        self.get_policy(request)
        group = self.get(request["ModelPackageGroupName"])
        self.save(group.model_copy(update={"policy": None}))
        return {}

    def get(self, name_or_arn: str) -> Group:
        """The group, or the service's error."""
        name = bare_name(name_or_arn)
        document = self._store.get(GROUP_KIND, name.lower())
        if document is None:
            raise invalid(f"ModelPackageGroup {group_arn(self._region, name)} does not exist.")
        return Group.model_validate(document)

    def save(self, group: Group) -> None:
        """Write the group, new or changed."""
        self._store.put(GROUP_KIND, group.name.lower(), group.model_dump())

    def tags_of(self, name: str) -> tuple[dict[str, str], Callable[[dict[str, str]], None]]:
        """The tags of a group, and how to change them."""
        group = self.get(name)
        return group.tags, lambda tags: self.save(group.model_copy(update={"tags": tags}))

    def operations(self) -> dict[str, Callable[[Request], dict[str, Any]]]:
        """The API's operations on groups, by name."""
        return {
            "CreateModelPackageGroup": self.create,
            "DescribeModelPackageGroup": self.describe,
            "ListModelPackageGroups": self.list_page,
            "DeleteModelPackageGroup": self.delete,
            "PutModelPackageGroupPolicy": self.put_policy,
            "GetModelPackageGroupPolicy": self.get_policy,
            "DeleteModelPackageGroupPolicy": self.delete_policy,
        }


def _summary(group: Group) -> dict[str, Any]:
    return {
        **group.request,
        "ModelPackageGroupArn": group.arn,
        "CreationTime": group.created,
        "ModelPackageGroupStatus": "Completed",
    }

"""Operations on scalable targets, their tags and their activities."""

import uuid
from typing import Any

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.api.errors import ServiceError, invalid
from local_sagemaker.autoscaling.paging import page
from local_sagemaker.autoscaling.policy_operations import PolicyOperations
from local_sagemaker.autoscaling.records import (
    Activity,
    Registry,
    Target,
    now,
    resource,
)
from local_sagemaker.autoscaling.refusals import check_scalable, no_target, still_scaled
from local_sagemaker.autoscaling.scaler import Scaler
from local_sagemaker.hosting.records import Deployment

Request = dict[str, Any]
MAX_TAGS = 50
_SUSPENSIONS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


class TargetOperations:
    """Registers variants to be scaled."""

    def __init__(self, registry: Registry, scaler: Scaler, policies: PolicyOperations, region: str) -> None:
        self._registry = registry
        self._scaler = scaler
        self._policies = policies
        self._region = region

    def register(self, request: Request) -> dict[str, Any]:
        """RegisterScalableTarget: a new target, or new bounds of an old one."""
        check_scalable(request)
        resource_id = request["ResourceId"]
        known = self._registry.targets.get(resource_id)
        target = known or self._new(request)
        target = target.model_copy(
            update={
                "minimum": request.get("MinCapacity", target.minimum),
                "maximum": request.get("MaxCapacity", target.maximum),
                "suspended": {**target.suspended, **request.get("SuspendedState", {})},
            }
        )
        if target.minimum < 0:
            raise invalid("Minimum capacity cannot be less than 0")
        if target.minimum > target.maximum:
            raise invalid("Maximum capacity cannot be less than minimum capacity")
        if self._scaler.capacity(target) is None:
            raise invalid(f"SageMaker variant does not exist, or has no instances to count: {resource_id}")
        if target.minimum == 0 and not self._scaler.scales_to_zero(target):
            raise invalid("Minimum capacity must be at least 1: only asynchronous endpoints scale to zero")
        self._registry.targets.save(resource_id, target)
        self._scaler.hold_bounds(target)
        return {"ScalableTargetARN": target.arn}

    def deregister(self, request: Request) -> dict[str, Any]:
        """DeregisterScalableTarget: its policies and scheduled actions go with it."""
        check_scalable(request)
        self._target(request["ResourceId"])
        self.remove(request["ResourceId"])
        return {}

    def remove(self, resource_id: str) -> None:
        """Forget a target and all that belongs to it."""
        for policy in self._registry.policies_of(resource_id):
            self._policies.remove(policy)
        for scheduled in self._registry.scheduled.all():
            if scheduled.resource_id == resource_id:
                self._registry.scheduled.delete(f"{resource_id}\n{scheduled.name}")
        self._registry.targets.delete(resource_id)

    def describe(self, request: Request) -> dict[str, Any]:
        """DescribeScalableTargets."""
        self.sweep()
        wanted = request.get("ResourceIds")
        found = [
            {
                **resource(target.resource_id),
                "MinCapacity": target.minimum,
                "MaxCapacity": target.maximum,
                "RoleARN": f"arn:aws:iam::{ACCOUNT_ID}:role/aws-service-role/"
                "sagemaker.application-autoscaling.amazonaws.com/"
                "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
                "CreationTime": target.created,
                "SuspendedState": {name: target.suspended.get(name, False) for name in _SUSPENSIONS},
                "ScalableTargetARN": target.arn,
            }
            for target in self._registry.targets.all()
            if _asked(request, target.resource_id) and (not wanted or target.resource_id in wanted)
        ]
        return page(request, "ScalableTargets", found)

    def describe_activities(self, request: Request) -> dict[str, Any]:
        """DescribeScalingActivities: the newest first."""
        all_of_them = request.get("IncludeNotScaledActivities", False)
        found = [
            _shown(activity)
            for activity in self._registry.activities()
            if _asked(request, activity.resource_id)
            and request.get("ResourceId", activity.resource_id) == activity.resource_id
            and (all_of_them or activity.not_scaled is None)
        ]
        return page(request, "ScalingActivities", found)

    def sweep(self) -> None:
        """Forget the targets whose endpoints or variants are gone."""
        for target in self._registry.targets.all():
            if self._scaler.capacity(target) is None:
                self.remove(target.resource_id)

    def check_update(self, endpoint: str, live: Deployment, target: Deployment) -> None:
        """Refuse an update that removes a scaled variant, or changes its instance type.

        Both are the guide's (endpoint-scaling-update); the wording is assumed.
        """
        after = {variant.name: variant.instance_type for variant in target.variants}
        for variant in live.variants:
            if self._registry.targets.get(f"endpoint/{endpoint}/variant/{variant.name}") is None:
                continue
            if variant.name not in after:
                raise still_scaled(variant.name, "being removed")
            if after[variant.name] != variant.instance_type:
                raise still_scaled(variant.name, "whose instance type is being changed")

    def forget_endpoint(self, endpoint: str) -> None:
        """Forget every target of an endpoint that is being deleted."""
        for target in self._registry.targets.all():
            if target.endpoint == endpoint:
                self.remove(target.resource_id)

    def tag(self, request: Request) -> dict[str, Any]:
        """TagResource."""
        target = self._by_arn(request["ResourceARN"])
        tags = {**target.tags, **request["Tags"]}
        if len(tags) > MAX_TAGS:
            raise ServiceError("TooManyTagsException", f"A target can have at most {MAX_TAGS} tags.")
        self._registry.targets.save(target.resource_id, target.model_copy(update={"tags": tags}))
        return {}

    def untag(self, request: Request) -> dict[str, Any]:
        """UntagResource."""
        target = self._by_arn(request["ResourceARN"])
        tags = {key: value for key, value in target.tags.items() if key not in request["TagKeys"]}
        self._registry.targets.save(target.resource_id, target.model_copy(update={"tags": tags}))
        return {}

    def list_tags(self, request: Request) -> dict[str, Any]:
        """ListTagsForResource."""
        return {"Tags": self._by_arn(request["ResourceARN"]).tags}

    def _new(self, request: Request) -> Target:
        for member in ("MinCapacity", "MaxCapacity"):
            if member not in request:
                raise invalid(f"{member} is required when a scalable target is registered")
        identity = uuid.uuid4().hex[:36]
        return Target(
            resource_id=request["ResourceId"],
            arn=f"arn:aws:application-autoscaling:{self._region}:{ACCOUNT_ID}:scalable-target/{identity}",
            minimum=request["MinCapacity"],
            maximum=request["MaxCapacity"],
            created=now(),
            tags=request.get("Tags", {}),
        )

    def _target(self, resource_id: str) -> Target:
        target = self._registry.targets.get(resource_id)
        if target is None:
            raise no_target(resource_id)
        return target

    def _by_arn(self, arn: str) -> Target:
        for target in self._registry.targets.all():
            if target.arn == arn:
                return target
        raise ServiceError(
            "ResourceNotFoundException", f"No scalable target found with ARN {arn}", ResourceName=arn
        )


def _asked(request: Request, resource_id: str) -> bool:
    """Whether the namespace and dimension asked for are that of the only kind there is here."""
    own = resource(resource_id)
    return all(
        request.get(name, own[name]) == own[name] for name in ("ServiceNamespace", "ScalableDimension")
    )


def _shown(activity: Activity) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "ActivityId": activity.identity,
        **resource(activity.resource_id),
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": activity.started,
        "StatusCode": activity.status,
    }
    if activity.ended is not None:
        shown["EndTime"] = activity.ended
    if activity.message is not None:
        shown["StatusMessage"] = activity.message
    if activity.not_scaled is not None:
        shown["NotScaledReasons"] = [activity.not_scaled]
    return shown

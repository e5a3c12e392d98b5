"""The scalable targets of one endpoint: read, registered, held and deregistered, each safe to do again."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.aws.scaling_views import (
    SCALE_IN,
    alarm_body,
    config_member,
    held_value,
    policy_view,
    scaling_view,
    scheduled_view,
)
from endpoint_deploy.core import tags
from endpoint_deploy.core.scaling import Policy, Scaling, ScheduledAction

_NAMESPACE = {"ServiceNamespace": "sagemaker"}
_DIMENSION = {"ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
_SUSPENSIONS = (SCALE_IN, "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


class Autoscaling:
    """Application Auto Scaling of an endpoint's variants.

    A target that a release holds carries the tag `endpoint-deploy:scale-in-held`. It is set before scale-in
    is suspended and taken off after it was resumed, so that a suspension which a lost run has left is never
    taken for one that somebody wanted.
    """

    def __init__(self, hook: EndpointHook, endpoint: str) -> None:
        self._hook = hook
        self._endpoint = endpoint

    @cached_property
    def _autoscaling(self) -> Any:
        return self._hook.sibling("application-autoscaling")

    @cached_property
    def _cloudwatch(self) -> Any:
        return self._hook.cloudwatch

    def find(self, variants: Iterable[str]) -> dict[str, Scaling]:
        """The scaling of those variants that are scalable targets."""
        return {
            name: scaling_view(
                target,
                self._tags(target),
                tuple(p for each in self._policies(name) if (p := policy_view(each, self._alarms(each)))),
                self._scheduled(name),
            )
            for name, target in self._targets(variants).items()
        }

    def bring(self, variant: str, wanted: Scaling, *, held: bool = False, floor: int = 0) -> None:
        """Make a variant scale as wanted.

        held: with scale-in suspended, and never below `floor` instances, until it is brought there without.
        Bounds that one of the wanted scheduled actions has set are left as they are.
        """
        target = self._targets([variant]).get(variant)
        live = self.find([variant]).get(variant) if target else None
        base = live if live and wanted.has_bounds(live) else wanted
        minimum = min(max(base.minimum, floor), base.maximum) if held else base.minimum
        suspended = dict.fromkeys(_SUSPENSIONS, False) | wanted.suspended
        hold = held and not suspended[SCALE_IN]
        mark = {tags.SCALE_IN_HELD: held_value(base.minimum, minimum)} if hold else {}
        if target and mark:
            self._autoscaling.tag_resource(ResourceARN=target["ScalableTargetARN"], Tags=mark)
        self._register(
            variant,
            MinCapacity=minimum,
            MaxCapacity=base.maximum,
            SuspendedState={**suspended, SCALE_IN: hold or suspended[SCALE_IN]},
            **({} if target else {"Tags": {**wanted.tags, **mark}}),
        )
        if target and live and live.held and not hold:
            self._unmark(target)
        self._bring_policies(variant, wanted.policies, live.policies if live else ())
        self._bring_scheduled(variant, wanted.scheduled, live.scheduled if live else ())

    def hold(self, variant: str) -> None:
        """Suspend a target's scale-in, unless it is suspended, by whomever; nothing without a target."""
        target = self._targets([variant]).get(variant)
        if target is None or target.get("SuspendedState", {}).get(SCALE_IN):
            return
        least = int(target["MinCapacity"])
        self._autoscaling.tag_resource(
            ResourceARN=target["ScalableTargetARN"], Tags={tags.SCALE_IN_HELD: held_value(least, least)}
        )
        self._register(variant, SuspendedState={SCALE_IN: True})

    def resume(self, variants: Iterable[str]) -> list[str]:
        """Resume the scale-in that a release has suspended; give the names of the variants."""
        resumed = []
        for name, target in self._targets(variants).items():
            live = scaling_view(target, self._tags(target), (), ())
            if live.held:
                self._register(name, MinCapacity=live.minimum, SuspendedState={SCALE_IN: False})
                self._unmark(target)
                resumed.append(name)
        return resumed

    def remove(self, variant: str) -> None:
        """Deregister a target; policies and scheduled actions go with it (API reference), and our alarms."""
        for policy in self._policies(variant):
            self._delete_alarms(policy)
        self._autoscaling.deregister_scalable_target(**self._named(variant))

    def _bring_policies(self, variant: str, wanted: tuple[Policy, ...], live: tuple[Policy, ...]) -> None:
        by_name = {policy.name: policy for policy in wanted}
        there = {policy.name: policy for policy in live}
        answers = {answer["PolicyName"]: answer for answer in self._policies(variant)} if live else {}
        for name, policy in there.items():
            # A policy's kind cannot be changed.
            if name not in by_name or by_name[name].kind != policy.kind:
                self._delete_alarms(answers[name])
                self._autoscaling.delete_scaling_policy(PolicyName=name, **self._named(variant))
        for policy in wanted:
            if (found := there.get(policy.name)) and found.kind == policy.kind and policy.same(found):
                continue
            put = self._autoscaling.put_scaling_policy(
                PolicyName=policy.name,
                PolicyType=policy.kind,
                **{config_member(policy.kind): policy.config},
                **self._named(variant),
            )
            for alarm in policy.alarms:
                self._cloudwatch.put_metric_alarm(
                    **alarm_body(alarm, put["PolicyARN"]),
                    Tags=tags.as_list({tags.ENDPOINT: self._endpoint, tags.STAGE: tags.SCALING}),
                )

    def _bring_scheduled(
        self, variant: str, wanted: tuple[ScheduledAction, ...], live: tuple[ScheduledAction, ...]
    ) -> None:
        there = {action.name: action for action in live}
        same = {a.name for a in wanted if a.name in there and a.same(there[a.name])}
        for name in there.keys() - same:
            # What is not given to PutScheduledAction again stays as it was.
            self._autoscaling.delete_scheduled_action(ScheduledActionName=name, **self._named(variant))
        for action in wanted:
            if action.name in same:
                continue
            times = {"Timezone": action.timezone, "StartTime": action.start, "EndTime": action.end}
            self._autoscaling.put_scheduled_action(
                ScheduledActionName=action.name,
                Schedule=action.schedule,
                ScalableTargetAction=action.action,
                **{key: value for key, value in times.items() if value is not None},
                **self._named(variant),
            )

    def _named(self, variant: str) -> dict[str, str]:
        return {**_NAMESPACE, **_DIMENSION, "ResourceId": f"endpoint/{self._endpoint}/variant/{variant}"}

    def _register(self, variant: str, **members: Any) -> None:
        self._autoscaling.register_scalable_target(**self._named(variant), **members)

    def _unmark(self, target: dict[str, Any]) -> None:
        self._autoscaling.untag_resource(
            ResourceARN=target["ScalableTargetARN"], TagKeys=[tags.SCALE_IN_HELD]
        )

    def _targets(self, variants: Iterable[str]) -> dict[str, dict[str, Any]]:
        ids = {self._named(name)["ResourceId"]: name for name in variants}
        if not ids:
            return {}
        pages = self._autoscaling.get_paginator("describe_scalable_targets").paginate(
            ResourceIds=sorted(ids), **_NAMESPACE, **_DIMENSION
        )
        return {ids[target["ResourceId"]]: target for page in pages for target in page["ScalableTargets"]}

    def _tags(self, target: dict[str, Any]) -> dict[str, str]:
        found = self._autoscaling.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])
        return dict(found.get("Tags", {}))

    def _policies(self, variant: str) -> list[dict[str, Any]]:
        pages = self._autoscaling.get_paginator("describe_scaling_policies").paginate(**self._named(variant))
        return [policy for page in pages for policy in page["ScalingPolicies"]]

    def _scheduled(self, variant: str) -> tuple[ScheduledAction, ...]:
        now = datetime.now(UTC)
        pages = self._autoscaling.get_paginator("describe_scheduled_actions").paginate(**self._named(variant))
        views = (scheduled_view(action, now) for page in pages for action in page["ScheduledActions"])
        return tuple(view for view in views if view)

    def _alarms(self, policy: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """A step policy's alarms by name; target tracking's are the service's own."""
        names = [alarm["AlarmName"] for alarm in policy.get("Alarms", [])]
        if not names or policy["PolicyType"] != "StepScaling":
            return {}
        pages = self._cloudwatch.get_paginator("describe_alarms").paginate(AlarmNames=names)
        return {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}

    def _delete_alarms(self, policy: dict[str, Any]) -> None:
        for name, alarm in self._alarms(policy).items():
            its_tags = self._cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
            if tags.ours(tags.as_dict(its_tags), self._endpoint):
                self._cloudwatch.delete_alarms(AlarmNames=[name])

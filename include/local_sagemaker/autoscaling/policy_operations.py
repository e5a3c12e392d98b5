"""Operations on scaling policies, and the alarms that target tracking makes."""

import itertools
import uuid
from typing import Any

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.api.errors import invalid
from local_sagemaker.autoscaling.paging import page
from local_sagemaker.autoscaling.records import DIMENSION, Policy, Registry, Target, now, policy_key, resource
from local_sagemaker.autoscaling.refusals import check_scalable, no_target, not_found
from local_sagemaker.cloudwatch.service import CloudWatch

Request = dict[str, Any]
INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
_KINDS = {
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
    "StepScaling": "StepScalingPolicyConfiguration",
}
# The alarms that the service makes: high for three minutes, or low, by a tenth, for fifteen.
_HIGH_PERIODS = 3
_LOW_PERIODS = 15
_LOW_SHARE = 0.9


class PolicyOperations:
    """Puts and removes scaling policies."""

    def __init__(self, registry: Registry, cloudwatch: CloudWatch, region: str) -> None:
        self._registry = registry
        self._cloudwatch = cloudwatch
        self._region = region

    def put(self, request: Request) -> dict[str, Any]:
        """PutScalingPolicy: a new policy, or a new configuration of an old one."""
        check_scalable(request)
        resource_id, name = request["ResourceId"], request["PolicyName"]
        target = self._registry.targets.get(resource_id)
        if target is None:
            raise no_target(resource_id)
        known = self._registry.policies.get(policy_key(resource_id, name))
        kind = request.get("PolicyType", known.kind if known else "StepScaling")
        if kind not in _KINDS:
            raise invalid(f"The policy type {kind} is not served by the local SageMaker.")
        if known is not None and known.kind != kind:
            raise invalid(f"The policy type of {name} cannot be changed from {known.kind} to {kind}")
        if _KINDS[kind] not in request:
            raise invalid(f"{_KINDS[kind]} is required for policies of type {kind}")
        config = request[_KINDS[kind]]
        _check(kind, config)
        arn = (
            f"arn:aws:autoscaling:{self._region}:{ACCOUNT_ID}:scalingPolicy:{uuid.uuid4()}:"
            f"resource/sagemaker/{resource_id}:policyName/{name}"
        )
        fresh = Policy(arn=arn, name=name, resource_id=resource_id, kind=kind, config=config, created=now())
        policy = known.model_copy(update={"config": config}) if known else fresh
        if kind == "TargetTrackingScaling":
            policy.alarms = self._put_alarms(policy, target)
        self._registry.policies.save(policy_key(resource_id, name), policy)
        return {"PolicyARN": policy.arn, "Alarms": self._alarms(policy)}

    def delete(self, request: Request) -> dict[str, Any]:
        """DeleteScalingPolicy: with the alarms that it made."""
        check_scalable(request)
        policy = self._registry.policies.get(policy_key(request["ResourceId"], request["PolicyName"]))
        if policy is None:
            raise not_found(
                f"No scaling policy found for service namespace: {request['ServiceNamespace']}, resource ID: "
                f"{request['ResourceId']}, scalable dimension: {request['ScalableDimension']}, policy name: "
                f"{request['PolicyName']}"
            )
        self.remove(policy)
        return {}

    def remove(self, policy: Policy) -> None:
        """Forget a policy, and its alarms."""
        for name in policy.alarms:
            self._cloudwatch.alarms.delete(name)
        self._registry.policies.delete(policy_key(policy.resource_id, policy.name))

    def describe(self, request: Request) -> dict[str, Any]:
        """DescribeScalingPolicies."""
        names = request.get("PolicyNames")
        found = [
            {
                "PolicyARN": policy.arn,
                "PolicyName": policy.name,
                **resource(policy.resource_id),
                "PolicyType": policy.kind,
                _KINDS[policy.kind]: policy.config,
                "Alarms": self._alarms(policy),
                "CreationTime": policy.created,
            }
            for policy in self._registry.policies.all()
            if request.get("ResourceId", policy.resource_id) == policy.resource_id
            and request["ServiceNamespace"] == resource(policy.resource_id)["ServiceNamespace"]
            and (not names or policy.name in names)
        ]
        return page(request, "ScalingPolicies", found)

    def _alarms(self, policy: Policy) -> list[dict[str, str]]:
        """The policy's alarms: its own, and, of a step policy, those that name it as their action."""
        if policy.alarms:
            alarms = [self._cloudwatch.alarms.get(name) for name in policy.alarms]
        else:
            alarms = [
                alarm
                for alarm in self._cloudwatch.alarms.all()
                if any(action.startswith(policy.arn) for action in alarm.actions("ALARM"))
            ]
        return [{"AlarmName": alarm.name, "AlarmARN": alarm.arn} for alarm in alarms if alarm is not None]

    def _put_alarms(self, policy: Policy, target: Target) -> list[str]:
        goal = policy.config["TargetValue"]
        prefix = f"TargetTracking-{policy.resource_id}"
        names = policy.alarms or [f"{prefix}-AlarmHigh-{uuid.uuid4()}", f"{prefix}-AlarmLow-{uuid.uuid4()}"]
        common = {
            "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}.",
            "AlarmActions": [f"{policy.arn}:createdBy/{uuid.uuid4()}"],
            **_metric(policy, target),
        }
        high = {
            "AlarmName": names[0],
            "EvaluationPeriods": _HIGH_PERIODS,
            "Threshold": goal,
            "ComparisonOperator": "GreaterThanThreshold",
        }
        low = {
            "AlarmName": names[1],
            "EvaluationPeriods": _LOW_PERIODS,
            "Threshold": goal * _LOW_SHARE,
            "ComparisonOperator": "LessThanThreshold",
        }
        if policy.config.get("DisableScaleIn"):
            self._cloudwatch.alarms.delete(names[1])
            self._cloudwatch.alarm_operations.put_metric_alarm(common | high)
            return names[:1]
        if len(names) == 1:
            names = [*names, f"{prefix}-AlarmLow-{uuid.uuid4()}"]
            low["AlarmName"] = names[1]
        for alarm in (high, low):
            self._cloudwatch.alarm_operations.put_metric_alarm(common | alarm)
        return names


def _metric(policy: Policy, target: Target) -> dict[str, Any]:
    """What target tracking watches, as a part of an alarm."""
    if "PredefinedMetricSpecification" in policy.config:
        return {
            "Namespace": "AWS/SageMaker",
            "MetricName": "InvocationsPerInstance",
            "Dimensions": [
                {"Name": "EndpointName", "Value": target.endpoint},
                {"Name": "VariantName", "Value": target.variant},
            ],
            "Statistic": "Sum",
            "Period": 60,
        }
    custom = policy.config["CustomizedMetricSpecification"]
    if "Metrics" in custom:
        return {"Metrics": [_query(query) for query in custom["Metrics"]]}
    members = ("Namespace", "MetricName", "Dimensions", "Statistic", "Unit")
    return {**{name: custom[name] for name in members if name in custom}, "Period": 60}


def _query(query: Request) -> Request:
    """A query of target tracking has no period: it is a minute."""
    if "MetricStat" not in query:
        return query
    return {**query, "MetricStat": {**query["MetricStat"], "Period": 60}}


def _check(kind: str, config: Request) -> None:
    if kind == "StepScaling":
        _check_steps(config)
        return
    if ("PredefinedMetricSpecification" in config) == ("CustomizedMetricSpecification" in config):
        raise invalid(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification is required"
        )
    if config["TargetValue"] <= 0:
        raise invalid("Target value must be greater than 0")
    predefined = config.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", INVOCATIONS)
    if predefined != INVOCATIONS:
        raise invalid(f"The predefined metric type {predefined} is not served for {DIMENSION}.")
    custom = config.get("CustomizedMetricSpecification", {})
    if custom and "Metrics" not in custom and not {"MetricName", "Namespace", "Statistic"} <= custom.keys():
        raise invalid("A customized metric needs MetricName, Namespace and Statistic, or Metrics")


def _check_steps(config: Request) -> None:
    if "AdjustmentType" not in config or not config.get("StepAdjustments"):
        raise invalid("Step scaling policies need AdjustmentType and StepAdjustments")
    bounds = [
        (step.get("MetricIntervalLowerBound"), step.get("MetricIntervalUpperBound"))
        for step in config["StepAdjustments"]
    ]
    for low, high in bounds:
        if low is not None and high is not None and low >= high:
            raise invalid("MetricIntervalLowerBound must be less than MetricIntervalUpperBound")
    ordered = sorted(bounds, key=lambda each: float("-inf") if each[0] is None else each[0])
    for (_, high), (low, _) in itertools.pairwise(ordered):
        if high is None or low is None or high != low:
            raise invalid("There must be no gap or overlap between the intervals of StepAdjustments")

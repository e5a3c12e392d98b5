"""Application Auto Scaling: a variant that follows its load, without losing a request."""

import threading

import pytest

DIMENSION = "sagemaker:variant:DesiredInstanceCount"


@pytest.fixture(scope="module")
def autoscaling(fast_world):
    return fast_world.server.client("application-autoscaling")


@pytest.fixture(scope="module")
def cloudwatch(fast_world):
    return fast_world.server.client("cloudwatch")


@pytest.fixture
def variant(fast_world):
    """The members that name the variant of a new endpoint."""
    endpoint = fast_world.endpoint()
    yield {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/main",
        "ScalableDimension": DIMENSION,
    }
    fast_world.delete([endpoint])


class Load:
    """Invokes an endpoint from threads, at a pace that can be changed, and keeps every failure."""

    def __init__(self, world, endpoint, threads=4):
        self.pause = 0.3
        self.answered = 0
        self.failures = []
        self._endpoint = endpoint
        self._runtime = world.runtime
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._invoke_for_ever) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _invoke_for_ever(self):
        while not self._ending.wait(self.pause):
            try:
                answer = self._runtime.invoke_endpoint(
                    EndpointName=self._endpoint, Body=b"x", ContentType="text/csv"
                )
                answer["Body"].read()
                self.answered += 1
            except Exception as error:
                self.failures.append(error)


def endpoint_of(variant):
    return variant["ResourceId"].split("/")[1]


def counts(world, variant):
    (found,) = world.describe(endpoint_of(variant))["ProductionVariants"]
    return found["CurrentInstanceCount"], found["DesiredInstanceCount"]


def activities(autoscaling, variant, **members):
    return autoscaling.describe_scaling_activities(**variant, **members)["ScalingActivities"]


def all_successful(found):
    return found if {one["StatusCode"] for one in found} == {"Successful"} else None


def test_a_variant_scales_out_under_a_load_step_and_back_in_with_no_failed_request(
    fast_world, autoscaling, cloudwatch, variant, wait_until
):
    autoscaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=3)
    # Lightly, four threads invoke at most 14 times a second: 4 times in what is a minute here.
    put = autoscaling.put_scaling_policy(
        **variant,
        PolicyName="follow-the-load",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 12.0,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
            "ScaleOutCooldown": 60,
            "ScaleInCooldown": 60,
        },
    )
    high, low = put["Alarms"]
    with Load(fast_world, endpoint_of(variant)) as load:
        wait_until(
            lambda: (
                cloudwatch.describe_alarms(AlarmNames=[high["AlarmName"]])["MetricAlarms"][0]["StateValue"]
                == "OK"
            ),
            "the light load is seen",
        )
        assert counts(fast_world, variant) == (1, 1)
        load.pause = 0.0
        wait_until(lambda: counts(fast_world, variant)[0] > 1, "the variant scales out")
        load.pause = 0.3
        wait_until(lambda: counts(fast_world, variant) == (1, 1), "the variant scales in")
        assert load.failures == []
        assert load.answered > 100
    done = wait_until(lambda: all_successful(activities(autoscaling, variant)), "the activities are through")
    first, last = done[-1], done[0]
    assert first["Cause"] == (
        f"monitor alarm {high['AlarmName']} in state ALARM triggered policy follow-the-load"
    )
    assert (
        last["Cause"] == f"monitor alarm {low['AlarmName']} in state ALARM triggered policy follow-the-load"
    )
    assert last["Description"] == "Setting desired instance count to 1."
    assert last["StatusMessage"] == (
        "Successfully set desired instance count to 1. Change successfully fulfilled by sagemaker."
    )


@pytest.fixture
def metric(fast_world, cloudwatch):
    """An alarm on a metric of its own; returns how to put it for actions, and how to put values."""
    name = fast_world.name("Metric")

    def alarm(*actions, **members):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="Test/Scaling",
            MetricName=name,
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=10.0,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
            AlarmActions=list(actions),
            **members,
        )
        return name

    def put(value):
        cloudwatch.put_metric_data(
            Namespace="Test/Scaling", MetricData=[{"MetricName": name, "Value": float(value)}]
        )

    yield alarm, put
    cloudwatch.delete_alarms(AlarmNames=[name])


def steps(*adjustments, **members):
    """A step policy: (lower bound, upper bound, adjustment) for each step."""
    names = ("MetricIntervalLowerBound", "MetricIntervalUpperBound", "ScalingAdjustment")
    return {
        "PolicyName": "by-steps",
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [
                {name: value for name, value in zip(names, step, strict=True) if value is not None}
                for step in adjustments
            ],
            **members,
        },
    }


def successful(autoscaling, variant):
    return [one for one in activities(autoscaling, variant) if one["StatusCode"] == "Successful"]


def test_the_capacity_is_brought_within_new_bounds(fast_world, autoscaling, variant, wait_until):
    autoscaling.register_scalable_target(**variant, MinCapacity=2, MaxCapacity=3)
    wait_until(lambda: counts(fast_world, variant) == (2, 2), "the minimum is held")
    wait_until(lambda: successful(autoscaling, variant), "the activity is through")
    (activity,) = activities(autoscaling, variant)
    assert activity["Cause"] == "minimum capacity was set to 2"
    assert activity["Description"] == "Setting desired instance count to 2."
    autoscaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=1)
    wait_until(lambda: counts(fast_world, variant) == (1, 1), "the maximum is held")
    wait_until(lambda: len(successful(autoscaling, variant)) == 2, "the activity is through")
    assert activities(autoscaling, variant)[0]["Cause"] == "maximum capacity was set to 1"


def test_steps_are_chosen_by_how_far_the_metric_is_beyond_the_threshold(
    fast_world, autoscaling, variant, metric, wait_until
):
    alarm, put = metric
    autoscaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=4)
    policy = autoscaling.put_scaling_policy(**variant, **steps((0, 5, 1), (5, None, 2)))["PolicyARN"]
    name = alarm(policy)
    wait_until(lambda: put(15) or counts(fast_world, variant)[0] > 1, "it scales out")
    wait_until(lambda: successful(autoscaling, variant), "the activity is through")
    # 15 is 5 beyond: the upper step. A cooldown of 300 s keeps it from happening again.
    assert counts(fast_world, variant) == (3, 3)
    (activity,) = activities(autoscaling, variant)
    assert activity["Cause"] == f"monitor alarm {name} in state ALARM triggered policy by-steps"
    (described,) = autoscaling.describe_scaling_policies(**variant)["ScalingPolicies"]
    assert [one["AlarmName"] for one in described["Alarms"]] == [name]


def test_within_the_cooldown_only_more_than_before_is_added(
    fast_world, autoscaling, variant, metric, wait_until
):
    alarm, put = metric
    autoscaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=4)
    config = steps((0, 5, 1), (5, None, 2), Cooldown=100_000, MetricAggregationType="Maximum")
    alarm(autoscaling.put_scaling_policy(**variant, **config)["PolicyARN"])
    wait_until(lambda: put(11) or len(successful(autoscaling, variant)) == 1, "it scales out by one")
    assert counts(fast_world, variant) == (2, 2)
    # By two from where it began, of which one is there already.
    wait_until(lambda: put(15) or len(successful(autoscaling, variant)) == 2, "it scales out further")
    assert counts(fast_world, variant) == (3, 3)


def test_at_the_maximum_it_says_why_it_did_not_scale(autoscaling, variant, metric, wait_until):
    alarm, put = metric
    autoscaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=1)
    alarm(autoscaling.put_scaling_policy(**variant, **steps((0, None, 1)))["PolicyARN"])

    def noted():
        put(11)
        return activities(autoscaling, variant, IncludeNotScaledActivities=True)

    (activity,) = wait_until(noted, "the attempt is noted")
    assert activity["NotScaledReasons"] == [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 1}]
    assert activities(autoscaling, variant) == []


def test_what_is_suspended_does_not_scale(fast_world, autoscaling, variant, metric, wait_until):
    alarm, put = metric
    autoscaling.register_scalable_target(
        **variant, MinCapacity=1, MaxCapacity=2, SuspendedState={"DynamicScalingOutSuspended": True}
    )
    policy = autoscaling.put_scaling_policy(**variant, **steps((0, None, 1)))["PolicyARN"]
    name = alarm(policy)
    history = fast_world.server.client("cloudwatch").describe_alarm_history
    done = f"Successfully executed action {policy}"

    def acted():
        put(11)
        items = history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"]
        return [item for item in items if item["HistorySummary"] == done]

    wait_until(acted, "the alarm has called the policy")
    assert activities(autoscaling, variant) == []
    autoscaling.register_scalable_target(**variant, SuspendedState={"DynamicScalingOutSuspended": False})
    wait_until(lambda: put(11) or successful(autoscaling, variant), "it scales once it may")
    assert counts(fast_world, variant) == (2, 2)


def test_a_change_that_meets_another_is_a_failed_activity(fast_world, autoscaling, variant, gate, wait_until):
    endpoint = endpoint_of(variant)
    config = fast_world.release("gated", GATE=str(gate))
    fast_world.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    autoscaling.register_scalable_target(**variant, MinCapacity=2, MaxCapacity=2)
    (activity,) = wait_until(
        lambda: [one for one in activities(autoscaling, variant) if one["StatusCode"] == "Failed"],
        "the activity has failed",
    )
    assert activity["StatusMessage"].startswith(
        "Failed to set desired instance count to 2. Reason: Cannot update in-progress endpoint"
    )
    gate.touch()
    assert fast_world.settled(endpoint)["EndpointStatus"] == "InService"


def test_schedules_set_the_bounds(fast_world, autoscaling, variant, wait_until):
    autoscaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=3)
    put = {**variant, "ScheduledActionName": "grow", "Schedule": "rate(1 minute)"}
    autoscaling.put_scheduled_action(**put, ScalableTargetAction={"MinCapacity": 2})
    wait_until(lambda: counts(fast_world, variant) == (2, 2), "the action has run")
    wait_until(lambda: successful(autoscaling, variant), "the activity is through")
    (activity,) = activities(autoscaling, variant)
    assert activity["Cause"] == ("scheduled action name grow was triggered, minimum capacity was set to 2")
    (target,) = autoscaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[variant["ResourceId"]]
    )["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 3)
    autoscaling.put_scheduled_action(
        **{**put, "Schedule": "cron(0 9 ? * MON-FRI *)"}, Timezone="Europe/Berlin"
    )
    (described,) = autoscaling.describe_scheduled_actions(**variant)["ScheduledActions"]
    assert described["Schedule"] == "cron(0 9 ? * MON-FRI *)"
    assert described["ScalableTargetAction"] == {"MinCapacity": 2}
    autoscaling.delete_scheduled_action(**variant, ScheduledActionName="grow")
    assert autoscaling.describe_scheduled_actions(**variant)["ScheduledActions"] == []


def tracking(**members):
    return {
        "PolicyName": "track",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 50.0,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
            **members,
        },
    }


def test_target_tracking_makes_the_services_alarms_and_takes_them_away(autoscaling, cloudwatch, variant):
    autoscaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=2)
    put = autoscaling.put_scaling_policy(**variant, **tracking())
    prefix = f"TargetTracking-{variant['ResourceId']}"
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    assert [one["AlarmName"] for one in put["Alarms"]] == [one["AlarmName"] for one in alarms]
    high, low = alarms
    assert (high["EvaluationPeriods"], high["Threshold"], high["ComparisonOperator"]) == (
        3,
        50.0,
        "GreaterThanThreshold",
    )
    assert (low["EvaluationPeriods"], low["Threshold"], low["ComparisonOperator"]) == (
        15,
        45.0,
        "LessThanThreshold",
    )
    for alarm in alarms:
        assert (alarm["MetricName"], alarm["Statistic"], alarm["Period"]) == (
            "InvocationsPerInstance",
            "Sum",
            60,
        )
        assert alarm["AlarmActions"][0].startswith(put["PolicyARN"])
    again = autoscaling.put_scaling_policy(**variant, **tracking(TargetValue=70.0, DisableScaleIn=True))
    assert again["PolicyARN"] == put["PolicyARN"]
    (only,) = cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    assert (only["AlarmName"], only["Threshold"]) == (high["AlarmName"], 70.0)
    autoscaling.delete_scaling_policy(**variant, PolicyName="track")
    assert cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"] == []


def test_tracking_a_metric_of_ones_own(fast_world, autoscaling, variant, cloudwatch, wait_until):
    name = fast_world.name("Backlog")
    custom = {"Namespace": "Test/Scaling", "MetricName": name, "Statistic": "Average"}
    autoscaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=4)
    policy = tracking(CustomizedMetricSpecification=custom, ScaleOutCooldown=100_000)
    del policy["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]
    autoscaling.put_scaling_policy(**variant, **policy)

    def scaled():
        cloudwatch.put_metric_data(
            Namespace="Test/Scaling", MetricData=[{"MetricName": name, "Value": 120.0}]
        )
        return successful(autoscaling, variant)

    wait_until(scaled, "it scales out")
    # 1 instance x 120 / 50, rounded up.
    assert counts(fast_world, variant) == (3, 3)


def test_a_target_goes_with_its_endpoint(fast_world, autoscaling, cloudwatch, variant):
    autoscaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=2)
    autoscaling.put_scaling_policy(**variant, **tracking())
    fast_world.delete([endpoint_of(variant)])
    left = autoscaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[variant["ResourceId"]]
    )
    assert left["ScalableTargets"] == []
    assert autoscaling.describe_scaling_policies(**variant)["ScalingPolicies"] == []
    prefix = f"TargetTracking-{variant['ResourceId']}"
    assert cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"] == []


def test_targets_are_tagged_and_deregistered(autoscaling, variant, refusal):
    arn = autoscaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=2, Tags={"a": "1"})[
        "ScalableTargetARN"
    ]
    autoscaling.tag_resource(ResourceARN=arn, Tags={"b": "2"})
    autoscaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert autoscaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"b": "2"}
    autoscaling.deregister_scalable_target(**variant)
    assert refusal(autoscaling.deregister_scalable_target, **variant)[0] == "ObjectNotFoundException"
    assert refusal(autoscaling.put_scaling_policy, **variant, **tracking())[0] == "ObjectNotFoundException"
    assert refusal(autoscaling.list_tags_for_resource, ResourceARN=arn)[0] == "ResourceNotFoundException"


def test_what_cannot_be_scaled_is_refused(autoscaling, variant, refusal):
    def refused(**members):
        defaults = {**variant, "MinCapacity": 1, "MaxCapacity": 2}
        return refusal(autoscaling.register_scalable_target, **{**defaults, **members})

    assert refused(ResourceId="endpoint/none-such/variant/main")[0] == "ValidationException"
    assert refused(ResourceId=f"endpoint/{endpoint_of(variant)}/variant/other")[0] == "ValidationException"
    assert refused(ResourceId="table/rows")[0] == "ValidationException"
    assert refused(ServiceNamespace="ecs", ScalableDimension="ecs:service:DesiredCount")[0] == (
        "ValidationException"
    )
    assert refused(MinCapacity=3)[0] == "ValidationException"
    assert refused(MinCapacity=0)[0] == "ValidationException"
    autoscaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=2)
    put = autoscaling.put_scaling_policy
    for policy in (
        tracking(TargetValue=0.0),
        tracking(CustomizedMetricSpecification={"MetricName": "m"}),
        steps((0, 5, 1), (6, None, 2)),
        steps((5, 5, 1)),
    ):
        assert refusal(put, **variant, **policy)[0] == "ValidationException"
    schedule = {**variant, "ScheduledActionName": "s", "ScalableTargetAction": {"MinCapacity": 1}}
    for expression in ("now", "at(tomorrow)", "rate(0 minutes)", "cron(0 9 * * *)", "cron(99 9 ? * * *)"):
        code, message = refusal(autoscaling.put_scheduled_action, **schedule, Schedule=expression)
        assert (code, message) == ("ValidationException", f"Invalid schedule expression: {expression}")


def updated(world, variant, **changes):
    """Ask for an update to a new configuration of the endpoint's only variant, changed so."""
    config = world.config({**world.variant(world.model()), **changes})
    world.sagemaker.update_endpoint(EndpointName=endpoint_of(variant), EndpointConfigName=config)
    return world.settled(endpoint_of(variant))


def test_a_scaled_variant_keeps_name_and_instance_type_until_it_is_deregistered(
    fast_world, autoscaling, variant, refusal
):
    autoscaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=2)
    assert updated(fast_world, variant)["EndpointStatus"] == "InService"  # another model is no matter
    for changes in ({"InstanceType": "ml.m5.xlarge"}, {"VariantName": "other"}):
        code, message = refusal(updated, fast_world, variant, **changes)
        assert code == "ValidationException"
        assert "scalable target exists for variant main" in message
    autoscaling.deregister_scalable_target(**variant)
    moved = updated(fast_world, variant, InstanceType="ml.m5.xlarge", VariantName="other")
    assert [one["VariantName"] for one in moved["ProductionVariants"]] == ["other"]

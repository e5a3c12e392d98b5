"""An asynchronous endpoint that has no instance while its queue is empty (hosting guide, Autoscale an
asynchronous endpoint)."""

import pytest

from tests.local_sagemaker.guarded import blue_green, rolling, size

HALF = size(50, "CAPACITY_PERCENT")


def _count(world, name):
    (variant,) = world.settled(name)["ProductionVariants"]
    return variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]


@pytest.fixture(scope="module")
def asleep(shared_world):
    """An endpoint scaled in to no instance, and another configuration of it."""
    configs = [
        shared_world.config(
            shared_world.variant(shared_world.model(RELEASE=release)),
            AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": f"s3://{shared_world.BUCKET}/results"}},
        )
        for release in ("1", "2")
    ]
    name = shared_world.endpoint(configs[0])
    shared_world.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 0}]
    )
    assert _count(shared_world, name) == (0, 0)
    yield name, configs
    shared_world.delete([name])


@pytest.mark.parametrize(
    ("target", "deployment"),
    [(1, None), (0, blue_green("CANARY", CanarySize=HALF)), (1, rolling(HALF))],
    ids=["all at once", "canary", "rolling"],
)
def test_it_is_updated_without_an_instance(world, asleep, target, deployment):
    name, configs = asleep
    world.sagemaker.update_endpoint(
        EndpointName=name,
        EndpointConfigName=configs[target],
        RetainAllVariantProperties=True,
        **({"DeploymentConfig": deployment} if deployment else {}),
    )
    settled = world.settled(name)
    assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", configs[target])
    assert "FailureReason" not in settled
    assert _count(world, name) == (0, 0)
    assert world.server.replicas(name) == []


def test_a_backlog_without_capacity_starts_its_first_instance(world, asleep, wait_until):
    name, _ = asleep
    autoscaling, cloudwatch = (
        world.server.client(each) for each in ("application-autoscaling", "cloudwatch")
    )
    variant = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/main",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    autoscaling.register_scalable_target(**variant, MinCapacity=0, MaxCapacity=1)
    policy = autoscaling.put_scaling_policy(
        **variant,
        PolicyName="wake",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Average",
            "Cooldown": 60,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    )
    cloudwatch.put_metric_alarm(
        AlarmName=world.name("Alarm"),
        Namespace="AWS/SageMaker",
        MetricName="HasBacklogWithoutCapacity",
        Dimensions=[{"Name": "EndpointName", "Value": name}],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        DatapointsToAlarm=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="missing",
        AlarmActions=[policy["PolicyARN"]],
    )
    answer = world.runtime.invoke_endpoint_async(EndpointName=name, Body=b"hello", ContentType="text/csv")
    bucket, _, key = answer["OutputLocation"].removeprefix("s3://").partition("/")
    wait_until(
        lambda: world.s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"], "the result is in the bucket"
    )
    assert _count(world, name) == (1, 1)


def test_a_real_time_endpoint_keeps_an_instance(world, refusal):
    name = world.endpoint()
    code, message = refusal(
        world.sagemaker.update_endpoint_weights_and_capacities,
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 0}],
    )
    assert (code, "must be at least 1" in message) == ("ValidationException", True)

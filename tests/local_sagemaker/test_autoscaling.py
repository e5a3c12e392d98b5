"""Application Auto Scaling: a variant that follows its load, without losing a request."""

import threading

import pytest

# A minute of the service's takes 0.3 s, so fifteen low ones 4.5 s.
TIME_SCALE = 200
DIMENSION = "sagemaker:variant:DesiredInstanceCount"


@pytest.fixture(scope="module")
def fast(start_server, make_world):
    world = make_world(start_server(f"--time-scale={TIME_SCALE}"))
    yield world
    world.delete(world.begun)


@pytest.fixture(scope="module")
def autoscaling(fast):
    return fast.server.client("application-autoscaling")


@pytest.fixture(scope="module")
def cloudwatch(fast):
    return fast.server.client("cloudwatch")


@pytest.fixture
def variant(fast):
    """The members that name the variant of a new endpoint."""
    endpoint = fast.endpoint()
    yield {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/main",
        "ScalableDimension": DIMENSION,
    }
    fast.delete([endpoint])


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
    fast, autoscaling, cloudwatch, variant, wait_until
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
    with Load(fast, endpoint_of(variant)) as load:
        wait_until(
            lambda: (
                cloudwatch.describe_alarms(AlarmNames=[high["AlarmName"]])["MetricAlarms"][0]["StateValue"]
                == "OK"
            ),
            "the light load is seen",
        )
        assert counts(fast, variant) == (1, 1)
        load.pause = 0.0
        wait_until(lambda: counts(fast, variant)[0] > 1, "the variant scales out")
        load.pause = 0.3
        wait_until(lambda: counts(fast, variant) == (1, 1), "the variant scales in")
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

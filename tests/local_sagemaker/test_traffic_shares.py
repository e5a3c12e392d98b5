"""The shares of traffic: measured over at least 2,000 requests, they are the configured ones within three
standard deviations, by canary, linear and rolling deployments, weights, and A/B tests under way to a new
configuration."""

import collections
import functools

import pytest

from tests.local_sagemaker.guarded import (
    REQUESTS,
    Alarm,
    SteadyClient,
    blue_green,
    check_shares,
    fit,
    reached,
    rolling,
    size,
    stages,
    tally,
    tally_while,
    update,
)

LONG = 3600  # longer than any test: ended by its alarm
CANARY = functools.partial(blue_green, "CANARY", CanarySize=size(1))
ROLLING = functools.partial(rolling, size(1))


@pytest.fixture(scope="module")
def endpoint(shared_world, two_configs):
    """An endpoint of the first configuration, to which every test brings it back."""
    name = shared_world.endpoint(two_configs[0])
    yield name
    shared_world.delete([name])


@pytest.fixture
def check_first_step(world, wait_until):
    """Deploy, measure the shares of the first step, and go back by the alarm that ends the waiting."""

    def check(name, configs, deployment, shares):
        alarm = Alarm(world)
        old, new = configs
        update(world, name, new, deployment(wait=LONG, alarms=[alarm.name]))
        reached(world, name, wait_until, "Baking", "of 1 instance(s).")
        check_shares(lambda requests: tally(world, name, requests), shares)
        wait_until(lambda: alarm.trip() or world.describe(name)["EndpointStatus"] != "Updating", "a rollback")
        assert world.settled(name)["EndpointConfigName"] == old

    return check


@pytest.mark.parametrize("deployment", [CANARY, ROLLING], ids=["canary", "rolling"])
def test_the_first_steps_share_is_the_configured_one(endpoint, two_configs, check_first_step, deployment):
    check_first_step(endpoint, two_configs, deployment, {"1": 2 / 3, "2": 1 / 3})


def test_each_linear_steps_share_is_the_configured_one(world, endpoint, two_configs, wait_until):
    """As many deployments, there and back, as the requests take."""
    policy = blue_green("LINEAR", wait=60, LinearStepSize=size(34, "CAPACITY_PERCENT"))
    shares = {step: {"new": step / 3, "old": 1 - step / 3} for step in (1, 2)}
    counts = {step: collections.Counter() for step in shares}
    running, coming = two_configs

    def deploy(wanted):
        nonlocal running, coming
        update(world, endpoint, coming, policy)
        release = "2" if coming == two_configs[1] else "1"
        for step, total in counts.items():
            found = reached(world, endpoint, wait_until, "Baking", f"of {step} instance(s).")
            (stage,) = [stage for stage in stages(found) if stage[1] == "Baking"]
            answered = tally_while(world, endpoint, stage, wanted - total.total())
            total.update(new=answered[release], old=answered.total() - answered[release])
        assert world.settled(endpoint)["EndpointConfigName"] == coming
        running, coming = coming, running

    for wanted in (REQUESTS, 2 * REQUESTS):  # as in check_shares
        while running != two_configs[0] or any(total.total() < wanted for total in counts.values()):
            deploy(wanted)
        if all(fit(total, shares[step]) for step, total in counts.items()):
            return
    raise AssertionError(counts)


def test_only_a_bad_canarys_share_fails_until_its_alarm_rolls_it_back(
    world, endpoint, two_configs, wait_until
):
    bad = world.config(world.variant(world.model("raises"), count=3))
    alarm = world.name("Alarm")
    dimensions = {"EndpointName": endpoint, "VariantName": "main", "EndpointConfigName": bad}
    world.server.client("cloudwatch").put_metric_alarm(
        AlarmName=alarm,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        Statistic="Sum",
        Period=3600,
        EvaluationPeriods=1,
        Threshold=800,  # not before the shares are measured
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    with SteadyClient(world, endpoint) as client:
        update(world, endpoint, bad, CANARY(wait=LONG, alarms=[alarm]))
        reached(world, endpoint, wait_until, "Baking", "canary capacity of 1")
        check_shares(client.draw, {"answered": 2 / 3, "failed": 1 / 3}, more=200)
        settled = world.settled(endpoint)
        assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", two_configs[0])
        assert alarm in settled["FailureReason"]
        assert client.draw(100)["failed"] == 0
    for error in client.errors:
        assert error.response["Error"]["Code"] == "ModelError"
        assert "no such feature" in error.response["OriginalMessage"]
    assert client.releases == {"1"}


def test_a_canary_of_an_a_b_test_keeps_the_variants_shares(world, check_first_step):
    weights = (("a", 3), ("b", 1))
    configs = [
        world.config(
            *(
                world.variant(world.model(RELEASE=f"{name}{release}"), name, weight=weight, count=2)
                for name, weight in weights
            )
        )
        for release in (1, 2)
    ]
    shares = {"a1": 3 / 8, "a2": 3 / 8, "b1": 1 / 8, "b2": 1 / 8}
    check_first_step(world.endpoint(configs[0]), configs, CANARY, shares)

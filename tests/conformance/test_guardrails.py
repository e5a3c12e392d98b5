"""Deployments in steps, and the alarm that rolls them back."""

import pytest

ONE = {"Type": "INSTANCE_COUNT", "Value": 1}


def blue_green(kind, wait, **routing):
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **routing}
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": 0,
            "MaximumExecutionTimeoutInSeconds": 3600,
        }
    }


POLICIES = {
    "canary": blue_green("CANARY", 120, CanarySize=ONE),
    "linear": blue_green("LINEAR", 120, LinearStepSize=ONE),
    "rolling": {
        "RollingUpdatePolicy": {
            "MaximumBatchSize": ONE,
            "WaitIntervalInSeconds": 120,
            "MaximumExecutionTimeoutInSeconds": 3600,
        }
    },
}


@pytest.fixture(scope="module")
def releases(shared_account):
    """Two configurations of two instances each, and an endpoint that serves the first."""
    configs = {
        number: shared_account.config(shared_account.variant(shared_account.model(RELEASE=number), count=2))
        for number in ("1", "2")
    }
    return shared_account.endpoint(configs["1"]), configs


def other_release(account, name, configs):
    """The release that is not live, and its configuration."""
    live = account.describe(name)["EndpointConfigName"]
    return next((number, config) for number, config in configs.items() if config != live)


@pytest.mark.parametrize(
    "policy", [pytest.param(name, marks=pytest.mark.fact(f"guardrail-{name}")) for name in POLICIES]
)
def test_a_deployment_in_steps_serves_both_releases_and_ends_on_the_new(account, releases, policy):
    name, configs = releases
    number, config = other_release(account, name, configs)
    account.sagemaker.update_endpoint(
        EndpointName=name, EndpointConfigName=config, DeploymentConfig=POLICIES[policy]
    )
    met = set()

    def both_are_met():
        met.add(account.answer(name)["release"])
        assert account.describe(name)["EndpointStatus"] == "Updating", met
        return len(met) == len(configs)

    account.until(both_are_met, "answers of both releases")
    states, settled = account.history(name)
    assert states[-1] == "InService"
    assert settled["EndpointConfigName"] == config, settled.get("FailureReason")
    assert {account.answer(name)["release"] for _ in range(4)} == {number}


@pytest.mark.fact("guardrail-alarm")
def test_an_alarm_rolls_a_canary_back(account, releases):
    name, configs = releases
    live = account.describe(name)["EndpointConfigName"]
    _, config = other_release(account, name, configs)
    cloudwatch, alarm = account.target.client("cloudwatch"), account.name("Alarm")
    metric = {"Namespace": "Conformance", "MetricName": alarm}
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        **metric,
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        Tags=account.tags,
    )
    account.at_the_end(cloudwatch.delete_alarms, AlarmNames=[alarm])
    deployment = {
        **blue_green("CANARY", 1200, CanarySize=ONE),
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]},
    }
    account.sagemaker.update_endpoint(
        EndpointName=name, EndpointConfigName=config, DeploymentConfig=deployment
    )
    seen = []

    def rolled_back():
        cloudwatch.put_metric_data(
            Namespace=metric["Namespace"], MetricData=[{"MetricName": alarm, "Value": 1}]
        )
        status = account.describe(name)["EndpointStatus"]
        if [status] != seen[-1:]:
            seen.append(status)
        return status == "InService"

    # Not before the canary has its share: an alarm that is on when the bake begins proves less.
    account.until(lambda: len({account.answer(name)["release"] for _ in range(8)}) > 1, "the canary answers")
    account.until(rolled_back, "the endpoint is rolled back")
    assert seen == ["Updating", "RollingBack", "InService"]
    assert account.describe(name)["EndpointConfigName"] == live
    number = next(number for number, config in configs.items() if config == live)
    assert {account.answer(name)["release"] for _ in range(4)} == {number}

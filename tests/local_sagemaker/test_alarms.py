"""Alarms as boto3 sees them: what they watch, when they change, and what they do then."""

import json

import pytest

NAMESPACE = "Test/Alarms"


@pytest.fixture(scope="module")
def cloudwatch(server):
    return server.client("cloudwatch")


@pytest.fixture
def alarm(cloudwatch, shared_world):
    """Put an alarm on a metric of its own; returns its name and a way to put values."""
    names = []

    def put(**members):
        name = shared_world.name("Alarm")
        names.append(name)
        defaults = {
            "Namespace": NAMESPACE,
            "MetricName": name,
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 10,
            "ComparisonOperator": "GreaterThanThreshold",
        }
        wanted = {**defaults, **members}
        cloudwatch.put_metric_alarm(
            AlarmName=name, **{member: value for member, value in wanted.items() if value is not None}
        )
        return name

    yield put
    cloudwatch.delete_alarms(AlarmNames=names)


@pytest.fixture
def send(cloudwatch):
    def put(name, *values):
        cloudwatch.put_metric_data(
            Namespace=NAMESPACE,
            MetricData=[{"MetricName": name, "Values": [float(value) for value in values]}],
        )

    return put


@pytest.fixture
def state(cloudwatch):
    def look(name):
        (found,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return found

    return look


def test_an_alarm_goes_off_and_recovers_by_itself(alarm, send, state, wait_until):
    name = alarm()
    assert state(name)["StateValue"] == "INSUFFICIENT_DATA"
    assert state(name)["StateReason"] == "Unchecked: Initial alarm creation"

    def becomes(wanted, value):
        def look():
            send(name, value)
            found = state(name)
            return found if found["StateValue"] == wanted else None

        return wait_until(look, f"{name} is {wanted}")

    fired = becomes("ALARM", 11)
    assert fired["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [")
    assert fired["StateReason"].endswith(
        "was greater than the threshold (10.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    data = json.loads(fired["StateReasonData"])
    assert data["threshold"] == 10.0
    assert data["period"] == 60
    assert data["recentDatapoints"][-1] > 10
    recovered = becomes("OK", 0)
    assert "was not greater than the threshold (10.0)" in recovered["StateReason"]
    silent = wait_until(
        lambda: state(name) if state(name)["StateValue"] == "INSUFFICIENT_DATA" else None, "data are missing"
    )
    assert silent["StateReason"] == "Insufficient Data: 1 datapoint was unknown."


def test_an_alarm_without_data_is_as_it_treats_missing_data(alarm, state, wait_until):
    breaching, good = alarm(TreatMissingData="breaching"), alarm(TreatMissingData="notBreaching")
    ignoring, missing = alarm(TreatMissingData="ignore"), alarm()
    wait_until(lambda: state(breaching)["StateValue"] == "ALARM", "breaching")
    wait_until(lambda: state(good)["StateValue"] == "OK", "notBreaching")
    assert state(breaching)["StateReason"] == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
        "[Breaching]."
    )
    assert state(ignoring)["StateValue"] == state(missing)["StateValue"] == "INSUFFICIENT_DATA"

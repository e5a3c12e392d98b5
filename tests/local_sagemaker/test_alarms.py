"""Alarms as boto3 sees them: what they watch, when they change, and what they do then.

A minute of the service's takes 0.3 s here.
"""

import json
import signal

import pytest

NAMESPACE = "Test/Alarms"


@pytest.fixture(scope="module")
def cloudwatch(fast_world):
    return fast_world.server.client("cloudwatch")


@pytest.fixture
def alarm(cloudwatch, fast_world):
    """Put an alarm on a metric of its own name; members given as None are left out."""
    names = []

    def put(**members):
        name = fast_world.name("Alarm")
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
def state(cloudwatch):
    def look(name):
        answer = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        (found,) = answer["MetricAlarms"] + answer["CompositeAlarms"]
        return found

    return look


@pytest.fixture
def becomes(cloudwatch, state, wait_until):
    """Put `value` again and again until the alarm is in the state; returns it then."""

    def wait(name, wanted, value=None, metric=None):
        def look():
            if value is not None:
                data = [{"MetricName": metric or name, "Value": float(value)}]
                cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data)
            found = state(name)
            return found if found["StateValue"] == wanted else None

        return wait_until(look, f"{name} is {wanted}")

    return wait


@pytest.fixture
def queue(fast_world):
    """A queue: its ARN, and a way to take the bodies of the messages in it."""
    sqs = fast_world.server.client("sqs")
    url = sqs.create_queue(QueueName=fast_world.name("Queue"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def take():
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    return arn, take


def test_an_alarm_goes_off_and_recovers_by_itself(alarm, state, becomes):
    name = alarm()
    assert state(name)["StateValue"] == "INSUFFICIENT_DATA"
    assert state(name)["StateReason"] == "Unchecked: Initial alarm creation"
    fired = becomes(name, "ALARM", 11)
    assert fired["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [")
    assert fired["StateReason"].endswith(
        "was greater than the threshold (10.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    data = json.loads(fired["StateReasonData"])
    assert (data["threshold"], data["period"], data["statistic"]) == (10.0, 60, "Sum")
    assert data["recentDatapoints"][-1] > 10
    recovered = becomes(name, "OK", 0)
    assert "was not greater than the threshold (10.0)" in recovered["StateReason"]
    silent = becomes(name, "INSUFFICIENT_DATA")
    assert silent["StateReason"] == "Insufficient Data: 1 datapoint was unknown."


def test_an_alarm_without_data_is_as_it_treats_missing_data(alarm, state, becomes):
    breaching, good = alarm(TreatMissingData="breaching"), alarm(TreatMissingData="notBreaching")
    ignoring, missing = alarm(TreatMissingData="ignore"), alarm()
    assert becomes(breaching, "ALARM")["StateReason"] == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
        "[Breaching]."
    )
    becomes(good, "OK")
    assert state(ignoring)["StateValue"] == state(missing)["StateValue"] == "INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    ("operator", "breaching", "good"),
    [
        ("GreaterThanThreshold", 11, 10),
        ("GreaterThanOrEqualToThreshold", 10, 9),
        ("LessThanThreshold", 9, 10),
        ("LessThanOrEqualToThreshold", 10, 11),
    ],
)
def test_thresholds_are_compared_as_the_operator_says(alarm, becomes, operator, breaching, good):
    name = alarm(ComparisonOperator=operator, Statistic="Maximum")
    becomes(name, "ALARM", breaching)
    becomes(name, "OK", good)


def test_alarms_on_several_of_several_points(alarm, becomes):
    name = alarm(Statistic="Maximum", EvaluationPeriods=3, DatapointsToAlarm=2)
    assert "2 datapoints for OK -> ALARM transition" in becomes(name, "ALARM", 11)["StateReason"]
    # OK again with one breaching point of three: two good ones suffice.
    assert "minimum 2 datapoints for ALARM -> OK transition" in becomes(name, "OK", 1)["StateReason"]


def test_an_alarm_on_a_percentile_of_a_fleet(alarm, fast_world, becomes, cloudwatch, wait_until):
    config = fast_world.release("echo")
    endpoint = fast_world.endpoint(config)
    name = alarm(
        Namespace="AWS/SageMaker",
        MetricName="ModelLatency",
        Dimensions=[
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": "main"},
            {"Name": "EndpointConfigName", "Value": config},
        ],
        Statistic=None,
        ExtendedStatistic="p90",
        Threshold=1,
    )

    def fires():
        fast_world.invoke(endpoint)
        (found,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return found["StateValue"] == "ALARM"

    wait_until(fires, "the latency is seen")
    fast_world.delete([endpoint])


def test_too_few_samples_leave_a_percentiles_state_alone_when_so_asked(alarm, becomes, state):
    percentile = {"Statistic": None, "ExtendedStatistic": "p99"}
    judging = alarm(**percentile, EvaluateLowSampleCountPercentile="evaluate")
    waiting = alarm(**percentile, EvaluateLowSampleCountPercentile="ignore", MetricName=judging)
    becomes(judging, "ALARM", 11)
    becomes(judging, "OK", 0)
    assert state(waiting)["StateValue"] == "INSUFFICIENT_DATA"


def test_an_alarm_on_an_expression(alarm, becomes, fast_world):
    metric = fast_world.name("Metric")
    stat = {"Metric": {"Namespace": NAMESPACE, "MetricName": metric}, "Period": 60, "Stat": "Maximum"}
    name = alarm(
        Namespace=None,
        MetricName=None,
        Statistic=None,
        Period=None,
        Metrics=[
            {"Id": "m1", "MetricStat": stat, "ReturnData": False},
            {"Id": "twice", "Expression": "m1 * 2"},
        ],
    )
    becomes(name, "ALARM", 6, metric)
    becomes(name, "OK", 5, metric)


def test_a_composite_alarm_follows_its_rule(alarm, becomes, cloudwatch, fast_world, state):
    first, second = alarm(TreatMissingData="ignore"), alarm(TreatMissingData="ignore")
    both, neither = fast_world.name("Both"), fast_world.name("Neither")
    cloudwatch.put_composite_alarm(AlarmName=both, AlarmRule=f'ALARM("{first}") AND NOT OK({second})')
    arn = state(both)["AlarmArn"]
    cloudwatch.put_composite_alarm(AlarmName=neither, AlarmRule=f"NOT (ALARM({arn}) OR FALSE)")
    assert (state(both)["StateValue"], state(neither)["StateValue"]) == ("OK", "ALARM")
    cloudwatch.set_alarm_state(AlarmName=first, StateValue="ALARM", StateReason="a test")
    assert (state(both)["StateValue"], state(neither)["StateValue"]) == ("ALARM", "OK")
    assert state(both)["StateReason"].startswith(f"{state(first)['AlarmArn']} transitioned to ALARM at ")
    cloudwatch.set_alarm_state(AlarmName=second, StateValue="OK", StateReason="a test")
    assert (state(both)["StateValue"], state(neither)["StateValue"]) == ("OK", "ALARM")
    children = cloudwatch.describe_alarms(ChildrenOfAlarmName=both)["MetricAlarms"]
    assert {child["AlarmName"] for child in children} == {first, second}
    (parent,) = cloudwatch.describe_alarms(ParentsOfAlarmName=both)["CompositeAlarms"]
    assert parent["AlarmName"] == neither
    cloudwatch.delete_alarms(AlarmNames=[neither, both])


@pytest.mark.parametrize("rule", ["ALARM(", "ALARM(a b)", "MAYBE(x)", "ALARM(not-there)", "TRUE FALSE", "()"])
def test_rules_that_cannot_be_followed_are_refused(cloudwatch, refusal, rule):
    code, message = refusal(cloudwatch.put_composite_alarm, AlarmName="composite", AlarmRule=rule)
    assert code == "ValidationError"
    assert message.startswith("AlarmRule ")


def test_a_composite_alarm_cannot_refer_to_itself(alarm, cloudwatch, fast_world, refusal):
    name = fast_world.name("Loop")
    cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=f"ALARM({alarm()})")
    assert refusal(cloudwatch.put_composite_alarm, AlarmName=name, AlarmRule=f"OK({name})")[0] == (
        "ValidationError"
    )
    cloudwatch.delete_alarms(AlarmNames=[name])


def test_subscribers_and_rules_hear_of_a_change(alarm, becomes, fast_world, queue, wait_until):
    arn, take = queue
    cloudwatch, sns, events = (fast_world.server.client(name) for name in ("cloudwatch", "sns", "events"))
    topic = sns.create_topic(Name=fast_world.name("Topic"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    function = "arn:aws:lambda:eu-west-1:1:function:f"
    name = alarm(AlarmActions=[topic], OKActions=[function], AlarmDescription="d")
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [name]}}
    rule = fast_world.name("Rule")
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    becomes(name, "ALARM", 11)
    heard = []

    def both():
        heard.extend(take())
        kinds = {one.get("Type") or one["detail-type"] for one in heard}
        return {"Notification", "CloudWatch Alarm State Change"} <= kinds

    wait_until(both, "a notification and an event")
    (notification,) = [one for one in heard if one.get("Type") == "Notification"]
    assert notification["Subject"] == f'ALARM: "{name}" in EU (Ireland)'
    message = json.loads(notification["Message"])
    assert (message["OldStateValue"], message["NewStateValue"]) == ("INSUFFICIENT_DATA", "ALARM")
    assert (message["Region"], message["AlarmDescription"]) == ("EU (Ireland)", "d")
    trigger = message["Trigger"]
    assert (trigger["MetricName"], trigger["Statistic"], trigger["Period"]) == (name, "SUM", 60)
    (event,) = [one for one in heard if one.get("detail-type") == "CloudWatch Alarm State Change"]
    assert event["resources"] == [message["AlarmArn"]]
    assert event["detail"]["state"]["value"] == "ALARM"
    assert event["detail"]["previousState"]["value"] == "INSUFFICIENT_DATA"
    (metric,) = event["detail"]["configuration"]["metrics"]
    assert metric["metricStat"]["metric"]["name"] == name

    def noted(summary):
        items = cloudwatch.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"]
        return [item for item in items if item["HistorySummary"] == summary]

    wait_until(lambda: noted(f"Successfully executed action {topic}"), "the action is in the history")
    assert noted("Alarm updated from INSUFFICIENT_DATA to ALARM")
    assert noted(f'Alarm "{name}" created')
    becomes(name, "OK", 0)
    failed = f"Failed to execute action {function}"
    (item,) = wait_until(lambda: noted(failed), "the failed action is in the history")
    assert "not served" in json.loads(item["HistoryData"])["error"]


def test_actions_that_are_disabled_are_not_done(alarm, becomes, cloudwatch, fast_world):
    topic = fast_world.server.client("sns").create_topic(Name=fast_world.name("Topic"))["TopicArn"]
    quiet = alarm(AlarmActions=[topic])
    cloudwatch.disable_alarm_actions(AlarmNames=[quiet])
    becomes(quiet, "ALARM", 11)
    history = cloudwatch.describe_alarm_history(AlarmName=quiet, HistoryItemType="Action")
    assert history["AlarmHistoryItems"] == []
    cloudwatch.enable_alarm_actions(AlarmNames=[quiet])
    (found,) = cloudwatch.describe_alarms(AlarmNames=[quiet])["MetricAlarms"]
    assert found["ActionsEnabled"] is True


def test_a_state_that_was_set_lasts_until_the_next_evaluation(alarm, becomes, cloudwatch, state):
    name = alarm(TreatMissingData="notBreaching")
    becomes(name, "OK")
    cloudwatch.set_alarm_state(
        AlarmName=name, StateValue="ALARM", StateReason="a test", StateReasonData='{"why": "a test"}'
    )
    becomes(name, "OK")
    items = cloudwatch.describe_alarm_history(
        AlarmName=name, HistoryItemType="StateUpdate", ScanBy="TimestampAscending"
    )["AlarmHistoryItems"]
    changes = [item["HistorySummary"] for item in items]
    assert changes == [
        "Alarm updated from INSUFFICIENT_DATA to OK",
        "Alarm updated from OK to ALARM",
        "Alarm updated from ALARM to OK",
    ]
    assert json.loads(items[1]["HistoryData"])["newState"]["stateReason"] == "a test"


def test_alarms_are_described_by_name_prefix_state_action_and_metric(alarm, cloudwatch, fast_world):
    prefix = fast_world.name("Many")
    topic = f"arn:aws:sns:eu-west-1:123456789012:{prefix}"
    for number in range(3):
        cloudwatch.put_metric_alarm(
            AlarmName=f"{prefix}-{number}",
            Namespace=NAMESPACE,
            MetricName=prefix,
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=number,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
            AlarmActions=[topic] if number == 1 else [],
        )
    cloudwatch.set_alarm_state(AlarmName=f"{prefix}-2", StateValue="OK", StateReason="a test")
    names = [f"{prefix}-{number}" for number in range(3)]

    def described(**members):
        pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix, **members)
        return [found["AlarmName"] for page in pages for found in page["MetricAlarms"]]

    assert described() == names
    assert described(PaginationConfig={"PageSize": 2}) == names
    assert described(StateValue="OK") == names[2:]
    assert described(ActionPrefix=topic[:-3]) == names[1:2]
    assert described(AlarmTypes=["CompositeAlarm"]) == []
    of_metric = cloudwatch.describe_alarms_for_metric(Namespace=NAMESPACE, MetricName=prefix, Statistic="Sum")
    assert [found["AlarmName"] for found in of_metric["MetricAlarms"]] == names
    cloudwatch.delete_alarms(AlarmNames=names)
    assert described() == []


def test_a_new_configuration_keeps_state_and_tags(alarm, cloudwatch, state, becomes):
    name = alarm(TreatMissingData="notBreaching", Tags=[{"Key": "team", "Value": "a"}])
    becomes(name, "OK")
    arn = state(name)["AlarmArn"]
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=NAMESPACE,
        MetricName=name,
        Statistic="Average",
        Period=120,
        EvaluationPeriods=2,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="ignore",
    )
    found = state(name)
    assert (found["StateValue"], found["Statistic"], found["Period"]) == ("OK", "Average", 120)
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "stage", "Value": "b"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "stage", "Value": "b"}]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"Period": 45}, "ValidationError"),
        ({"EvaluationPeriods": 1441}, "ValidationError"),
        ({"DatapointsToAlarm": 2}, "ValidationError"),
        ({"TreatMissingData": "sometimes"}, "ValidationError"),
        ({"AlarmActions": ["not-an-arn"]}, "ValidationError"),
        ({"ComparisonOperator": "Greater"}, "ValidationError"),
        ({"ExtendedStatistic": "p90"}, "InvalidParameterCombination"),
        ({"Statistic": None}, "MissingParameter"),
        ({"Threshold": None}, "MissingParameter"),
        ({"Namespace": None}, "MissingParameter"),
        ({"Statistic": None, "ExtendedStatistic": "p101"}, "InvalidParameterValue"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "InvalidParameterValue"),
        ({"Metrics": [{"Id": "e", "Expression": "1"}]}, "InvalidParameterCombination"),
    ],
)
def test_alarms_that_the_service_refuses(alarm, refusal, members, code):
    assert refusal(alarm, **members)[0] == code


def test_more_than_a_day_is_refused_in_the_services_words(alarm, refusal):
    assert refusal(alarm, EvaluationPeriods=1441)[1] == (
        "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)."
    )


def test_alarms_and_what_scales_by_them_outlive_the_server(start_server, make_world, wait_until):
    server = start_server("--time-scale=200")
    world = make_world(server)
    put = {
        "AlarmName": "kept",
        "Namespace": NAMESPACE,
        "MetricName": "none",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "missing",
    }
    server.client("cloudwatch").put_metric_alarm(**put, ActionsEnabled=False)
    variant = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{world.endpoint()}/variant/main",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    autoscaling = server.client("application-autoscaling")
    autoscaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=2)
    config = {
        "TargetValue": 5.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    kind = {"PolicyName": "p", "PolicyType": "TargetTrackingScaling"}
    made = autoscaling.put_scaling_policy(**variant, **kind, TargetTrackingScalingPolicyConfiguration=config)
    server.end(signal.SIGKILL)

    server.start()
    cloudwatch, autoscaling = server.client("cloudwatch"), server.client("application-autoscaling")
    (found,) = cloudwatch.describe_alarms(AlarmNames=["kept"])["MetricAlarms"]
    assert {**put, "ActionsEnabled": False}.items() <= found.items()
    (target,) = autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["ResourceId"], target["MaxCapacity"]) == (variant["ResourceId"], 2)
    (kept,) = autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert (kept["PolicyARN"], kept["Alarms"]) == (made["PolicyARN"], made["Alarms"])
    cloudwatch.put_metric_alarm(**{**put, "TreatMissingData": "breaching"})
    wait_until(
        lambda: cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"], "it is evaluated again"
    )
    items = cloudwatch.describe_alarm_history(AlarmName="kept", ScanBy="TimestampAscending")
    assert [item["HistorySummary"] for item in items["AlarmHistoryItems"]] == [
        'Alarm "kept" created',
        'Alarm "kept" updated',
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
    ]
    server.end()

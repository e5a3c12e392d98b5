"""What stands around a release: alarms, notifications, a change in between, a service that is busy."""

import json
import threading
from typing import Any

from tests.deploy.fault_proxy import fault_proxy
from tests.deploy.rig import AS_IN_PRODUCTION, REGION, Rig

pytestmark = AS_IN_PRODUCTION


def put_alarm(rig: Rig, name: str, state: str) -> None:
    cloudwatch = rig.clients("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",  # there is no data: what is set lasts
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")


def test_an_alarm_that_rings_before_the_release_stops_it(rig: Rig) -> None:
    put_alarm(rig, f"{rig.name}-errors", "ALARM")
    rig.spec(alarms=[f"{rig.name}-errors"])
    only_planned = rig.deploy(bias=1, plan_only=True)
    assert only_planned.outcome == "planned", only_planned
    assert only_planned.plan
    (warning,) = only_planned.plan["warnings"]
    assert warning.startswith(f"a release would be refused now: {rig.name}-errors is in ALARM")
    run = rig.deploy(bias=1)
    assert (run.state, run.outcome) == ("failed", "refused"), run
    assert f"{rig.name}-errors is in ALARM before the release" in run.result["reason"]
    assert rig.made() == (set(), set())


def test_an_alarm_that_does_not_exist_is_said_to_guard_nothing(rig: Rig) -> None:
    put_alarm(rig, f"{rig.name}-errors", "OK")
    rig.spec(alarms=[f"{rig.name}-errors", f"{rig.name}-typo"])
    run = rig.deploy(bias=1)
    assert run.outcome == "released", run
    assert run.plan is not None
    (warning,) = [w for w in run.plan["warnings"] if "alarm" in w]
    assert warning == f"alarm {rig.name}-typo does not exist and guards nothing"


def test_each_outcome_is_announced_once_to_the_topic_that_asked_for_it(rig: Rig) -> None:
    sns, sqs = rig.clients("sns"), rig.clients("sqs")
    topic = sns.create_topic(Name=rig.name)["TopicArn"]
    queue = sqs.create_queue(QueueName=rig.name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"])
    rig.spec(notifications=[{"sns_topic_arn": topic, "on": ["rolled_back"]}])
    assert rig.deploy(bias=1).outcome == "released"
    assert rig.deploy("raises", bias=2).outcome == "rolled_back"
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    (subject,) = [json.loads(message["Body"])["Subject"] for message in messages]
    assert subject == f"{rig.endpoint}: rolled back (release 2)"


def other_config(rig: Rig) -> str:
    """A configuration made by hand, on the live model."""
    name = f"by-hand-{rig.name}"
    (model,) = rig.made()[1]
    rig.sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": "by-hand",
                "ModelName": model,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1.0,
            }
        ],
    )
    return name


def wait_in_service(rig: Rig) -> None:
    waiter = rig.sagemaker.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=rig.endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def test_a_plan_that_somebody_overtook_is_stale_and_changes_nothing(
    rig: Rig, local_sagemaker: Any, monkeypatch: Any
) -> None:
    rig.deploy(bias=1)
    name = other_config(rig)
    with fault_proxy(local_sagemaker.url) as proxy:
        extra = {"endpoint_url": proxy.url, "region_name": REGION}
        connection = {"conn_type": "aws", "login": "test", "password": "test", "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))

        def overtake() -> None:
            rig.sagemaker.update_endpoint(EndpointName=rig.endpoint, EndpointConfigName=name)
            wait_in_service(rig)

        proxy.after("SageMaker.CreateEndpointConfig", overtake)
        run = rig.deploy(bias=2)
    assert (run.state, run.outcome) == ("failed", "failed"), run
    assert "the plan is stale: expected" in run.result["reason"]
    assert f"found {name} (InService); clear from plan" in run.result["reason"]
    assert rig.describe()["EndpointConfigName"] == name
    assert rig.predict() == [2.0, 3.0, 4.0]


def test_a_change_in_progress_is_waited_for_and_then_planned_anew(rig: Rig) -> None:
    rig.deploy(bias=1)
    name = other_config(rig)
    started = threading.Event()

    def change() -> None:
        rig.sagemaker.update_endpoint(EndpointName=rig.endpoint, EndpointConfigName=name)
        started.set()

    artifact = rig.artifact(bias=2)
    threading.Thread(target=change).start()
    assert started.wait(30)
    run = rig.run("deploy", artifact=artifact)
    assert run.outcome == "released", run
    assert run.result["config_before"] == name
    assert rig.predict() == [3.0, 4.0, 5.0]

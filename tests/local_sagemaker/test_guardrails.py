"""Deployment guardrails: canary, linear, rolling and all at once, with alarms and without."""

import json
import threading

import pytest

from tests.local_sagemaker.guarded import (
    Alarm,
    blue_green,
    reached,
    rolling,
    size,
    stages,
    tally,
    update,
)

LONG = 3600  # longer than any test: ended by its alarm
CANARY = {"CanarySize": size(1)}


@pytest.fixture
def alarm(world):
    return Alarm(world)


@pytest.fixture
def rolled_back(world, wait_until):
    """Trip the alarm, and see the endpoint go back to the configuration."""

    def check(name, alarm, config):
        def seen():
            alarm.trip()  # an alarm that is evaluated goes back to what its metric says
            return world.describe(name)["EndpointStatus"] != "Updating"

        wait_until(seen, "the alarm is seen")
        settled = world.settled(name)
        assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", config)
        assert alarm.name in settled["FailureReason"]
        assert "PendingDeploymentSummary" not in settled
        (variant,) = settled["ProductionVariants"]
        assert variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"] == 3
        assert set(tally(world, name, 40)) == {"1"}
        wait_until(lambda: len(world.server.replicas(name)) == 3, "the new fleet is gone")

    return check


@pytest.fixture(scope="module")
def overdue(shared_world, two_models, tmp_path_factory):
    """A deployment whose new fleet does not come up within its maximum execution time."""
    gate = tmp_path_factory.mktemp("never") / "gate"
    old = shared_world.config(shared_world.variant(two_models[0]))
    name = shared_world.endpoint(old)
    update(shared_world, name, shared_world.release("gated", GATE=str(gate)), blue_green(limit=600))
    yield name, old
    shared_world.delete([name])


@pytest.mark.usefixtures("overdue")
def test_a_canary_that_trips_its_alarm_is_rolled_back(world, two_configs, alarm, wait_until, rolled_back):
    old, new = two_configs
    name = world.endpoint(old)
    update(world, name, new, blue_green("CANARY", wait=LONG, alarms=[alarm.name], **CANARY))
    message = (
        f"Baking for {LONG} seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1"
    )
    baking = reached(world, name, wait_until, "Baking", message)
    assert baking["EndpointStatus"] == "Updating"
    assert baking["EndpointConfigName"] == old
    pending = baking["PendingDeploymentSummary"]
    assert pending["EndpointConfigName"] == new
    (variant,) = pending["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 3)
    assert (variant["CurrentWeight"], variant["DesiredWeight"]) == (1, 1)
    # The canary is one instance: all its requests are answered by one process.
    pids = {answer["pid"] for answer in (world.answer(name) for _ in range(60)) if answer["release"] == "2"}
    assert len(pids) == 1
    rolled_back(name, alarm, old)


def test_a_canary_that_bakes_well_takes_over_and_no_request_is_lost(world, two_configs, alarm):
    old, new = two_configs
    name = world.endpoint(old)
    update(world, name, new, blue_green("CANARY", wait=20, termination=20, alarms=[alarm.name], **CANARY))
    seen, answered = [], tally(world, name, 40)
    while world.describe(name)["EndpointStatus"] == "Updating":
        seen += [stage for stage in stages(world.describe(name)) if stage not in seen]
        answered += tally(world, name, 8)
    settled = world.settled(name)
    assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", new)
    assert "FailureReason" not in settled
    assert set(tally(world, name, 20)) == {"2"}
    assert answered["1"]
    assert [status for _, status, _ in seen if status == "Baking"] == ["Baking", "Baking"]
    config = settled["LastDeploymentConfig"]
    assert config["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"] == "CANARY"


def test_a_linear_deployment_takes_its_steps_and_can_go_back(
    world, two_configs, alarm, wait_until, rolled_back
):
    old, new = two_configs
    name = world.endpoint(old)
    third = {"LinearStepSize": size(34, "CAPACITY_PERCENT")}
    update(world, name, new, blue_green("LINEAR", wait=40, termination=LONG, alarms=[alarm.name], **third))
    for step in (1, 2):
        reached(world, name, wait_until, "Baking", f"of {step} instance(s).")
        assert tally(world, name, 20).keys() <= {"1", "2"}
    reached(world, name, wait_until, "Baking", "(TerminationWaitInSeconds)")
    assert set(tally(world, name, 20)) == {"2"}
    rolled_back(name, alarm, old)


def test_a_rolling_deployment_replaces_batches_and_can_go_back(
    world, two_configs, alarm, wait_until, rolled_back
):
    old, new = two_configs
    name = world.endpoint(old)
    back = {"RollbackMaximumBatchSize": size(1)}
    update(world, name, new, rolling(size(1), wait=40, alarms=[alarm.name], **back))
    reached(world, name, wait_until, "Baking", "of 1 instance(s).")
    # One batch more than the fleet: that is the point of it.
    assert len(world.server.replicas(name)) == 4
    found = reached(world, name, wait_until, "Baking", "of 2 instance(s).")
    (variant,) = found["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == 2
    (variant,) = found["PendingDeploymentSummary"]["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == 2
    rolled_back(name, alarm, old)


def test_a_rolling_deployment_ends_on_the_new_configuration(world, two_configs):
    old, new = two_configs
    name = world.endpoint(old)
    update(world, name, new, rolling(size(50, "CAPACITY_PERCENT"), wait=10))
    answered, most = tally(world, name, 40), 0
    while world.describe(name)["EndpointStatus"] == "Updating":
        answered += tally(world, name, 8)
        most = max(most, len(world.server.replicas(name)))
    settled = world.settled(name)
    assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", new)
    assert set(tally(world, name, 20)) == {"2"}
    assert most <= 4


def test_all_at_once_keeps_the_old_fleet_until_it_has_baked(
    world, two_configs, alarm, wait_until, rolled_back
):
    old, new = two_configs
    name = world.endpoint(old)
    update(world, name, new, blue_green(termination=LONG, alarms=[alarm.name]))
    message = "(TerminationWaitInSeconds) with traffic enabled on full capacity of 3 instance(s)."
    reached(world, name, wait_until, "Baking", message)
    assert set(tally(world, name, 20)) == {"2"}
    assert len(world.server.replicas(name)) == 6
    rolled_back(name, alarm, old)


def test_the_last_deployment_config_can_be_retained(world, two_models, alarm, wait_until):
    old, new = (world.config(world.variant(model)) for model in two_models)
    name = world.name("Endpoint")
    world.begun.append(name)
    # A creation is no update: nothing bakes.
    config = blue_green(termination=LONG, alarms=[alarm.name])
    world.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=old, DeploymentConfig=config)
    assert world.settled(name)["LastDeploymentConfig"] == config
    world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new, RetainDeploymentConfig=True)
    reached(world, name, wait_until, "Baking", "(TerminationWaitInSeconds)")
    wait_until(lambda: alarm.trip() or world.describe(name)["EndpointStatus"] != "Updating", "a rollback")
    assert world.settled(name)["EndpointConfigName"] == old
    # Without being retained it does not count.
    world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
    assert world.settled(name)["EndpointConfigName"] == new


@pytest.mark.parametrize(
    "excluded",
    [
        {"InstanceType": "ml.inf1.xlarge", "InitialInstanceCount": 2},
        {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}},
    ],
)
def test_excluded_endpoints_fall_back_to_all_at_once(world, two_models, excluded):
    old, new = (world.config({"VariantName": "main", "ModelName": model, **excluded}) for model in two_models)
    name = world.endpoint(old)
    update(world, name, new, blue_green("CANARY", wait=LONG, termination=LONG, **CANARY))
    settled = world.settled(name)
    assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", new)


def test_an_update_that_exceeds_its_time_is_rolled_back(shared_world, overdue):
    name, old = overdue
    settled = shared_world.settled(name)
    assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", old)
    assert "600 seconds" in settled["FailureReason"]


BOTH = {**blue_green(), **rolling(size(1))}
REFUSED = [
    (blue_green("CANARY"), "CanarySize must be given"),
    (blue_green("CANARY", CanarySize=size(2)), "CanarySize must be at most 50%"),
    (blue_green("CANARY", CanarySize=size(51, "CAPACITY_PERCENT")), "CanarySize must be at most 50%"),
    (blue_green("LINEAR"), "LinearStepSize must be given"),
    (blue_green("LINEAR", LinearStepSize=size(9, "CAPACITY_PERCENT")), "LinearStepSize must be between 10%"),
    (blue_green("LINEAR", LinearStepSize=size(2)), "LinearStepSize must be between 10% and 50%"),
    (rolling(size(4, "CAPACITY_PERCENT")), "MaximumBatchSize must be between 5% and 50%"),
    (rolling(size(2)), "MaximumBatchSize must be between 5% and 50%"),
    (
        rolling(size(1), RollbackMaximumBatchSize=size(101, "CAPACITY_PERCENT")),
        "RollbackMaximumBatchSize must be at most 100%",
    ),
    (BOTH, "Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy"),
    (blue_green(termination=600, limit=600), "larger than the total waiting time, which is 600"),
    (
        blue_green("CANARY", wait=300, termination=300, limit=600, **CANARY),
        "total waiting time, which is 600",
    ),
    (rolling(size(1), wait=300, limit=900), "total waiting time, which is 900"),
    (blue_green(alarms=["nobody-knows-it"]), "nobody-knows-it"),
]


@pytest.fixture(scope="module")
def endpoint(shared_world, two_configs):
    name = shared_world.endpoint(two_configs[0])
    yield name
    shared_world.delete([name])


@pytest.mark.parametrize("case", REFUSED, ids=[message for _, message in REFUSED])
def test_what_does_not_go_together_is_refused(world, refusal, endpoint, two_configs, case):
    deployment, message = case
    code, said = refusal(update, world, endpoint, two_configs[1], deployment)
    assert code == "ValidationException"
    assert message in said
    assert world.describe(endpoint)["EndpointStatus"] == "InService"


def test_a_deployment_config_needs_the_same_variant_names(world, refusal, endpoint, two_models):
    other = world.config(world.variant(two_models[1], "other", count=3))
    code, message = refusal(update, world, endpoint, other, blue_green())
    assert code == "ValidationException"
    assert "variant names" in message


@pytest.mark.parametrize("case", ["two variants", "serverless"])
def test_12_rolling_is_refused_where_the_guide_excludes_it(world, refusal, endpoint, two_models, case):
    if case == "two variants":
        config = world.config(*(world.variant(two_models[0], name) for name in ("main", "second")))
    else:
        serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
        config = world.config(
            {"VariantName": "main", "ModelName": two_models[0], "ServerlessConfig": serverless}
        )
    code, message = refusal(update, world, endpoint, config, rolling(size(1)))
    assert code == "ValidationException"
    assert message.startswith("One or more endpoint features are not supported using this configuration")


def test_stages_are_events(world, two_models, alarm, wait_until):
    sqs, events = world.server.client("sqs"), world.server.client("events")
    queue = sqs.create_queue(QueueName=world.name())["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    old, new = (world.config(world.variant(model, count=2)) for model in two_models)
    name = world.endpoint(old)
    rule = world.name()
    pattern = {"source": ["aws.sagemaker"], "detail": {"EndpointName": [name]}}
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    update(world, name, new, blue_green("CANARY", wait=10, termination=10, **CANARY))
    received = []

    def ended():
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        received.extend(json.loads(message["Body"]) for message in answer.get("Messages", []))
        return any(event["detail"]["EndpointStatus"] == "IN_SERVICE" for event in received)

    wait_until(ended, "the event of the end")
    assert all(event["resources"] == [world.arn("endpoint", name)] for event in received)
    states = [
        event["detail"]["EndpointStatus"]
        for event in received
        if event["detail-type"] == "SageMaker Endpoint State Change"
    ]
    assert states == ["UPDATING", "IN_SERVICE"]
    begun = [
        (status["Status"], status["StatusMessage"])
        for event in received
        if event["detail-type"] == "SageMaker Endpoint Deployment State Change"
        for variant in event["detail"].get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
        for status in variant.get("VariantStatus", [])
    ]
    canary = "canary capacity of 1 instance(s)."
    full = "full capacity of 2 instance(s)."
    assert begun == [
        ("Creating", "Launching 2 instance(s)."),
        ("ActivatingTraffic", f"Activating traffic on {canary}"),
        ("Baking", f"Baking for 10 seconds (WaitIntervalInSeconds) with traffic enabled on {canary}"),
        ("ActivatingTraffic", f"Activating traffic on {full}"),
        ("Baking", f"Baking for 10 seconds (TerminationWaitInSeconds) with traffic enabled on {full}"),
    ]


def test_a_request_in_flight_on_the_old_fleet_is_answered(world, two_models, wait_until):
    name = world.endpoint(world.release("slow"))
    answers = []
    request = threading.Thread(target=lambda: answers.append(world.invoke(name, "3")["Body"].read()))
    request.start()
    wait_until(lambda: world.server.replicas(name)[0]["requests"] == 1, "the request is in the container")
    update(world, name, world.config(world.variant(two_models[1])), blue_green(termination=20))
    world.settled(name)
    request.join()
    assert answers == [b"slept"]

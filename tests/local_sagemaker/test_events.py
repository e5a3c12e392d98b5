"""EventBridge: rules that take what changes here to queues and topics."""

import json

import pytest

PATTERN_OF = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Model Package State Change"]}


class Bus:
    """Rules and queues of one test, taken down when it ends."""

    def __init__(self, world, until):
        self.world = world
        self.until = until
        self.events = world.server.client("events")
        self.sqs = world.server.client("sqs")
        self.rules = []

    def queue(self):
        url = self.sqs.create_queue(QueueName=self.world.name("queue"))["QueueUrl"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, attributes["Attributes"]["QueueArn"]

    def rule(self, pattern, *targets, **members):
        name = self.world.name("rule")
        self.events.put_rule(Name=name, EventPattern=json.dumps(pattern), **members)
        given = [{"Id": str(number), **target} for number, target in enumerate(targets)]
        assert self.events.put_targets(Rule=name, Targets=given)["FailedEntryCount"] == 0
        self.rules.append((name, [target["Id"] for target in given]))
        return name

    def received(self, url, count=1):
        """The bodies of `count` messages, in the order they come."""
        bodies = []

        def look():
            answer = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                bodies.append(message["Body"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return len(bodies) >= count

        self.until(look, f"{count} messages")
        return bodies

    def put(self, detail, source="test.pipeline", kind="Run ended", **members):
        entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail), **members}
        return self.events.put_events(Entries=[entry])


@pytest.fixture
def bus(world, wait_until):
    made = Bus(world, wait_until)
    yield made
    for name, targets in made.rules:
        made.events.remove_targets(Rule=name, Ids=targets)
        made.events.delete_rule(Name=name)


def test_an_approval_reaches_a_queue_in_the_complete_envelope(bus, world):
    url, queue = bus.queue()
    group = world.name("Group")
    bus.rule({**PATTERN_OF, "detail": {"ModelPackageGroupName": [{"prefix": group}]}}, {"Arn": queue})
    world.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn = world.sagemaker.create_model_package(ModelPackageGroupName=group)["ModelPackageArn"]
    world.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    created, approved = [json.loads(body) for body in bus.received(url, 2)]
    assert set(approved) == {
        "version",
        "id",
        "detail-type",
        "source",
        "account",
        "time",
        "region",
        "resources",
        "detail",
    }
    assert approved["version"] == "0"
    assert approved["id"] != created["id"]
    assert approved["account"] == world.server.ready["account"]
    assert approved["region"] == "eu-west-1"
    assert approved["resources"] == [arn]
    assert len(approved["time"]) == len("2021-02-24T17:00:14Z")
    assert created["detail"]["ModelApprovalStatus"] == "PendingManualApproval"
    assert "UpdatedModelPackageFields" not in created["detail"]
    detail = approved["detail"]
    assert detail["ModelPackageArn"] == arn
    assert detail["ModelPackageVersion"] == 1
    assert detail["ModelApprovalStatus"] == "Approved"
    assert detail["ModelPackageStatus"] == "Completed"
    assert detail["UpdatedModelPackageFields"] == ["ModelApprovalStatus"]
    assert detail["CreationTime"].endswith("Z")


def test_every_target_of_every_rule_gets_the_event_whatever_another_does(bus, world):
    """One target's queue is gone, one is of a kind not served; the others get theirs all the same."""
    first, first_arn = bus.queue()
    second, second_arn = bus.queue()
    dead, dead_arn = bus.queue()
    gone = second_arn + "-gone"
    kind = world.name("Kind")
    bus.rule(
        {"detail-type": [kind]}, {"Arn": gone, "DeadLetterConfig": {"Arn": dead_arn}}, {"Arn": first_arn}
    )
    bus.rule(
        {"detail-type": [kind]},
        {"Arn": f"arn:aws:lambda:eu-west-1:{world.server.ready['account']}:function:none"},
        {"Arn": first_arn},
        {"Arn": second_arn},
    )
    bus.put({"run": 7}, kind=kind)
    assert [json.loads(body)["detail"] for body in bus.received(first, 2)] == [{"run": 7}] * 2
    assert json.loads(bus.received(second)[0])["account"] == world.server.ready["account"]
    assert json.loads(bus.received(dead)[0])["detail"] == {"run": 7}


def test_patterns_are_held_to(bus, world):
    """A last event that everything matches tells when those before it have been delivered."""
    kind = world.name("Kind")
    patterns = {
        "prefix": {"name": [{"prefix": "churn-"}]},
        "suffix": {"name": [{"suffix": "-eu"}]},
        "anything-but": {"status": [{"anything-but": ["Failed", "Stopped"]}]},
        "anything-but prefix": {"name": [{"anything-but": {"prefix": "churn-"}}]},
        "numeric": {"score": [{"numeric": [">", 0.5, "<=", 1]}]},
        "exists": {"reason": [{"exists": False}]},
        "nested": {"fleet": {"size": [2, 3]}},
        "or": {"$or": [{"status": ["Failed"]}, {"score": [{"numeric": [">", 0.8]}]}]},
        "case": {"status": [{"equals-ignore-case": "FAILED"}]},
        "wildcard": {"name": [{"wildcard": "churn-*-eu"}]},
        "list": {"tags": ["b"]},
    }
    sent = {
        "good": {
            "name": "churn-7-eu",
            "status": "Completed",
            "score": 0.9,
            "fleet": {"size": 2},
            "tags": ["a"],
        },
        "bad": {"name": "other", "status": "Failed", "score": 0.5, "reason": "x", "tags": ["a", "b"]},
    }
    expected = {
        "prefix": ["good"],
        "suffix": ["good"],
        "anything-but": ["good"],
        "anything-but prefix": ["bad"],
        "numeric": ["good"],
        "exists": ["good"],
        "nested": ["good"],
        "or": ["good", "bad"],
        "case": ["bad"],
        "wildcard": ["good"],
        "list": ["bad"],
    }
    url, queue = bus.queue()
    for label, pattern in patterns.items():
        bus.rule(
            {"detail-type": [kind], "detail": pattern},
            {
                "Arn": queue,
                "InputTransformer": {
                    "InputPathsMap": {"case": "$.detail.case"},
                    "InputTemplate": f'{{"rule": "{label}", "case": <case>}}',
                },
            },
        )
    end_url, end = bus.queue()
    bus.rule({"detail-type": [kind + "-end"]}, {"Arn": end})
    for case, detail in sent.items():
        bus.put({"case": case, **detail}, kind=kind)
    bus.put({}, kind=kind + "-end")
    bus.received(end_url)
    found = {label: [] for label in patterns}
    for body in bus.received(url, sum(map(len, expected.values()))):
        message = json.loads(body)
        found[message["rule"]].append(message["case"])
    assert found == expected


def test_a_disabled_rule_takes_nothing(bus, world):
    url, queue = bus.queue()
    kind = world.name("Kind")
    off = bus.rule({"detail-type": [kind]}, {"Arn": queue, "Input": '"off"'}, State="DISABLED")
    bus.rule({"detail-type": [kind]}, {"Arn": queue, "Input": '"on"'})
    bus.put({}, kind=kind)
    assert bus.received(url) == ['"on"']
    bus.events.enable_rule(Name=off)
    bus.put({}, kind=kind)
    assert sorted(bus.received(url, 2)) == ['"off"', '"on"']


def test_a_target_gets_what_its_rule_makes_of_the_event(bus, world):
    kind = world.name("Kind")
    inputs = [
        {"InputPath": "$.detail.fleet"},
        {
            "InputTransformer": {
                "InputPathsMap": {"name": "$.detail.name", "size": "$.detail.fleet.size"},
                "InputTemplate": '"<name> has <size>, says <aws.events.rule-name>"',
            }
        },
    ]
    queues = [bus.queue() for _ in inputs]
    rule = bus.rule(
        {"detail-type": [kind]},
        *[{"Arn": arn, **given} for (_, arn), given in zip(queues, inputs, strict=True)],
    )
    bus.put({"name": 'the "one"', "fleet": {"size": 3}}, kind=kind)
    assert json.loads(bus.received(queues[0][0])[0]) == {"size": 3}
    assert json.loads(bus.received(queues[1][0])[0]) == f'the "one" has 3, says {rule}'


def test_a_topic_passes_events_on_to_its_subscribers(bus, world):
    url, queue = bus.queue()
    sns = world.server.client("sns")
    topic = sns.create_topic(Name=world.name("topic"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    kind = world.name("Kind")
    bus.rule({"detail-type": [kind]}, {"Arn": topic})
    bus.put({"run": 7}, kind=kind)
    message = json.loads(bus.received(url)[0])
    assert json.loads(message["Message"])["detail"] == {"run": 7}


def test_put_events_takes_each_entry_by_itself(bus):
    entries = [
        {"Source": "test", "DetailType": "x", "Detail": "{}"},
        {"Source": "aws.sagemaker", "DetailType": "x", "Detail": "{}"},
        {"Source": "test", "DetailType": "x", "Detail": "[1]"},
        {"Source": "test", "Detail": "{}"},
    ]
    answer = bus.events.put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 3
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [
        None,
        "NotAuthorizedForSourceException",
        "MalformedDetail",
        "InvalidArgument",
    ]

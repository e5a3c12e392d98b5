"""What callers made in the services that moto serves is there again after a kill."""

import json
import signal

import pytest

ASSUMED_BY_ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


def policy(action):
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Restarted:
    """A server that is killed and started again; clients of it, as root."""

    def __init__(self, server):
        self._server = server

    def client(self, service, key="local", secret="local"):  # noqa: S107 - root's
        return self._server.client(service, key=key, secret=secret)

    def kill(self):
        self._server.end(signal.SIGKILL)
        self._server.start()


@pytest.fixture(scope="module")
def restarted(start_server):
    server = start_server("--enforce-iam")
    yield Restarted(server)
    server.end()


def test_identities_and_their_rights(restarted):
    iam = restarted.client("iam")
    for name in ("ann", "gone"):
        iam.create_user(UserName=name, Tags=[{"Key": "team", "Value": "a"}])
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy("sagemaker:Delete*"))
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy("sagemaker:ListModels"))
    iam.put_user_policy(UserName="ann", PolicyName="q", PolicyDocument=policy("sagemaker:*"))
    iam.delete_user_policy(UserName="ann", PolicyName="q")
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="ann")
    managed = iam.create_policy(PolicyName="m", PolicyDocument=policy("sagemaker:Nothing"))["Policy"]["Arn"]
    iam.create_policy_version(
        PolicyArn=managed, PolicyDocument=policy("sagemaker:ListEndpoints"), SetAsDefault=True
    )
    iam.attach_group_policy(GroupName="g", PolicyArn=managed)
    iam.delete_user_policy(UserName="gone", PolicyName="p")
    iam.delete_user(UserName="gone")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(ASSUMED_BY_ALL))["Role"]["Arn"]
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=policy("s3:ListAllMyBuckets"))
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    given = key["AccessKeyId"], key["SecretAccessKey"]
    for _ in range(2):
        restarted.kill()
        iam = restarted.client("iam")
        assert [user["UserName"] for user in iam.list_users()["Users"]] == ["ann"]
        assert iam.list_user_policies(UserName="ann")["PolicyNames"] == ["p"]
        assert iam.list_user_tags(UserName="ann")["Tags"] == [{"Key": "team", "Value": "a"}]
        sagemaker = restarted.client("sagemaker", *given)
        sagemaker.list_models()
        sagemaker.list_endpoints()
        with pytest.raises(sagemaker.exceptions.ClientError, match="not authorized"):
            sagemaker.delete_model(ModelName="m")
        assert restarted.client("sts").assume_role(RoleArn=role, RoleSessionName="release")["Credentials"]


def test_a_rule_a_topic_and_a_queue_deliver_as_before(restarted, wait_until):
    sqs, sns, events = (restarted.client(service) for service in ("sqs", "sns", "events"))
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "5"})["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
    sqs.create_queue(QueueName="gone")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="gone")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="t")["TopicArn"]
    kept = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    sns.set_subscription_attributes(
        SubscriptionArn=kept, AttributeName="RawMessageDelivery", AttributeValue="true"
    )
    other = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn + "-other")["SubscriptionArn"]
    sns.unsubscribe(SubscriptionArn=other)
    for name in ("rule", "off", "gone"):
        events.put_rule(Name=name, EventPattern=json.dumps({"source": ["test"]}))
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": topic}])
    events.disable_rule(Name="off")
    events.put_targets(Rule="rule", Targets=[{"Id": "2", "Arn": arn}])
    events.remove_targets(Rule="rule", Ids=["2"])
    events.remove_targets(Rule="gone", Ids=["1"])
    events.delete_rule(Name="gone")
    restarted.kill()
    sqs, sns, events = (restarted.client(service) for service in ("sqs", "sns", "events"))
    url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert found["VisibilityTimeout"] == "7"
    assert len(sqs.list_queues()["QueueUrls"]) == 1
    assert [one["SubscriptionArn"] for one in sns.list_subscriptions()["Subscriptions"]] == [kept]
    rules = {rule["Name"]: rule["State"] for rule in events.list_rules()["Rules"]}
    assert rules == {"rule": "ENABLED", "off": "DISABLED"}
    assert [target["Id"] for target in events.list_targets_by_rule(Rule="rule")["Targets"]] == ["1"]
    events.put_events(Entries=[{"Source": "test", "DetailType": "x", "Detail": '{"run": 7}'}])
    received = wait_until(
        lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "the event by way of the topic"
    )
    assert json.loads(received[0]["Body"])["detail"] == {"run": 7}
    sns.unsubscribe(SubscriptionArn=kept)
    restarted.kill()
    assert restarted.client("sns").list_subscriptions()["Subscriptions"] == []


def test_log_groups(restarted):
    logs = restarted.client("logs")
    for name in ("/team/kept", "/team/gone"):
        logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName="/team/kept", retentionInDays=7)
    logs.delete_log_group(logGroupName="/team/gone")
    restarted.kill()
    groups = restarted.client("logs").describe_log_groups(logGroupNamePrefix="/team/")["logGroups"]
    assert [(group["logGroupName"], group["retentionInDays"]) for group in groups] == [("/team/kept", 7)]

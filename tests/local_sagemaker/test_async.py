"""Asynchronous inference: the queue, results and failures in S3, notifications."""

import json
import signal
import time

import pytest


@pytest.fixture(scope="module")
def bus(shared_world):
    """Two topics, each with a queue that gets its messages as they are."""
    sns, sqs = shared_world.server.client("sns"), shared_world.server.client("sqs")
    topics, queues = {}, {}
    for kind in ("Success", "Error"):
        topics[kind] = sns.create_topic(Name=shared_world.name(kind))["TopicArn"]
        queues[kind] = sqs.create_queue(QueueName=shared_world.name(kind))["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queues[kind], AttributeNames=["QueueArn"])["Attributes"]
        sns.subscribe(
            TopicArn=topics[kind],
            Protocol="sqs",
            Endpoint=arn["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )

    def receive(kind):
        found = sqs.receive_message(QueueUrl=queues[kind]).get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=queues[kind], ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]

    return topics, receive


def _config(world, variant, topics=None, **client):
    output = {
        "S3OutputPath": f"s3://{world.BUCKET}/results",
        "S3FailurePath": f"s3://{world.BUCKET}/failures/",
    }
    if topics:
        output["NotificationConfig"] = {
            "SuccessTopic": topics["Success"],
            "ErrorTopic": topics["Error"],
            "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"],
        }
    async_config = {"OutputConfig": output, **({"ClientConfig": client} if client else {})}
    return world.config(variant, AsyncInferenceConfig=async_config)


def _input(world, body):
    key = world.name("input")
    world.s3.put_object(Bucket=world.BUCKET, Key=key, Body=body.encode())
    return f"s3://{world.BUCKET}/{key}"


def _invoke(world, name, body="hello", **members):
    members.setdefault("ContentType", "text/csv")
    if "Body" not in members and "InputLocation" not in members:
        members["InputLocation"] = _input(world, body)
    return world.runtime.invoke_endpoint_async(EndpointName=name, **members)


def _read(world, uri):
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        return world.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    except world.s3.exceptions.NoSuchKey:
        return None


@pytest.fixture(scope="module")
def step(shared_world, bus):
    """An endpoint whose model fails when it is told to."""
    model = shared_world.model("step", STEP="a")
    return shared_world.endpoint(_config(shared_world, shared_world.variant(model), bus[0]))


def test_a_result_is_written_and_notified(world, step, bus, wait_until):
    response = _invoke(world, step, "rows", InferenceId="mine", Accept="text/plain", CustomAttributes="c")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert response["InferenceId"] == "mine"
    assert response["OutputLocation"].startswith(f"s3://{world.BUCKET}/results/")
    assert response["OutputLocation"].endswith(".out")
    assert response["FailureLocation"].startswith(f"s3://{world.BUCKET}/failures/")
    assert response["FailureLocation"].endswith("-error.out")
    written = wait_until(lambda: _read(world, response["OutputLocation"]), "the result")
    assert written == "rows > a:text/csv"
    (message,) = wait_until(lambda: bus[1]("Success"), "the notification")
    assert (message["awsRegion"], message["invocationStatus"]) == ("eu-west-1", "Completed")
    assert (message["eventName"], message["eventSource"]) == ("InferenceResult", "aws:sagemaker")
    assert (message["eventVersion"], message["inferenceId"]) == ("1.0", "mine")
    assert message["responseParameters"] == {
        "contentType": "application/x-a",
        "outputLocation": response["OutputLocation"],
    }
    sent = message["requestParameters"]
    assert (sent["endpointName"], sent["contentType"], sent["accept"]) == (step, "text/csv", "text/plain")
    assert sent["inputLocation"].startswith(f"s3://{world.BUCKET}/input")
    assert message["receivedTime"] <= message["eventTime"]
    assert message["responseBody"]["encoding"] == "BASE64"


def test_a_failure_is_written_and_notified(world, step, bus, wait_until):
    response = _invoke(world, step, "fail a")
    written = wait_until(lambda: _read(world, response["FailureLocation"]), "the failure")
    assert written.startswith("a was told to fail")
    assert _read(world, response["OutputLocation"]) is None
    (message,) = wait_until(lambda: bus[1]("Error"), "the notification")
    assert message["invocationStatus"] == "Failed"
    assert message["failureReason"].startswith("ClientError: Received server error (500) from model.")
    assert message["inferenceId"] == response["InferenceId"]


def test_an_input_that_is_not_there_fails(world, step, bus, wait_until):
    response = _invoke(world, step, InputLocation=f"s3://{world.BUCKET}/nothing-here")
    (message,) = wait_until(lambda: bus[1]("Error"), "the notification")
    assert message["inferenceId"] == response["InferenceId"]
    assert "Failed to download the input" in message["failureReason"]


def test_a_body_can_come_with_the_request_and_the_caller_can_name_the_result(world, step, wait_until):
    response = _invoke(world, step, Body=b"inline", Filename="mine.json", S3OutputPathExtension="by/date")
    assert response["OutputLocation"] == f"s3://{world.BUCKET}/results/by/date/mine.json"
    written = wait_until(lambda: _read(world, response["OutputLocation"]), "the result")
    assert written == "inline > a:text/csv"


@pytest.mark.parametrize(
    "members",
    [
        {"Body": b"x" * 128_001},
        {"Body": b"x", "InputLocation": "s3://models/x"},
        {"Body": b"x", "InvocationTimeoutSeconds": 3601},
        {"Body": b"x", "RequestTTLSeconds": 21601},
    ],
)
def test_what_is_refused(world, step, refusal, members):
    assert refusal(_invoke, world, step, **members)[0] == "ValidationError"


def test_each_kind_of_endpoint_is_invoked_its_own_way(world, step, refusal):
    code, message = refusal(world.invoke, step)
    assert (code, "InvokeEndpointAsync" in message) == ("ValidationError", True)
    code, message = refusal(_invoke, world, world.endpoint())
    assert (code, "not for asynchronous" in message) == ("ValidationError", True)


def test_requests_wait_for_room_and_expire_in_the_queue(world, bus, wait_until, gate):
    """One at a time: while the first is held up, the others wait, and one of them for too long."""
    model = world.model("held")
    config = _config(world, world.variant(model), bus[0], MaxConcurrentInvocationsPerInstance=1)
    name = world.endpoint(config)
    held = _invoke(world, name, str(gate), InvocationTimeoutSeconds=600)
    wait_until(lambda: world.server.replicas(name)[0]["requests"] == 1, "the first is under way")
    expired = _invoke(world, name, "late", RequestTTLSeconds=60)
    queued = time.monotonic()
    patient = _invoke(world, name, "patient")
    cloudwatch = world.server.client("cloudwatch")

    def backlog():
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="ApproximateBacklogSizePerInstance",
            Dimensions=[{"Name": "EndpointName", "Value": name}],
            StartTime=time.time() - 3600,
            EndTime=time.time() + 3600,
            Period=7200,
            Statistics=["Maximum"],
        )["Datapoints"]
        return points and points[0]["Maximum"] == 3

    wait_until(backlog, "the backlog is measured")
    # A request's time in the queue is looked at when its turn comes; 60 s are 3 s here.
    wait_until(lambda: time.monotonic() > queued + 3.2, "the second has expired")
    gate.touch()
    assert wait_until(lambda: _read(world, held["OutputLocation"]), "the first") == "done"
    assert wait_until(lambda: _read(world, patient["OutputLocation"]), "the third") == "done"
    (message,) = wait_until(lambda: bus[1]("Error"), "the second")
    assert (message["inferenceId"], "expired" in message["failureReason"]) == (expired["InferenceId"], True)


def test_the_queue_survives_the_server(start_server, make_world, wait_until, gate):
    server = start_server()
    world = make_world(server)
    name = world.endpoint(_config(world, world.variant(world.model("held"))))
    responses = [_invoke(world, name, str(gate)) for _ in range(6)]
    server.end(signal.SIGKILL)
    gate.touch()
    server.start()
    again = make_world(server)
    for response in responses:
        assert wait_until(lambda r=response: _read(again, r["OutputLocation"]), "a result") == "done"

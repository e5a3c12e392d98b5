"""Faults of calls, as clients of every protocol meet them, and what the calls did all the same."""

import json
import socket
import subprocess
import sys
import time

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    ReadTimeoutError,
)
from botocore.parsers import RpcV2CBORParser

from tests.local_sagemaker.fault_calls import FaultCalls

NO_ANSWER = (ConnectionClosedError, HTTPClientError)


@pytest.fixture(scope="module")
def faulty(start_server, make_world):
    return make_world(start_server("--seed", "7"))


@pytest.fixture
def faults(faulty):
    made = FaultCalls(faulty.server)
    yield made
    made.clear()


@pytest.fixture(scope="module")
def live(faulty):
    return faulty.endpoint()


@pytest.fixture(scope="module")
def clients(faulty):
    """Of one service for each protocol: a call that changes nothing."""
    make = faulty.server.client
    return {
        "json": ("sagemaker", "ListModels", make("sagemaker").list_models),
        "json-proxied": ("logs", "DescribeLogGroups", make("logs").describe_log_groups),
        "rest-xml": ("s3", "ListBuckets", make("s3").list_buckets),
        "query": ("iam", "ListRoles", make("iam").list_roles),
        "query-sts": ("sts", "GetCallerIdentity", make("sts").get_caller_identity),
        "json-1.0": ("cloudwatch", "DescribeAlarms", make("cloudwatch").describe_alarms),
    }


PROTOCOLS = ("json", "json-proxied", "rest-xml", "query", "query-sts", "json-1.0")


def error_of(call, *arguments, **members):
    """Code, message and HTTP status of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **members)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        ("json", ("ThrottlingException", "Rate exceeded", 400)),
        ("json-proxied", ("ThrottlingException", "Rate exceeded", 400)),
        ("rest-xml", ("SlowDown", "Please reduce your request rate.", 503)),
        ("query", ("Throttling", "Rate exceeded", 400)),
        ("query-sts", ("Throttling", "Rate exceeded", 400)),
        ("json-1.0", ("ThrottlingException", "Rate exceeded", 400)),
    ],
)
def test_throttling_in_the_words_of_the_service(faults, clients, protocol, expected):
    service, operation, call = clients[protocol]
    name = faults.add("throttle", service=service, operation=operation, count=1)
    assert error_of(call) == expected
    call()
    assert faults.counted(name) == (1, 1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_error_in_the_form_of_the_protocol(faults, clients, protocol):
    service, operation, call = clients[protocol]
    faults.add("error", service=service, operation=operation, count=1)
    code = "InternalError" if protocol == "rest-xml" else "InternalFailure"
    assert error_of(call)[::2] == (code, 500)
    faults.add("error", service=service, code="ServiceUnavailable", message="a <b> & c", count=1)
    assert error_of(call) == ("ServiceUnavailable", "a <b> & c", 503)
    call()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_reset_and_a_lost_response_have_no_answer(faults, clients, protocol):
    service, operation, call = clients[protocol]
    for fault in ("reset", "lost_response"):
        faults.add(fault, service=service, operation=operation, count=1)
        with pytest.raises(NO_ANSWER):
            call()
        call()


def test_the_runtime_throttles_and_fails_in_its_own_form(faults, faulty, live):
    def invoke():
        faulty.invoke(live)

    faults.add("throttle", service="sagemaker-runtime", operation="InvokeEndpoint", resource=live, count=1)
    assert error_of(invoke) == ("ThrottlingException", "Rate exceeded", 400)
    for code, status in (
        ("ModelNotReadyException", 429),
        ("ServiceUnavailable", 503),
        ("InternalDependencyException", 530),
        ("InternalFailure", 500),
    ):
        faults.add("error", service="sagemaker-runtime", code=code, count=1)
        assert error_of(invoke)[::2] == (code, status)
    invoke()


def test_an_error_in_the_cbor_that_other_sdks_speak_with_cloudwatch(faults, faulty):
    faults.add("error", service="cloudwatch", operation="PutMetricData", code="ServiceUnavailable")
    answer = httpx.post(
        f"{faulty.server.url}/service/GraniteServiceVersion20100801/operation/PutMetricData",
        content=b"\xa1\x69Namespace\x61N",
        headers={
            "smithy-protocol": "rpc-v2-cbor",
            "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/monitoring/aws4_request, "
            "SignedHeaders=host, Signature=test",
        },
    )
    parsed = RpcV2CBORParser().parse(
        {"status_code": answer.status_code, "headers": answer.headers, "body": answer.content}, None
    )
    assert (parsed["Error"]["Code"], answer.status_code) == ("ServiceUnavailable", 503)


def test_a_capacity_error_at_the_call_creates_nothing(faults, faulty):
    name, config = faulty.name(), faulty.release()
    faults.add("error", operation="CreateEndpoint", code="ResourceLimitExceeded", count=1)
    create = faulty.sagemaker.create_endpoint
    assert error_of(create, EndpointName=name, EndpointConfigName=config)[::2] == (
        "ResourceLimitExceeded",
        400,
    )
    assert error_of(faulty.describe, name)[0] == "ValidationException"


def test_a_lost_response_of_create_endpoint_leaves_the_endpoint_created(faults, faulty):
    name, config = faulty.name(), faulty.release()
    create = faulty.sagemaker.create_endpoint
    faults.add("lost_response", operation="CreateEndpoint", resource=name, count=1)
    with pytest.raises(NO_ANSWER):
        create(EndpointName=name, EndpointConfigName=config)
    faulty.begun.append(name)
    # What a client meets that tries again.
    code, message, _ = error_of(create, EndpointName=name, EndpointConfigName=config)
    assert (code, message.startswith("Cannot create already existing endpoint")) == (
        "ValidationException",
        True,
    )
    assert faulty.settled(name)["EndpointStatus"] == "InService"
    faulty.delete([name])


def test_a_reset_of_create_endpoint_leaves_nothing(faults, faulty):
    name, config = faulty.name(), faulty.release()
    faults.add("reset", operation="CreateEndpoint", resource=name, count=1)
    with pytest.raises(NO_ANSWER):
        faulty.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    assert error_of(faulty.describe, name)[0] == "ValidationException"


@pytest.mark.parametrize("fault", ["throttle", "error"])
def test_a_refused_body_leaves_no_trace_on_the_connection(faults, faulty, fault):
    """boto3 then sends none, and tries again on the connection it has."""
    config = Config(retries={"total_max_attempts": 3, "mode": "standard"})
    s3 = boto3.client(
        "s3", endpoint_url=faulty.server.url, region_name="eu-west-1", config=config,
        aws_access_key_id="local", aws_secret_access_key="local",
    )  # fmt: skip
    for number in range(3):
        faults.add(fault, service="s3", operation="PutObject", count=1)
        s3.put_object(Bucket="models", Key=f"refused/{number}", Body=b"here")
        assert s3.get_object(Bucket="models", Key=f"refused/{number}")["Body"].read() == b"here"


def test_a_lost_response_of_put_object_leaves_the_object(faults, faulty):
    faults.add("lost_response", service="s3", operation="PutObject", resource="models/lost", count=1)
    with pytest.raises(NO_ANSWER):
        faulty.s3.put_object(Bucket="models", Key="lost", Body=b"here")
    assert faulty.s3.get_object(Bucket="models", Key="lost")["Body"].read() == b"here"


def test_boto3_of_itself_gets_over_what_passes(faults, faulty):
    """Two calls in a row are spoiled in each way that a client may try again, and no caller notices."""
    patient = boto3.client(
        "sagemaker",
        endpoint_url=faulty.server.url,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"mode": "standard", "total_max_attempts": 3}),
    )
    for fault in ("throttle", "error", "reset", "lost_response"):
        name = faults.add(fault, service="sagemaker", operation="ListModels", count=2)
        assert patient.list_models()["ResponseMetadata"]["RetryAttempts"] == 2
        assert faults.counted(name) == (2, 2)


def test_a_timeout_never_answers_and_does_nothing(faults, faulty):
    hasty = faulty.server.client("sagemaker", read_timeout=0.3)
    model = faulty.model()
    faults.add("timeout", operation="DeleteModel")
    with pytest.raises(ReadTimeoutError):
        hasty.delete_model(ModelName=model)
    faults.clear()
    faulty.sagemaker.describe_model(ModelName=model)
    faults.add("timeout", operation="DeleteModel", hold_seconds=0.1)
    with pytest.raises(NO_ANSWER):
        faulty.sagemaker.delete_model(ModelName=model)
    faults.clear()
    faulty.sagemaker.describe_model(ModelName=model)


def test_a_delay_comes_before_the_effect_or_after_it(faults, faulty):
    hasty = faulty.server.client("sagemaker", read_timeout=0.3)
    first, second = faulty.model(), faulty.model()
    began = time.monotonic()
    faults.add("delay", operation="DescribeModel", delay=0.4, count=1)
    faulty.sagemaker.describe_model(ModelName=first)
    assert time.monotonic() - began >= 0.4
    faults.add("delay", operation="DeleteModel", resource=first, delay=2, effect_first=True)
    with pytest.raises(ReadTimeoutError):
        hasty.delete_model(ModelName=first)
    assert error_of(faulty.sagemaker.describe_model, ModelName=first)[0] == "ValidationException"
    faults.add("delay", operation="DeleteModel", resource=second, delay={"min": 30, "max": 60})
    with pytest.raises(ReadTimeoutError):
        hasty.delete_model(ModelName=second)
    faulty.sagemaker.describe_model(ModelName=second)


def outcomes(call, number):
    """Which of so many calls in a row are refused."""
    hit = []
    for position in range(number):
        try:
            call()
        except ClientError:
            hit.append(position)
    return hit


def test_after_count_and_who_calls(faults, faulty):
    call = faulty.sagemaker.list_models
    faults.add("throttle", id="some", operation="ListModels", after=2, count=3)
    assert outcomes(call, 8) == [2, 3, 4]
    # Once spent, it counts no more.
    assert faults.counted("some") == (5, 3)
    faults.clear()
    agent = faulty.server.client("sagemaker", user_agent_extra="Caller/Deploy")
    faults.add("throttle", operation="ListModels", user_agent="*Caller/Deploy*")
    assert (outcomes(call, 2), outcomes(agent.list_models, 2)) == ([], [0, 1])


def test_only_the_named_resource_and_operation(faults, faulty, live):
    other = faulty.name("Other")
    faults.add("throttle", operation="Describe*", resource="Other-*")
    faulty.describe(live)
    faulty.sagemaker.list_endpoints()
    assert error_of(faulty.describe, other)[0] == "ThrottlingException"


def test_the_first_rule_that_hits_decides_and_the_next_sees_the_rest(faults, faulty):
    faults.add("error", id="first", operation="ListModels", count=1)
    faults.add("throttle", id="second", operation="ListModels", count=1)
    call = faulty.sagemaker.list_models
    assert [error_of(call)[0], error_of(call)[0]] == ["InternalFailure", "ThrottlingException"]
    assert (faults.counted("first"), faults.counted("second")) == ((1, 1), (1, 1))


def test_it_ends_after_its_time(faults, faulty, wait_until):
    faults.add("throttle", operation="ListModels", for_seconds=0.5)
    call = faulty.sagemaker.list_models
    assert outcomes(call, 1) == [0]
    wait_until(lambda: outcomes(call, 1) == [], "the fault is over")


def test_the_same_seed_and_calls_meet_the_same_faults(faults, faulty, start_server, make_world, tmp_path):
    """Nothing but seed, id and number decides: not the clock, not another rule, not the server."""

    def pattern(world):
        return outcomes(world.sagemaker.list_models, 40)

    half = {"id": "half", "operation": "ListModels", "probability": 0.5}
    faults.add("throttle", **half)
    first = pattern(faulty)
    assert 8 <= len(first) <= 32
    faults.clear()
    faults.add("throttle", service="s3", probability=0.5)
    outcomes(faulty.s3.list_buckets, 5)
    faults.add("throttle", **half)
    assert pattern(faulty) == first
    file = tmp_path / "faults.json"
    file.write_text(json.dumps({"faults": [{"fault": "throttle", **half}]}))
    for seed, is_same in (("7", True), ("8", False)):
        world = make_world(start_server("--seed", seed, "--faults", str(file)))
        assert (pattern(world) == first) is is_same
        world.server.end()


def test_a_file_is_refused_with_the_place_in_it(tmp_path):
    file = tmp_path / "faults.yaml"
    file.write_text(
        "faults:\n"
        "  - fault: throttles\n"
        "  - fault: throttle\n"
        "    probability: 3\n"
        "    operatoin: Create*\n"
        "  - fault: delay\n"
        "    delay: {p50: 2, p99: 1}\n"
        "  - operation: Create*\n"
    )
    command = [sys.executable, "-m", "local_sagemaker", f"--state-dir={tmp_path}", "--faults"]

    def said(path):
        ended = subprocess.run([*command, str(path)], check=False, capture_output=True, text=True, timeout=60)
        assert ended.returncode == 2
        return ended.stderr

    message = said(file)
    for line in (
        f"{file}:2:5: faults[0]: unknown fault 'throttles'; expected one of 'throttle', 'error'",
        f"{file}:4:5: faults[1].probability: input should be less than or equal to 1, found 3",
        f"{file}:5:5: faults[1].operatoin: there is no such field here",
        f"{file}:7:5: faults[2].delay: p99 (1) must not be below p50 (2)",
        f"{file}:8:5: faults[3]: expected a `fault`, which says what goes wrong",
    ):
        assert line in message
    assert "No such file" in said(tmp_path / "missing")
    file.write_text("faults: [")
    assert "line 1" in said(file)


def test_a_rule_that_cannot_be_is_refused(faulty, faults):
    url = f"{faulty.server.url}/_local/faults"
    for body, expected in (
        ({"fault": "throttle", "probability": 0}, "faults[0].probability: input should be greater than 0"),
        ([], "expected an object"),
        ({"fault": "delay"}, "faults[0].delay: field required"),
    ):
        answer = httpx.post(url, json=body)
        assert (answer.status_code, expected in answer.json()["error"]) == (400, True), answer.text
    assert httpx.post(url, content=b"{").status_code == 400
    assert httpx.get(f"{url}/missing").status_code == httpx.delete(f"{url}/missing").status_code == 404
    assert httpx.get(url).json() == {"seed": 7, "faults": []}


def test_the_servers_own_calls_are_never_spoiled(faulty, faults):
    faults.add("reset")
    assert httpx.get(f"{faulty.server.url}/_local/health").json()["status"] == "ok"
    with socket.create_connection(faulty.server.url.removeprefix("http://").split(":")) as connection:
        connection.sendall(b"GET /bucket/key HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)

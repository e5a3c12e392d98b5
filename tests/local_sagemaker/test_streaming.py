"""InvokeEndpointWithResponseStream: parts as they come, and errors in the middle of them."""

import os
import signal

import pytest
from botocore.exceptions import EventStreamError


@pytest.fixture(scope="module")
def streams(shared_world):
    return shared_world.endpoint(shared_world.release("streams"))


@pytest.fixture
def stream(world, streams):
    bodies = []

    def call(body, endpoint=streams, **members):
        response = world.runtime.invoke_endpoint_with_response_stream(
            EndpointName=endpoint, Body=body.encode(), ContentType="text/csv", **members
        )
        bodies.append(response["Body"])
        return response

    yield call
    for body in bodies:
        body.close()


def _text(event):
    return event["PayloadPart"]["Bytes"].decode()


def test_a_generators_parts_are_the_answer(stream):
    response = stream("count 1000")
    assert (response["ContentType"], response["InvokedProductionVariant"]) == ("text/plain", "main")
    whole = "".join(_text(event) for event in response["Body"])
    assert whole == "".join(f"part {number}\n" for number in range(1000))


def test_a_part_is_there_before_the_next_is_made(stream, gate):
    events = iter(stream(f"gate {gate}")["Body"])
    assert _text(next(events)) == "before"
    gate.touch()
    assert [_text(event) for event in events] == ["after"]


def test_an_error_after_the_first_part_ends_the_stream(stream):
    events = iter(stream("break")["Body"])
    assert _text(next(events)) == "a part"
    with pytest.raises(EventStreamError) as caught:
        next(events)
    error = caught.value.response["Error"]
    assert error["Code"] == "ModelStreamError"
    assert "closed before the end" in error["Message"]


def test_an_error_before_the_first_part_is_the_models(world, stream):
    with pytest.raises(world.runtime.exceptions.ModelError) as caught:
        stream("refuse")
    assert caught.value.response["OriginalStatusCode"] == 500


def test_an_instance_that_dies_breaks_the_stream(world, server, stream, gate):
    name = world.endpoint(world.release("streams"))
    events = iter(stream(f"gate {gate}", endpoint=name)["Body"])
    assert _text(next(events)) == "before"
    (pid,) = server.replica_pids(name)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EventStreamError):
        next(events)


def test_a_client_that_leaves_frees_the_worker(stream, streams, server, tmp_path, wait_until):
    sign = tmp_path / "sign"
    response = stream(f"forever {sign}")
    assert _text(next(iter(response["Body"]))) == "more"
    response["Body"].close()
    wait_until(lambda: server.replicas(streams)[0]["requests"] == 0, "the front has let go")
    # One copy of the model: it can answer only when the endless stream has ended.
    assert "".join(_text(event) for event in stream("count 1")["Body"]) == "part 0\n"


def test_the_same_model_answers_invoke_endpoint_in_one_piece(world, streams):
    assert world.invoke(streams, "count 3")["Body"].read() == b"part 0\npart 1\npart 2\n"


def test_a_model_that_does_not_stream_answers_in_a_part(world, stream):
    name = world.endpoint()
    response = stream("hello", endpoint=name, Accept="application/x-mine")
    assert response["ContentType"] == "application/x-mine"
    assert '"body": "hello"' in "".join(_text(event) for event in response["Body"])


def test_a_missing_endpoint(world, stream, refusal):
    code, message = refusal(stream, "count 1", endpoint="Missing")
    assert (code, message.startswith("Endpoint Missing of account")) == ("ValidationError", True)

"""Data capture: what of requests and answers is written to S3, and where."""

import base64
import json
import re

import pytest

BOTH = [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]


def _capturing(world, percentage=100, options=BOTH, **members):
    prefix = world.name("captured")
    name = world.endpoint(
        world.config(
            world.variant(world.model()),
            DataCaptureConfig={
                "EnableCapture": True,
                "InitialSamplingPercentage": percentage,
                "DestinationS3Uri": f"s3://{world.BUCKET}/{prefix}",
                "CaptureOptions": options,
                **members,
            },
        )
    )
    return name, prefix


def _keys(world, prefix):
    found = world.s3.list_objects_v2(Bucket=world.BUCKET, Prefix=prefix)
    return [entry["Key"] for entry in found.get("Contents", [])]


def _records(world, prefix):
    bodies = [
        world.s3.get_object(Bucket=world.BUCKET, Key=key)["Body"].read() for key in _keys(world, prefix)
    ]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def test_requests_and_answers_are_captured_in_the_services_form(world, wait_until):
    name, prefix = _capturing(world, CaptureContentTypeHeader={"CsvContentTypes": ["text/csv"]})
    described = world.describe(name)["DataCaptureConfig"]
    assert (described["CaptureStatus"], described["CurrentSamplingPercentage"]) == ("Started", 100)
    answer = world.invoke(name, "1,2", Accept="application/json", InferenceId="mine")["Body"].read()
    (record,) = wait_until(lambda: _records(world, prefix), "the capture")
    assert record["captureData"] == {
        "endpointInput": {
            "observedContentType": "text/csv",
            "mode": "INPUT",
            "data": "1,2",
            "encoding": "CSV",
        },
        "endpointOutput": {
            "observedContentType": "application/json",
            "mode": "OUTPUT",
            "data": base64.b64encode(answer).decode(),
            "encoding": "BASE64",
        },
    }
    assert record["eventVersion"] == "0"
    assert record["eventMetadata"]["inferenceId"] == "mine"
    assert re.fullmatch(r"[0-9a-f-]{36}", record["eventMetadata"]["eventId"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["eventMetadata"]["inferenceTime"])
    (key,) = _keys(world, prefix)
    pattern = rf"{prefix}/{name}/main/\d{{4}}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{{3}}-[0-9a-f-]{{36}}\.jsonl"
    assert re.fullmatch(pattern, key)


def test_only_what_is_asked_for_is_captured(world, wait_until):
    json_types = {"JsonContentTypes": ["application/json"]}
    name, prefix = _capturing(world, options=[{"CaptureMode": "Output"}], CaptureContentTypeHeader=json_types)
    world.invoke(name, "1,2", Accept="application/json; charset=utf-8")
    (record,) = wait_until(lambda: _records(world, prefix), "the capture")
    assert list(record["captureData"]) == ["endpointOutput"]
    assert record["captureData"]["endpointOutput"]["encoding"] == "JSON"
    assert json.loads(record["captureData"]["endpointOutput"]["data"])["body"] == "1,2"


def test_a_sample_is_captured(world, wait_until):
    name, prefix = _capturing(world, percentage=50)
    for number in range(200):
        world.invoke(name, str(number))
    marker = "last"

    def settled():
        # What is flushed comes in order: once a later request is there, all before it are.
        world.invoke(name, marker)
        seen = [
            base64.b64decode(record["captureData"]["endpointInput"]["data"]).decode()
            for record in _records(world, prefix)
        ]
        return [text for text in seen if text != marker] if marker in seen else None

    # One in two of 200: the standard deviation is 7.1; six of them are missed once in 500 million.
    assert abs(len(wait_until(settled, "the capture")) - 100) < 43


def test_a_destination_that_is_not_there_costs_the_caller_nothing(world):
    name = world.endpoint(
        world.config(
            world.variant(world.model()),
            DataCaptureConfig={
                "InitialSamplingPercentage": 100,
                "DestinationS3Uri": f"s3://{world.name('no-such-bucket').lower()}/x",
                "CaptureOptions": BOTH,
            },
        )
    )
    assert world.answer(name, "1")["body"] == "1"


@pytest.fixture(scope="module")
def stopped_server(start_server):
    return start_server("--time-scale=1")


def test_what_waits_is_written_when_the_server_stops(stopped_server, make_world):
    world = make_world(stopped_server)
    name, prefix = _capturing(world)
    world.invoke(name, "1")
    assert _keys(world, prefix) == []  # a minute of a clock that runs at its own speed is not over
    stopped_server.end()
    stopped_server.start()
    again = make_world(stopped_server)
    (record,) = _records(again, prefix)
    assert base64.b64decode(record["captureData"]["endpointInput"]["data"]) == b"1"

"""Serverless variants: processes that come with the requests and go without them."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

SCALE = 200  # idle processes go after 1.5 s


@pytest.fixture(scope="module")
def fast_world(start_server, make_world):
    return make_world(start_server(f"--time-scale={SCALE}"))


def _endpoint(world, model, concurrency, **config):
    return world.endpoint(
        world.config(
            {
                "VariantName": "main",
                "ModelName": model,
                "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": concurrency, **config},
            }
        )
    )


def _pids(world, name):
    return world.server.replica_pids(name)


def test_idle_processes_go_and_come_back_with_the_next_request(fast_world, wait_until, no_longer_running):
    world = fast_world
    name = _endpoint(world, world.model(), 2)
    first = world.answer(name)["pid"]
    wait_until(lambda: _pids(world, name) == [], "nothing runs")
    wait_until(lambda: no_longer_running([first]), "it is gone")
    assert world.describe(name)["EndpointStatus"] == "InService"
    assert world.answer(name)["pid"] != first


def test_provisioned_processes_stay(fast_world, wait_until):
    world = fast_world
    name = _endpoint(world, world.model("held"), 3, ProvisionedConcurrency=2)
    before = set(_pids(world, name))
    assert len(before) == 2
    gate = world.server.state_dir.with_suffix(".gate")
    gate.unlink(missing_ok=True)
    with ThreadPoolExecutor(3) as threads:
        asked = [threads.submit(world.invoke, name, str(gate)) for _ in range(3)]
        wait_until(
            lambda: sum(each["requests"] for each in world.server.replicas(name)) == 3, "three under way"
        )
        assert len(_pids(world, name)) == 3
        gate.touch()
        assert {each.result()["Body"].read() for each in asked} == {b"done"}
    wait_until(lambda: len(_pids(world, name)) == 2, "the third has gone")


def test_each_request_has_a_process_and_one_too_many_is_throttled(world, wait_until, refusal, gate):
    name = _endpoint(world, world.model("held"), 2)
    assert len(_pids(world, name)) == 1  # it has proved that the model starts
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(world.invoke, name, str(gate)) for _ in range(2)]
        wait_until(
            lambda: [each["requests"] for each in world.server.replicas(name)] == [1, 1], "both are in"
        )
        assert refusal(world.invoke, name) == ("ThrottlingException", "Rate exceeded")
        gate.touch()
        assert [each.result()["Body"].read() for each in asked] == [b"done", b"done"]
    assert world.invoke(name, "now")["Body"].read() == b"done"


def test_concurrency_can_be_changed_in_place(world, refusal):
    name = _endpoint(world, world.model(), 1)
    world.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {
                "VariantName": "main",
                "ServerlessUpdateConfig": {"MaxConcurrency": 4, "ProvisionedConcurrency": 2},
            }
        ],
    )
    assert world.settled(name)["EndpointStatus"] == "InService"
    shown = world.describe(name)["ProductionVariants"][0]["CurrentServerlessConfig"]
    assert shown == {"MemorySizeInMB": 1024, "MaxConcurrency": 4, "ProvisionedConcurrency": 2}
    assert len(_pids(world, name)) == 2


def test_an_update_answers_those_who_wait_for_a_cold_start(world, wait_until, gate):
    old = world.model("echo", RELEASE="old")
    name = _endpoint(world, old, 5)
    new = world.config(
        {
            "VariantName": "main",
            "ModelName": world.model("echo", RELEASE="new"),
            "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 5},
        }
    )
    with ThreadPoolExecutor(4) as threads:
        world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
        asked = [threads.submit(world.invoke, name, str(number)) for number in range(40)]
        releases = {json.loads(each.result()["Body"].read())["release"] for each in asked}
    assert releases <= {"old", "new"}
    assert world.settled(name)["EndpointConfigName"] == new
    assert world.answer(name)["release"] == "new"


def test_a_model_that_does_not_start_fails_the_endpoint(world):
    config = world.config(
        {
            "VariantName": "main",
            "ModelName": world.model("cannot_load"),
            "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
        }
    )
    assert world.settled(world.begin(config))["EndpointStatus"] == "Failed"


def test_streaming_is_refused(world, refusal):
    name = _endpoint(world, world.model(), 1)
    code, message = refusal(world.runtime.invoke_endpoint_with_response_stream, EndpointName=name, Body=b"x")
    assert (code, "serverless" in message) == ("ValidationError", True)

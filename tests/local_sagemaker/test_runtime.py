"""InvokeEndpoint: the container's contract, and the runtime's numbered errors."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def echo(shared_world):
    return shared_world.endpoint()


@pytest.fixture(scope="module")
def serverless(shared_world):
    config = shared_world.config(
        {
            "VariantName": "main",
            "ModelName": shared_world.model(),
            "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5},
        }
    )
    return shared_world.endpoint(config)


def test_the_model_answers_with_its_own_content_type(world, echo):
    response = world.invoke(echo, "1,2", Accept="application/x-mine")
    assert response["ContentType"] == "application/x-mine"
    assert response["InvokedProductionVariant"] == "main"
    assert json.loads(response["Body"].read())["body"] == "1,2"


def test_without_accept_the_model_answers_in_the_default_type(world):
    name = world.endpoint(world.release(SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/csv"))
    assert world.invoke(name)["ContentType"] == "text/csv"


def test_the_framework_images_defaults(world):
    name = world.endpoint(world.release("defaults"))
    response = world.invoke(name, "[[1, 2]]", ContentType="application/json", Accept="application/json")
    assert json.loads(response["Body"].read()) == [[2, 4]]


def test_a_model_can_take_the_context(world):
    name = world.endpoint(world.release("context"))
    response = world.invoke(name, CustomAttributes="trace-1")
    assert (response["Body"].read(), response["CustomAttributes"]) == (b"trace-1", "seen")
    assert world.invoke(name)["Body"].read() == b"nothing"


def test_a_model_can_have_several_workers(world, wait_until):
    name = world.endpoint(world.release("slow", SAGEMAKER_MODEL_SERVER_WORKERS="2"))
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(world.invoke, name, "3")
        wait_until(lambda: world.server.replicas(name)[0]["requests"] == 1, "the slow request is in")
        world.invoke(name, "0")
        assert not slow.done()
        assert slow.result()["Body"].read() == b"slept"


def test_a_model_sees_its_data_its_environment_and_nothing_of_the_servers(world, server):
    name = world.endpoint(world.release("tells_environment", THRESHOLD="0.5"))
    seen = json.loads(world.invoke(name)["Body"].read())
    assert seen["weights"] == "the weights"
    assert seen["environment"]["THRESHOLD"] == "0.5"
    assert "SECRET_OF_THE_SERVER" not in seen["environment"]
    assert not [variable for variable in seen["environment"] if variable.startswith(("AWS", "AIRFLOW"))]


def test_15_an_endpoint_that_is_not_in_service_yet(world, refusal, gate):
    name = world.begin(world.release("gated", GATE=str(gate)))
    code, message = refusal(world.invoke, name)
    assert (code, message.endswith("not found.")) == ("ValidationError", True)
    gate.touch()
    world.settled(name)


@pytest.mark.parametrize(
    ("kind", "status", "side", "text"),
    [("raises", 500, "server", "no such feature"), ("refuses", 400, "client", "bad rows")],
)
def test_16_the_container_answers_with_an_error(world, kind, status, side, text):
    name = world.endpoint(world.release(kind))
    with pytest.raises(world.runtime.exceptions.ModelError) as caught:
        world.invoke(name)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-invoked-production-variant"] == "main"
    assert response["OriginalStatusCode"] == status
    assert text in response["OriginalMessage"]
    assert response["LogStreamArn"].endswith(f":log-group:/aws/sagemaker/Endpoints/{name}")
    message = response["Error"]["Message"]
    assert message.startswith(f'Received {side} error ({status}) from primary with message "{text}')
    assert message.endswith(f"in account {world.server.ready['account']} for more information.")


def test_a_serverless_variant_has_a_configuration_instead_of_counts(world, serverless):
    variant = world.describe(serverless)["ProductionVariants"][0]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert "DesiredInstanceCount" not in variant


def test_an_unknown_target_variant_is_refused(world, echo, refusal):
    code, message = refusal(world.invoke, echo, TargetVariant="nobody")
    assert (code, "nobody" in message) == ("ValidationError", True)


def test_without_a_weight_above_0_only_the_target_variant_is_reached(world, refusal):
    name = world.endpoint(world.config(world.variant(world.model(), weight=0)))
    assert refusal(world.invoke, name)[0] == "ValidationError"
    assert world.invoke(name, TargetVariant="main")["InvokedProductionVariant"] == "main"


def test_requests_follow_the_weights_and_the_target_variant(world):
    model = world.model()
    config = world.config(
        world.variant(model, "heavy", weight=3),
        world.variant(model, "light", weight=1),
        world.variant(model, "waiting", weight=0),
    )
    name = world.endpoint(config)
    met = [world.invoke(name)["InvokedProductionVariant"] for _ in range(400)]
    assert "waiting" not in met
    # Three in four of 400: the standard deviation is 8.7; five of them are missed once in two million.
    assert abs(met.count("heavy") - 300) < 44
    assert world.invoke(name, TargetVariant="waiting")["InvokedProductionVariant"] == "waiting"


def test_requests_are_shared_by_the_instances_of_a_variant(world, server):
    name = world.endpoint(world.config(world.variant(world.model(), count=2)))
    assert world.describe(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    met = [world.answer(name)["pid"] for _ in range(10)]
    pids = server.replica_pids(name)
    assert len(pids) == 2
    assert {pid: met.count(pid) for pid in pids} == dict.fromkeys(pids, 5)


def test_an_instance_that_dies_is_replaced(world, server, refusal, wait_until):
    name = world.endpoint(world.release("dies"))
    (first,) = server.replica_pids(name)
    code, _ = refusal(world.invoke, name, "die")
    assert code == "ServiceUnavailable"
    wait_until(lambda: server.replica_pids(name) not in ([], [first]), "another instance")
    assert world.invoke(name)["Body"].read() != str(first).encode()
    assert world.describe(name)["EndpointStatus"] == "InService"


def test_invocations_are_measured(world, wait_until):
    name = world.endpoint(world.release("raises"))
    for _ in range(3):
        with pytest.raises(world.runtime.exceptions.ModelError):
            world.invoke(name)
    wait_until(lambda: world.total(name, "main", "Invocations") == 3, "three invocations")
    assert world.total(name, "main", "Invocation5XXErrors") == 3
    assert world.total(name, "main", "Invocation4XXErrors") == 0
    assert world.total(name, "main", "ModelLatency") > 0
    assert world.total(name, "main", "OverheadLatency") > 0

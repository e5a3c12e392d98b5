"""Updates under traffic, and what they keep of counts and weights."""

import threading

import pytest

from tests.local_sagemaker.guarded import SteadyClient

RETAIN = {"RetainAllVariantProperties": True}


def properties(world, name):
    return {
        variant["VariantName"]: (variant["DesiredWeight"], variant["DesiredInstanceCount"])
        for variant in world.settled(name)["ProductionVariants"]
    }


@pytest.fixture
def shifted(world):
    """An endpoint with two variants whose weights and counts are no longer their configuration's."""
    model = world.model()
    config = world.config(world.variant(model, "a"), world.variant(model, "b"))
    name = world.endpoint(config)
    world.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "a", "DesiredWeight": 3, "DesiredInstanceCount": 2},
            {"VariantName": "b", "DesiredWeight": 0},
        ],
    )
    assert properties(world, name) == {"a": (3, 2), "b": (0, 1)}
    return name, config, model


def test_no_request_fails_during_an_update(world, wait_until):
    name = world.endpoint(world.release(RELEASE="1"))
    with SteadyClient(world, name) as traffic:
        wait_until(lambda: "1" in traffic.releases, "answers of release 1")
        world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=world.release(RELEASE="2"))
        world.settled(name)
        wait_until(lambda: "2" in traffic.releases, "answers of release 2")
    assert traffic.errors == []
    # The switch is one moment: after it no request meets the old release.
    assert world.answer(name)["release"] == "2"


def test_no_request_fails_during_a_silent_rollback(world, wait_until):
    name = world.endpoint(world.release(RELEASE="1"))
    with SteadyClient(world, name) as traffic:
        wait_until(lambda: traffic.releases, "answers of release 1")
        world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=world.release("cannot_load"))
        world.settled(name)
    assert traffic.errors == []
    assert traffic.releases == {"1"}


def test_no_request_fails_while_weights_and_counts_change(world, wait_until):
    one, two = world.model(RELEASE="1"), world.model(RELEASE="2")
    config = world.config(world.variant(one, "one", count=2), world.variant(two, "two", weight=0))
    name = world.endpoint(config)
    with SteadyClient(world, name) as traffic:
        wait_until(lambda: traffic.releases, "answers of release 1")
        world.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name,
            DesiredWeightsAndCapacities=[
                {"VariantName": "one", "DesiredWeight": 0, "DesiredInstanceCount": 1},
                {"VariantName": "two", "DesiredWeight": 1, "DesiredInstanceCount": 2},
            ],
        )
        assert properties(world, name) == {"one": (0, 1), "two": (1, 2)}
        wait_until(lambda: "2" in traffic.releases, "answers of release 2")
    assert traffic.errors == []
    assert world.answer(name)["release"] == "2"
    assert world.describe(name)["EndpointConfigName"] == config
    assert len(world.server.replica_pids(name)) == 3


def test_a_request_in_flight_is_answered_by_the_old_fleet(world, wait_until):
    name = world.endpoint(world.release("slow"))
    answers = []
    request = threading.Thread(target=lambda: answers.append(world.invoke(name, "2")["Body"].read()))
    request.start()
    wait_until(lambda: world.server.replicas(name)[0]["requests"] == 1, "the request is in the container")
    world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=world.release(RELEASE="2"))
    world.settled(name)
    assert world.answer(name)["release"] == "2"
    request.join()
    assert answers == [b"slept"]


def test_weights_pass_through_updating(world, gate):
    config = world.release("gated", GATE=str(gate))
    gate.touch()
    name = world.endpoint(config)
    gate.unlink()
    world.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 2}]
    )
    updating = world.describe(name)
    assert updating["EndpointStatus"] == "Updating"
    assert "PendingDeploymentSummary" not in updating  # no new configuration is coming
    (variant,) = updating["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 2)
    gate.touch()
    (variant,) = world.settled(name)["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (2, 2)


def test_an_update_resets_weights_and_counts(world, shifted):
    name, config, _ = shifted
    world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    assert properties(world, name) == {"a": (1, 1), "b": (1, 1)}


def test_an_update_can_retain_weights_and_counts(world, shifted):
    name, _, model = shifted
    config = world.config(world.variant(model, "a"), world.variant(model, "c", weight=5))
    world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, **RETAIN)
    assert properties(world, name) == {"a": (3, 2), "c": (5, 1)}


@pytest.mark.parametrize(("excluded", "kept"), [("DesiredWeight", (1, 2)), ("DesiredInstanceCount", (3, 1))])
def test_what_is_retained_can_be_narrowed(world, shifted, excluded, kept):
    name, config, _ = shifted
    world.sagemaker.update_endpoint(
        EndpointName=name,
        EndpointConfigName=config,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": excluded}],
        **RETAIN,
    )
    assert properties(world, name)["a"] == kept


def test_an_update_drops_data_capture_unless_it_is_retained(world):
    capture = {
        "InitialSamplingPercentage": 10,
        "DestinationS3Uri": "s3://models/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    model = world.model()
    name = world.endpoint(world.config(world.variant(model), DataCaptureConfig=capture))
    assert world.describe(name)["DataCaptureConfig"]["CurrentSamplingPercentage"] == 10
    plain = world.config(world.variant(model))
    world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=plain, **RETAIN)
    assert "DataCaptureConfig" in world.settled(name)
    world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=plain)
    assert "DataCaptureConfig" not in world.settled(name)


def test_a_scale_out_that_fails_leaves_the_counts(world, refusal):
    model = world.model()
    name = world.endpoint(world.config(world.variant(model)))
    uri = world.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]["ModelDataUrl"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    world.s3.delete_object(Bucket=bucket, Key=key)
    world.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 2, "DesiredWeight": 7}],
    )
    settled = world.settled(name)
    assert settled["EndpointStatus"] == "InService"
    assert settled["FailureReason"].startswith("Failed to download model data")
    assert properties(world, name) == {"main": (1, 1)}
    assert world.answer(name)["body"] == "hello"

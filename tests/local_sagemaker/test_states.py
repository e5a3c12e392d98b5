"""The state machine of an endpoint."""

import pytest

PING_FAILED = (
    "The primary container for production variant main did not pass the ping health check. "
    "Please check CloudWatch logs for this endpoint."
)


def test_creating_ends_in_service(world, gate):
    config = world.release("gated", GATE=str(gate))
    name = world.begin(config)
    creating = world.describe(name)
    assert creating["EndpointStatus"] == "Creating"
    assert creating["EndpointConfigName"] == config
    assert "ProductionVariants" not in creating
    pending = creating["PendingDeploymentSummary"]
    assert pending["EndpointConfigName"] == config
    assert [
        (variant["VariantName"], variant["DesiredInstanceCount"]) for variant in pending["ProductionVariants"]
    ] == [("main", 1)]
    gate.touch()
    settled = world.settled(name)
    assert settled["EndpointStatus"] == "InService"
    assert "PendingDeploymentSummary" not in settled
    assert settled["LastModifiedTime"] > creating["LastModifiedTime"]
    (variant,) = settled["ProductionVariants"]
    assert (variant["CurrentWeight"], variant["DesiredWeight"]) == (1, 1)
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 1)
    assert variant["DeployedImages"][0]["SpecifiedImage"].endswith("/python:1")


def test_13_creating_ends_failed_when_the_model_does_not_load(world, refusal):
    name = world.begin(world.release("cannot_load"))
    settled = world.settled(name)
    assert settled["EndpointStatus"] == "Failed"
    assert settled["FailureReason"] == PING_FAILED
    # Of a failed endpoint only a delete is of use.
    code, _ = refusal(world.sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=world.release())
    assert code == "ValidationException"
    world.sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.parametrize("body", [b"no archive", b""])
def test_13_an_archive_that_cannot_be_unpacked(world, body):
    model = world.name()
    world.sagemaker.create_model(
        ModelName=model,
        ExecutionRoleArn=world.role,
        PrimaryContainer={"Image": "image", "ModelDataUrl": world.upload(body)},
    )
    name = world.begin(world.config(world.variant(model)))
    assert world.settled(name)["EndpointStatus"] == "Failed"


def test_an_archive_that_leaves_its_directory_is_not_unpacked(world, make_archive, tmp_path):
    model, outside = world.name(), tmp_path / "outside"
    world.sagemaker.create_model(
        ModelName=model,
        ExecutionRoleArn=world.role,
        PrimaryContainer={
            "Image": "image",
            "ModelDataUrl": world.upload(make_archive("", **{f"../../../../../../../..{outside}": "x"})),
        },
    )
    name = world.begin(world.config(world.variant(model)))
    assert world.settled(name)["EndpointStatus"] == "Failed"
    assert not outside.exists()


def test_data_deleted_after_create_model_fails_the_endpoint(world):
    model = world.model()
    uri = world.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]["ModelDataUrl"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    world.s3.delete_object(Bucket=bucket, Key=key)
    settled = world.settled(world.begin(world.config(world.variant(model))))
    assert settled["EndpointStatus"] == "Failed"
    assert settled["FailureReason"].startswith(f'Failed to download model data from URL "{uri}".')


def test_updating_ends_in_service_on_the_new_configuration(world, gate):
    old, new = world.release(RELEASE="1"), world.release("gated", GATE=str(gate), RELEASE="2")
    name = world.endpoint(old)
    before = world.describe(name)
    world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
    updating = world.describe(name)
    assert updating["EndpointStatus"] == "Updating"
    assert updating["EndpointConfigName"] == old
    assert updating["PendingDeploymentSummary"]["EndpointConfigName"] == new
    assert updating["LastModifiedTime"] > before["LastModifiedTime"]
    assert world.answer(name)["release"] == "1"
    gate.touch()
    settled = world.settled(name)
    assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", new)
    assert settled["LastModifiedTime"] > updating["LastModifiedTime"]
    assert world.invoke(name)["Body"].read() == b"2"


def test_an_update_that_fails_its_ping_is_rolled_back_in_silence(world):
    old = world.release(RELEASE="1")
    name = world.endpoint(old)
    world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=world.release("cannot_load"))
    settled = world.settled(name)
    assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", old)
    assert settled["FailureReason"] == PING_FAILED
    assert "PendingDeploymentSummary" not in settled
    assert world.answer(name)["release"] == "1"
    # The next good update clears the reason.
    new = world.release()
    world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
    settled = world.settled(name)
    assert settled["EndpointConfigName"] == new
    assert "FailureReason" not in settled


def test_rolling_back_is_seen_and_can_end_without_a_reason(start_server, make_world, wait_until):
    world = make_world(start_server("--provision-seconds=40", "--omit-rollback-reason"))
    old = world.release()
    name = world.endpoint(old)
    world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=world.release("cannot_load"))
    wait_until(lambda: world.describe(name)["EndpointStatus"] == "RollingBack", "RollingBack")
    settled = world.settled(name)
    assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", old)
    assert "FailureReason" not in settled
    world.server.end()


def test_deleting_ends_with_nothing(world, refusal, wait_until, no_longer_running):
    name = world.endpoint()
    pids = world.server.replica_pids(name)
    world.sagemaker.delete_endpoint(EndpointName=name)

    def gone():
        listed = world.sagemaker.list_endpoints(NameContains=name)["Endpoints"]
        assert [found["EndpointStatus"] for found in listed] in (["Deleting"], [])
        return not listed

    wait_until(gone, "the endpoint is gone")
    assert refusal(world.describe, name)[1].startswith("Could not find endpoint")
    assert no_longer_running(pids)
    # The name is free again.
    config = world.release()
    world.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    assert world.settled(name)["EndpointStatus"] == "InService"


@pytest.mark.parametrize("status", ["OutOfService", "UpdateRollbackFailed", "SystemUpdating"])
def test_states_that_do_not_arise_by_themselves_can_be_set(world, refusal, status):
    name = world.endpoint(world.release(RELEASE="1"))
    world.server.local(f"/endpoints/{name}/status", {"status": status})
    assert world.describe(name)["EndpointStatus"] == status
    new = world.release(RELEASE="2")
    if status == "OutOfService":
        assert refusal(world.invoke, name)[0] == "ValidationError"
        refusal(world.sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=new)
    elif status == "UpdateRollbackFailed":
        # In service with a mix of configurations; an update brings it back.
        assert world.answer(name)["release"] == "1"
        world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
        assert world.settled(name)["EndpointConfigName"] == new
    else:
        _, message = refusal(world.sagemaker.delete_endpoint, EndpointName=name)
        assert message.startswith("Cannot update in-progress endpoint")
        world.server.local(f"/endpoints/{name}/status", {"status": "InService"})


def test_boto3s_waiters_follow_the_states(world):
    name = world.begin(world.release())
    quick = {"Delay": 1, "MaxAttempts": 60}
    world.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=quick)
    world.sagemaker.delete_endpoint(EndpointName=name)
    world.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=quick)

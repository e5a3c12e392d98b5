"""How endpoints end: deleted in each state, or failed in part."""

import pytest


def delete(world, name):
    world.sagemaker.delete_endpoint(EndpointName=name)


def gone(world, name):
    return not world.sagemaker.list_endpoints(NameContains=name)["Endpoints"]


@pytest.mark.parametrize("status", ["InService", "OutOfService", "Failed", "UpdateRollbackFailed"])
def test_an_endpoint_is_deleted_in_every_settled_state(world, wait_until, no_longer_running, status):
    if status == "Failed":
        name = world.begin(world.release("cannot_load"))
        assert world.settled(name)["EndpointStatus"] == status
    else:
        name = world.endpoint()
        world.server.local(f"/endpoints/{name}/status", {"status": status})
    pids = world.server.replica_pids(name)
    delete(world, name)
    wait_until(lambda: gone(world, name), "the endpoint is gone")
    wait_until(lambda: no_longer_running(pids), "so are its processes")


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"])
def test_07_it_is_not_deleted_while_a_change_runs(world, refusal, status):
    name = world.endpoint()
    world.server.local(f"/endpoints/{name}/status", {"status": status})
    expected = f'Cannot update in-progress endpoint "{world.arn("endpoint", name)}".'
    assert refusal(delete, world, name) == ("ValidationException", expected)
    world.server.local(f"/endpoints/{name}/status", {"status": "InService"})


def test_a_creation_fails_as_a_whole(world, wait_until):
    good, bad = (
        world.variant(world.model(), "good", count=2),
        world.variant(world.model("cannot_load"), "bad"),
    )
    name = world.begin(world.config(good, bad))
    settled = world.settled(name)
    assert settled["EndpointStatus"] == "Failed"
    assert "production variant bad" in settled["FailureReason"]
    assert "ProductionVariants" not in settled
    wait_until(lambda: not world.server.replicas(name), "what came up is gone")

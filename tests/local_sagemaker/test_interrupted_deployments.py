"""Deployments cut short by the end of the server, and rollbacks that fail."""

import signal

import pytest

from tests.local_sagemaker.guarded import Alarm, blue_green, reached, rolling, size, tally, update

LONG = 3600


@pytest.fixture
def own_world(start_server, make_world):
    """A server that a test may kill."""
    world = make_world(start_server())
    yield world
    if world.server.process.poll() is None:
        world.server.end()


def trip(world, wait_until, name, alarm):
    def seen():
        alarm.trip()
        return world.describe(name)["EndpointStatus"] != "Updating"

    wait_until(seen, "the alarm is seen")


def test_a_deployment_killed_at_any_stage_ends_on_one_configuration(
    own_world, make_world, wait_until, no_longer_running, gate
):
    world = own_world
    old, new = (world.config(world.variant(world.model(RELEASE=each), count=2)) for each in "12")
    never = world.release("gated", GATE=str(gate), RELEASE="2")
    alarm = Alarm(world)
    canary = {"CanarySize": size(1)}
    # Each stage, with what becomes of the endpoint when the deployment is begun anew.
    stages = {
        "Creating": (never, blue_green(termination=1), "Launching"),
        "canary": (new, blue_green("CANARY", wait=60, **canary), "canary capacity of 1"),
        "termination": (new, blue_green(termination=60), "(TerminationWaitInSeconds)"),
        "rolling": (new, rolling(size(1), wait=60), "capacity of 1 instance(s)."),
        "rolled back": (new, blue_green(termination=LONG, alarms=[alarm.name]), "(TerminationWaitInSeconds)"),
    }
    names = {stage: world.begin(old) for stage in stages}
    for name in names.values():
        assert world.settled(name)["EndpointStatus"] == "InService"
    for stage, (config, deployment, _) in stages.items():
        update(world, names[stage], config, deployment)
    for stage, (_, _, message) in stages.items():
        status = "Creating" if stage == "Creating" else "Baking"
        reached(world, names[stage], wait_until, status, message)
    trip(world, wait_until, names["rolled back"], alarm)
    children = world.server.children()
    world.server.end(signal.SIGKILL)
    wait_until(lambda: no_longer_running(children), "no process is left")

    world.server.start()
    world = make_world(world.server)
    for stage, name in names.items():
        if stage != "rolled back":
            found = world.describe(name)
            assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("Updating", old), stage
        assert tally(world, name, 4), stage
    gate.touch()
    for stage, name in names.items():
        settled = world.settled(name)
        expected = {"Creating": never, "rolled back": old}.get(stage, new)
        assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", expected), stage
        if stage == "rolled back":
            assert alarm.name in settled["FailureReason"]
        if stage != "Creating":
            release = "1" if stage == "rolled back" else "2"
            assert set(tally(world, name, 8)) == {release}, stage
    count = sum(1 if stage == "Creating" else 2 for stage in names)
    running = [pid for name in names.values() for pid in world.server.replica_pids(name)]
    wait_until(lambda: len(world.server.children()) == count + 1, "each fleet, and moto")
    assert len(running) == count


def test_a_rollback_that_fails_leaves_a_mix_that_serves(own_world, make_world, wait_until):
    world = own_world
    model = world.model(RELEASE="1")
    old = world.config(world.variant(model, count=2))
    new = world.config(world.variant(world.model(RELEASE="2"), count=2))
    name, alarm = world.endpoint(old), Alarm(world)
    update(world, name, new, rolling(size(1), wait=40, alarms=[alarm.name]))
    reached(world, name, wait_until, "Baking", "full capacity of 2 instance(s).")
    # One old instance is gone already; without the model's data there is no other.
    uri = world.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]["ModelDataUrl"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    world.s3.delete_object(Bucket=bucket, Key=key)
    trip(world, wait_until, name, alarm)
    settled = world.settled(name)
    assert settled["EndpointStatus"] == "UpdateRollbackFailed"
    assert settled["EndpointConfigName"] == old
    assert alarm.name in settled["FailureReason"]
    assert "Failed to download model data" in settled["FailureReason"]
    counts = tally(world, name, 200)
    assert counts["1"] > 0
    assert counts["2"] > counts["1"]  # two of the three instances that run

    # A restart brings back what can be: the state stays what it is.
    world.server.end(signal.SIGKILL)
    world.server.start()
    world = make_world(world.server)
    assert world.describe(name)["EndpointStatus"] == "UpdateRollbackFailed"
    assert set(tally(world, name, 20)) == {"2"}

    # The next good update replaces the mix as a whole.
    last = world.release(RELEASE="3")
    world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=last)
    settled = world.settled(name)
    assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", last)
    assert set(tally(world, name, 8)) == {"3"}
    wait_until(lambda: len(world.server.replicas(name)) == 1, "the mix is gone")

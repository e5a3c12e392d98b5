"""The processes of instances: those that the model's code starts too, and those that keep dying."""

import contextlib
import itertools
import signal

import pytest


@pytest.mark.parametrize("end", ["deleted", "died"])
def test_what_the_models_code_starts_ends_with_its_instance(world, wait_until, no_longer_running, end):
    name = world.endpoint(world.release("forks"))
    pids = world.answer(name)
    assert not any(no_longer_running([pid]) for pid in pids)
    if end == "deleted":
        world.sagemaker.delete_endpoint(EndpointName=name)
    else:
        with contextlib.suppress(world.runtime.exceptions.ClientError):
            world.invoke(name, "die")
        wait_until(lambda: set(world.server.replica_pids(name)) - set(pids), "another takes its place")
    wait_until(lambda: no_longer_running(pids), "all of its processes are gone")


def test_what_the_models_code_starts_ends_with_the_server(
    start_server, make_world, wait_until, no_longer_running
):
    world = make_world(start_server())
    pids = world.answer(world.endpoint(world.release("forks")))
    world.server.end(signal.SIGKILL)
    wait_until(lambda: no_longer_running(pids), "all of its processes are gone")


def test_an_instance_that_keeps_dying_is_replaced_ever_later(world, wait_until, tmp_path):
    loads, die = tmp_path / "loads", tmp_path / "die"
    name = world.endpoint(world.release("short_lived", LOADS=str(loads), DIE=str(die)))
    die.touch()
    times = wait_until(
        lambda: len(found := loads.read_text().splitlines()) > 4 and [float(each) for each in found],
        "a few loads",
    )
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert gaps[2] >= 1.0
    assert gaps[3] >= 2.0
    assert world.describe(name)["EndpointStatus"] == "InService"

"""Several instances of a variant: how requests are shared, and what happens when one goes."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def pair(shared_world):
    """Two instances of a model that can be held up."""
    config = shared_world.config(shared_world.variant(shared_world.model("held"), count=2))
    return shared_world.endpoint(config)


def test_a_busy_instance_gets_no_more_while_another_is_free(world, pair, gate, wait_until):
    with ThreadPoolExecutor(1) as threads:
        held = threads.submit(world.invoke, pair, str(gate))
        wait_until(lambda: sum(each["requests"] for each in world.server.replicas(pair)) == 1, "one is in")
        # Behind the one that is held up each of these would wait for the gate.
        for _ in range(6):
            assert world.invoke(pair, "now")["Body"].read() == b"done"
        assert not held.done()
        gate.touch()
        assert held.result()["Body"].read() == b"done"


def test_a_killed_instance_costs_no_request_that_it_had_not_taken(world, wait_until):
    name = world.endpoint(world.config(world.variant(world.model(), count=2)))
    before = world.server.replica_pids(name)
    for number in range(4):
        victim = world.server.replica_pids(name)[0]
        os.kill(victim, signal.SIGKILL)
        # Its first thread may be gone before the last, and with that its connections.
        wait_until(lambda gone=victim: not Path(f"/proc/{gone}").exists(), "it is dead")
        # At once: one that gets to the dead instance finds nobody who takes it.
        for _ in range(10):
            assert world.answer(name, str(number))["body"] == str(number)
        wait_until(
            lambda gone=victim: len(now := world.server.replica_pids(name)) == 2 and gone not in now,
            "another instance",
        )
    assert not set(before) & set(world.server.replica_pids(name))


def test_an_instance_that_does_not_answer_its_pings_is_replaced(world, wait_until):
    name = world.endpoint()
    (pid,) = world.server.replica_pids(name)
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: world.server.replica_pids(name) not in ([], [pid]), "another instance")
    assert world.answer(name)["pid"] != pid


def test_a_session_stays_with_its_instance(world):
    config = world.config(world.variant(world.model("sessions"), count=2))
    name = world.endpoint(config)
    opened = world.invoke(name, "open", SessionId="NEW_SESSION")
    session = opened["NewSessionId"].partition(";")[0]
    pid = opened["Body"].read()
    assert {world.invoke(name, "x", SessionId=session)["Body"].read() for _ in range(6)} == {pid}
    assert len({world.invoke(name, "x")["Body"].read() for _ in range(6)}) == 2
    closed = world.invoke(name, "close", SessionId=session)
    assert closed["ClosedSessionId"] == session


def test_random_routing_reaches_every_instance(world):
    variant = world.variant(world.model(), count=2) | {"RoutingConfig": {"RoutingStrategy": "RANDOM"}}
    name = world.endpoint(world.config(variant))
    met = [world.answer(name)["pid"] for _ in range(60)]
    # That one of two is never met in 60 draws happens once in 10**18.
    assert len(set(met)) == 2


def test_an_inference_component_is_refused_plainly(world, refusal):
    name = world.endpoint()
    code, message = refusal(world.invoke, name, InferenceComponentName="part")
    assert (code, "does not host inference components" in message) == ("ValidationError", True)

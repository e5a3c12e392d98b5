"""SIGKILL at random moments: nothing acknowledged is lost, nothing is left half made, no process stays."""

import contextlib
import functools
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.local_sagemaker.pressure import Inspection, Ledger, Pressure, create_config, create_model
from tests.local_sagemaker.server_process import Server, until
from tests.local_sagemaker.world import MODELS, World

KILLS = 20
SEED = 20_260_101
LONGEST_SECONDS = 1.0


def nothing_left(server: Server, children: list[int]) -> bool:
    """No child runs, nor any process whose command line or environment names the state directory."""
    mark = str(server.state_dir).encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it ended meanwhile, or is another user's
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                if mark in told or (told and int(entry.name) in children):
                    return False
    return True


def assert_tidy(world: World) -> None:
    """Files and processes are those of the endpoints that serve and of objects, and no others."""
    server = world.server

    def replicas() -> list[int]:
        endpoints = server.local("/endpoints")["endpoints"]
        return [
            replica["pid"]
            for endpoint in endpoints
            for variant in endpoint["variants"]
            for replica in variant["replicas"]
        ]

    until(
        lambda: len(list((server.state_dir / "replicas").iterdir())) == len(replicas()), "old fleets' files"
    )
    until(lambda: len(server.children()) == 1 + len(replicas()), "no process but moto and the replicas")
    until(lambda: not list((server.state_dir / "jobs").glob("*/*")), "no job's files are left")
    pages = world.s3.get_paginator("list_objects_v2").paginate(Bucket=World.BUCKET)
    objects = sum(page["KeyCount"] for page in pages)
    assert len(list((server.state_dir / "s3").iterdir())) == objects, "each file is an object's"


@pytest.fixture
def killed(start_server: Callable[..., Server], make_archive: Callable[..., bytes]) -> World:
    """A server with two endpoints of which one takes requests."""
    world = World(start_server("--time-scale=100", "--provision-seconds=20"))
    for kind in ("echo", "cannot_load"):
        code = (MODELS / f"{kind}.py").read_text()
        world.s3.put_object(Bucket=World.BUCKET, Key=f"{kind}.tar.gz", Body=make_archive(code))
    for name, kind in (("steady-1", "echo"), ("steady-2", "echo"), ("bad", "cannot_load")):
        create_model(world, name, name, kind)
        create_config(world, name)
    for name in ("steady", "weighted"):
        world.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="steady-1")
    for name in ("steady", "weighted"):
        assert world.settled(name)["EndpointStatus"] == "InService"
    return world


@pytest.mark.timeout(900)
def test_a_server_killed_at_twenty_moments_loses_nothing(killed):
    world, server, chance = killed, killed.server, random.Random(SEED)
    ledger = Ledger({("endpoint", "steady"): "steady-1", ("weights", "weighted"): (1, 1)})
    answered, inspected = 0, 0
    for number in range(KILLS):
        pressure = Pressure(world, ledger, random.Random(chance.random()))
        children = server.children()
        pressure.until_killed(chance.uniform(0, LONGEST_SECONDS))
        assert pressure.failures == [], f"before kill {number}"
        answered += pressure.answered
        until(functools.partial(nothing_left, server, children), "no process is left")
        server.start()
        world = World(server)
        inspected += inspect(world, ledger)
        assert_tidy(world)
    # The callers did get to something.
    assert min(answered, inspected) > KILLS
    server.end()


def inspect(world: World, ledger: Ledger) -> int:
    """Compare all there is with the ledger; returns how many things those are."""
    inspection, keys = Inspection(world), ledger.keys()
    with ThreadPoolExecutor(4) as threads:
        for key, found in zip(keys, threads.map(lambda key: inspection.find(*key), keys), strict=True):
            ledger.settle(*key, found)
    listed = world.sagemaker.get_paginator("list_endpoints").paginate().build_full_result()["Endpoints"]
    assert {found["EndpointName"] for found in listed} == {"weighted", *ledger.present("endpoint")}
    return len(keys)

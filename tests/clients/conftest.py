"""A server for clients that are not ours, and the environment that points them at it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_stack.airflow_env import aws_environment
from tests.local_sagemaker.server_process import Server
from tests.local_sagemaker.world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    server = Server(tmp_path_factory.mktemp("clients") / "state").start()
    yield World(server)
    server.end()


@pytest.fixture(scope="session")
def environment(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the server tells people to export, and nothing of the machine's own AWS settings."""
    passed_on = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    home: Path = tmp_path_factory.mktemp("home")
    return {**passed_on, "HOME": str(home), **aws_environment(world.server.url)}

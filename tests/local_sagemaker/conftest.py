"""A real server for these tests, and what several of them need."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.local_sagemaker.server_process import Server, archive, until
from tests.local_sagemaker.world import World


@contextlib.contextmanager
def _starting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*options: str) -> Server:
        server = Server(tmp_path_factory.mktemp("server") / "state", *options)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        if server.process is not None and server.process.poll() is None:
            server.end()


@pytest.fixture(scope="module")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Start servers, each with a state directory of its own; they end with the module.

    Idle, a server and its instances still look after themselves: dozens of them cost the tests that follow.
    """
    with _starting(tmp_path_factory) as start:
        yield start


@pytest.fixture(scope="session")
def start_shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Start servers that several modules share."""
    with _starting(tmp_path_factory) as start:
        yield start


@pytest.fixture(scope="session")
def server(start_shared_server: Callable[..., Server]) -> Server:
    return start_shared_server()


@pytest.fixture(scope="session")
def shared_world(server: Server) -> World:
    """For fixtures that several tests share."""
    return World(server)


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """The session's server; the endpoints a test begins go when it ends."""
    before = len(shared_world.begun)
    yield shared_world
    shared_world.delete(shared_world.begun[before:])


@pytest.fixture(scope="session")
def two_models(shared_world: World) -> list[str]:
    """Models that answer with their release, 1 and 2."""
    return [shared_world.model(RELEASE=release) for release in ("1", "2")]


@pytest.fixture(scope="session")
def two_configs(shared_world: World, two_models: list[str]) -> list[str]:
    """Configurations of three instances each, of release 1 and release 2."""
    return [shared_world.config(shared_world.variant(model, count=3)) for model in two_models]


@pytest.fixture(scope="session")
def fast_world(start_shared_server: Callable[..., Server]) -> World:
    """A server whose minutes take 0.3 s, for what waits through many of them."""
    return World(start_shared_server("--time-scale=200"))


@pytest.fixture(scope="session")
def make_world() -> Callable[[Server], World]:
    return World


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Callable[[], Any], str], Any]:
    return until


@pytest.fixture(scope="session")
def make_archive() -> Callable[..., bytes]:
    return archive


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A file whose appearance lets a "gated" model load."""
    return tmp_path / "gate"


@pytest.fixture
def refusal() -> Callable[..., tuple[str, str]]:
    """Call something that is to be refused: the error's code and message."""

    def call(function: Callable[..., Any], *arguments: Any, **members: Any) -> tuple[str, str]:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - each client has error classes of its own
            function(*arguments, **members)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    return call


@pytest.fixture
def no_longer_running() -> Callable[[Sequence[int]], bool]:
    """Whether every one of these processes is gone, or a zombie nobody has reaped yet."""

    def gone(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    return lambda pids: all(gone(pid) for pid in pids)

"""Airflow's own API server in this process, with the plugin, over real records of real releases."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from airflow.configuration import conf

from local_stack.ports import free_port
from tests.deploy.conftest import proxy, rig

__all__ = ["proxy", "rig"]

Client = Callable[..., httpx.Client]
_HTTP_SECONDS = 60.0


@pytest.fixture(scope="session")
def api(airflow_db: str) -> Iterator[str]:
    """The address of the API server."""
    from airflow.api_fastapi.app import create_app

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(apps="core"), port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def client(api: str) -> Iterator[Client]:
    """Clients of a user's: of `admin`, of `viewer`, or of nobody."""
    opened: list[httpx.Client] = []
    passwords = json.loads(Path(conf.get("core", "simple_auth_manager_passwords_file")).read_text())

    def make(user: str | None = "admin") -> httpx.Client:
        made = httpx.Client(base_url=api, timeout=_HTTP_SECONDS)
        opened.append(made)
        if user is not None:
            answer = made.post("/auth/token", json={"username": user, "password": passwords[user]})
            made.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return made

    yield make
    for each in opened:
        each.close()

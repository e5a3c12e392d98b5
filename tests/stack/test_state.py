"""What a stack keeps in its state directory."""

import json
import os
import socket
import stat
from pathlib import Path

import psutil
import pytest
from cryptography.fernet import Fernet

from local_stack import stack
from local_stack.paths import StatePaths
from local_stack.ports import LOOPBACK, free_port, is_free
from local_stack.record import Phase, ProcessRecord, StackRecord, read_record, read_running
from local_stack.secret_store import load_or_create_secrets


def record(phase: Phase, created: float, paths: StatePaths) -> StackRecord:
    return StackRecord(
        phase=phase,
        detail="",
        api_url="http://127.0.0.1:1",
        sagemaker_url="http://127.0.0.1:2",
        postgres_url="",
        specs_dir=paths.root,
        dags_dir=paths.root,
        secrets_dir=paths.root,
        supervisor=ProcessRecord(pid=os.getpid(), created=created, log=paths.logs / "supervisor.log"),
        services={},
    )


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths(tmp_path)


def test_secrets_are_generated_once_and_for_this_directory_alone(paths: StatePaths, tmp_path: Path) -> None:
    made = load_or_create_secrets(paths)
    other = tmp_path / "other"
    other.mkdir()

    assert load_or_create_secrets(paths) == made
    assert not set(made.model_dump().values()) & set(
        load_or_create_secrets(StatePaths(other)).model_dump().values()
    )
    assert len(set(made.model_dump().values())) == len(made.model_dump())
    assert Fernet(made.fernet_key).decrypt(Fernet(made.fernet_key).encrypt(b"x")) == b"x"
    logins = json.loads(paths.passwords.read_text())
    assert logins == {"admin": made.admin_password, "viewer": made.viewer_password}


def test_secrets_can_be_read_by_their_owner_only(paths: StatePaths) -> None:
    load_or_create_secrets(paths)
    for file in (paths.secrets, paths.passwords):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_record_is_of_a_running_stack_only_while_its_supervisor_lives(paths: StatePaths) -> None:
    born = psutil.Process().create_time()
    assert read_running(paths) is None

    record("ready", born, paths).write(paths)
    assert read_running(paths) == record("ready", born, paths)
    assert stack.attach(paths.root) is not None

    record("stopping", born, paths).write(paths)
    assert stack.attach(paths.root) is None

    record("ready", born - 1, paths).write(paths)  # the same process id, of another process
    assert read_running(paths) is None
    assert stack.attach(paths.root) is None
    assert not stack.stop(paths.root)


@pytest.mark.parametrize("content", ["", "{}", '{"phase": "ready"', '{"phase": "unheard of"}'])
def test_a_record_that_cannot_be_read_is_none(content: str, paths: StatePaths) -> None:
    paths.record.write_text(content)
    assert read_record(paths) is None


def test_a_preferred_port_is_taken_only_where_it_is_free() -> None:
    port = free_port()
    assert free_port(port) == port
    with socket.create_server((LOOPBACK, port)):
        assert not is_free(port)
        assert free_port(port) != port

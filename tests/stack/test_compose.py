"""The distributed set-up keeps the rules that its file claims to keep."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_stack.paths import REPO_ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((REPO_ROOT / "docker-compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
RUN_ONCE = {"volumes", "secrets", "database", "seed", "migrate"}
PINNED = re.compile(r"^\$\{[A-Z_]+:-[a-z/-]+:\d+\.\d+[^:]*\}$")


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_and_can_be_named_otherwise(name: str) -> None:
    assert PINNED.match(SERVICES[name]["image"])
    if "build" in SERVICES[name]:
        assert PINNED.match(SERVICES[name]["build"]["args"]["AIRFLOW_IMAGE"])


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - RUN_ONCE))
def test_every_service_that_stays_says_whether_it_is_healthy(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_what_runs_once_is_waited_for_by_another_service() -> None:
    # Else `docker compose up --wait` takes its end for a failure.
    awaited = {
        needed
        for service in SERVICES.values()
        for needed, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    assert awaited == RUN_ONCE


def test_dependencies_are_awaited_until_they_can_be_used() -> None:
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if needed in RUN_ONCE else "service_healthy"
            assert how["condition"] == expected, needed


def test_ports_are_published_on_loopback_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 2
    assert all(re.match(r"^127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:\d+$", port) for port in published)


def test_there_are_two_workers_with_names_of_their_own() -> None:
    workers = {name: service for name, service in SERVICES.items() if "celery" in service.get("command", [])}
    assert workers.keys() == {"worker-1", "worker-2"}
    for name, service in workers.items():
        assert service["command"][-2:] == ["--celery-hostname", f"{name}@%h"]
        assert service["healthcheck"]["test"][-1] == name


def test_every_volume_is_opened_before_anybody_uses_it() -> None:
    # A fresh one is root's, and who runs in the images is not known: PostgreSQL's own image opens its own.
    opened = SERVICES["volumes"]["command"][0].split()[2:]
    mounted = dict(volume.split(":")[:2] for volume in SERVICES["volumes"]["volumes"])
    assert SERVICES["volumes"]["user"] == "0:0"
    assert sorted(mounted.values()) == sorted(opened)
    assert mounted.keys() == COMPOSE["volumes"].keys() - {"database"}
    for name, service in SERVICES.items():
        used = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        assert not used or name == "volumes" or "volumes" in before(name), name


def before(name: str) -> set[str]:
    """All that a service waits for."""
    needed = set(SERVICES[name].get("depends_on", {}))
    return needed.union(*(before(each) for each in needed))


def test_every_secret_is_read_from_a_file_that_is_generated(tmp_path: Path) -> None:
    generate = [sys.executable, "-m", "local_stack.compose", "secrets", str(tmp_path)]
    addresses = {key: SERVICES["secrets"]["environment"][key] for key in ("DATABASE_URL", "REDIS_URL")}
    subprocess.run(generate, env=os.environ | addresses, check=True, timeout=60)
    text = (REPO_ROOT / "docker-compose.yaml").read_text()
    read = set(re.findall(r"(?:/opt/airflow/secrets|/run/stack-secrets)/([a-z_.]+)", text))
    assert read <= {file.name for file in tmp_path.iterdir()}
    assert {"fernet_key", "jwt_secret", "sql_alchemy_conn", "broker_url", "postgres_password"} <= read
    made = {name: (tmp_path / name).read_text() for name in read}
    assert all(len(secret) > 20 for secret in made.values())
    assert made["sql_alchemy_conn"] == (
        f"postgresql+psycopg2://airflow:{made['postgres_password']}@postgres:5432/airflow"
    )
    assert made["broker_url"] == f"redis://:{made['redis_password']}@redis:6379/0"
    # Started again, with the volume kept: what is encrypted by then can still be read.
    subprocess.run(generate, env=os.environ | addresses, check=True, timeout=60)
    assert {name: (tmp_path / name).read_text() for name in read} == made


def test_no_secret_stands_in_the_file() -> None:
    # The local SageMaker checks no signature: its keys are no secret.
    allowed = {
        "AWS_SECRET_ACCESS_KEY",
        "POSTGRES_PASSWORD_FILE",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    }
    for service in SERVICES.values():
        for key in service.get("environment", {}):
            secret = re.search("KEY|SECRET|PASSWORD|TOKEN|SQL_ALCHEMY_CONN|BROKER_URL|RESULT_BACKEND", key)
            assert not secret or key.endswith("_CMD") or key in allowed | {"AWS_ACCESS_KEY_ID"}, key


def test_the_dockerfile_asks_for_no_frontend_and_takes_the_same_image() -> None:
    lines = (REPO_ROOT / "Dockerfile").read_text().splitlines()
    assert not any(line.replace(" ", "").startswith("#syntax=") for line in lines)
    default = (
        SERVICES["scheduler"]["build"]["args"]["AIRFLOW_IMAGE"].removeprefix("${AIRFLOW_IMAGE:-").rstrip("}")
    )
    assert f"ARG AIRFLOW_IMAGE={default}" in lines
    assert "FROM ${AIRFLOW_IMAGE}" in lines

"""The distributed set-up keeps the rules that its file claims to keep."""

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
RUN_ONCE = {"secrets", "seed", "migrate"}
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


def test_there_are_two_workers() -> None:
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


def test_every_secret_is_read_from_a_file_that_is_generated(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "local_stack.compose", "secrets", str(tmp_path)], check=True, timeout=60
    )
    text = (REPO_ROOT / "docker-compose.yaml").read_text()
    read = set(re.findall(r"(?:/opt/airflow/secrets|/run/stack-secrets)/([a-z_.]+)", text))
    assert read <= {file.name for file in tmp_path.iterdir()}
    assert {"fernet_key", "jwt_secret", "sql_alchemy_conn", "broker_url", "postgres_password"} <= read
    for name in read:
        assert len((tmp_path / name).read_text()) > 20, name


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

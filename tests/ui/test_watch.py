"""`watch`: a release followed at the command line, by Airflow's API, from another process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.configuration import conf

from tests.deploy.rig import AS_IN_PRODUCTION, Rig

pytestmark = AS_IN_PRODUCTION


def watching(rig: Rig, api: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    passwords = json.loads(Path(conf.get("core", "simple_auth_manager_passwords_file")).read_text())
    login = {"AIRFLOW_USERNAME": "viewer", "AIRFLOW_PASSWORD": passwords["viewer"]}
    command = [sys.executable, "-m", "endpoint_deploy", "watch", rig.key, "--airflow", api, *arguments]
    return subprocess.Popen(
        command,
        env={**os.environ, **login, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def watch(rig: Rig, api: str) -> Iterator[Any]:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        started.append(watching(rig, api, *arguments, **environment))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.communicate()


def test_a_release_is_followed_to_its_end(rig: Rig, watch: Any) -> None:
    lines, plain = watch("--wait", "300", "--json"), watch("--wait", "300")
    assert rig.deploy(bias=1).outcome == "released"
    said, errors = lines.communicate(timeout=120)
    assert lines.returncode == 0, errors
    begin, *tasks, end = (json.loads(line) for line in said.splitlines())
    assert (begin["event"], begin["dag_id"]) == ("run", f"deploy__{rig.key}")
    assert (end["event"], end["outcome"]) == ("end", "released")
    assert end["seconds"] > 0
    ended = {task["task_id"]: task for task in tasks if task["seconds"] is not None}
    assert ended["smoke_test"]["state"] == "success"
    assert ended["smoke_test"]["seconds"] > 0
    assert ended["watch"]["state"] == "skipped"
    said, _ = plain.communicate(timeout=120)
    assert plain.returncode == 0
    assert "smoke_test\tsuccess\t" in said
    assert said.splitlines()[-1].startswith("released: ")

    lines = watch("--wait", "300", "--json")
    assert rig.deploy("raises", bias=2).outcome == "rolled_back"
    said, errors = lines.communicate(timeout=120)
    assert lines.returncode == 3, errors
    end = json.loads(said.splitlines()[-1])
    assert end["outcome"] == "rolled_back"
    assert "smoke_test" in end["reason"]


def test_what_cannot_be_followed_is_said(watch: Any) -> None:
    for arguments, environment, why in (
        ((), {}, "no deploy, rollback or teardown runs"),
        ((), {"AIRFLOW_PASSWORD": ""}, "found no login to Airflow"),
        ((), {"AIRFLOW_PASSWORD": "wrong"}, "answered 401"),
        (("--airflow", "http://127.0.0.1:9"), {}, "does not answer"),
    ):
        process = watch(*arguments, **environment)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 1, errors
        assert why in errors
        assert "Traceback" not in errors

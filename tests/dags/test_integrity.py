"""The DAG files as Airflow reads them: what they import, ask for, build and store."""

import json
import os
import pkgutil
import subprocess
import sys
from importlib import import_module
from inspect import isabstract, isclass, signature
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.sdk import DAG
from airflow.triggers.base import BaseTrigger

import endpoint_deploy.triggers
from tests.dag_bag import DagBag, DagSerialization

REPOSITORY = Path(__file__).parents[2]
DAGS = REPOSITORY / "dags"
EXAMPLES = REPOSITORY / "include" / "deployments"
KINDS = ("deploy", "rollback", "teardown", "freeze")
OPTIONAL = ("batch_transform", "retrain", "sentinel")  # where a spec has the section
DEPLOYMENTS = ("breast-cancer__demo", "diabetes__demo", "digits__demo")
# Seconds of import time and hundreds of megabytes, for every parse and every task.
HEAVY = {"great_expectations", "pandas", "numpy", "scipy", "sklearn", "sagemaker", "pyarrow"}
CANARY = "canary-9b1c44"


def parse(file: Path, **environment: str) -> dict[str, Any]:
    """What `parse.py` tells of a DAG file."""
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("parse.py"), file],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "ENDPOINT_DEPLOY_SPECS": str(EXAMPLES), **environment},
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_every_dag_file_is_known_here() -> None:
    assert {path.stem for path in DAGS.glob("*.py")} == {*KINDS, *OPTIONAL, "spec_errors"}


@pytest.mark.parametrize("kind", KINDS)
def test_parsing_asks_nobody_and_loads_nothing_heavy(kind: str) -> None:
    found = parse(DAGS / f"{kind}.py")
    assert found["errors"] == {}
    # Whoever follows the README has a deployment of their own beside the shipped ones.
    assert {f"{kind}__{key}" for key in DEPLOYMENTS} <= set(found["dags"])
    assert found["network"] == []
    assert HEAVY.isdisjoint(found["modules"])


def test_the_file_of_spec_errors_needs_no_operator() -> None:
    found = parse(DAGS / "spec_errors.py")
    assert (found["errors"], found["dags"], found["network"]) == ({}, [], [])
    assert HEAVY.isdisjoint(found["modules"])
    assert "botocore" not in found["modules"]


def test_the_network_guard_sees_a_connection(tmp_path: Path) -> None:
    file = tmp_path / "dag.py"
    file.write_text(
        "# airflow dag\nimport socket\n"
        "try:\n    socket.create_connection(('127.0.0.1', 9), 0.1)\nexcept OSError:\n    pass\n"
    )
    assert any("socket.connect" in asked for asked in parse(file)["network"])


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of specs with the examples' deployments, whose environment values are a canary."""
    for source in EXAMPLES.glob("*.yaml"):
        body = yaml.safe_load(source.read_text())
        body["model"]["environment"] = {"API_TOKEN": f"{CANARY}-model"}
        for variant in body["endpoint"]["variants"]:
            variant["environment"] = {**variant.get("environment", {}), "KEY": f"{CANARY}-variant"}
        if "retrain" in body:
            body["retrain"]["training"]["environment"] = {"API_TOKEN": f"{CANARY}-training"}
        (tmp_path / source.name).write_text(yaml.safe_dump(body))
    monkeypatch.setenv("ENDPOINT_DEPLOY_SPECS", str(tmp_path))
    return tmp_path


def built() -> dict[str, DAG]:
    """All DAGs, as the DAG processor builds them."""
    found: dict[str, DAG] = {}
    for kind in (*KINDS, *OPTIONAL):
        bag = DagBag(dag_folder=str(DAGS / f"{kind}.py"))
        assert bag.import_errors == {}
        found |= bag.dags
    return found


@pytest.fixture(name="dags")
def all_dags(own: Path) -> dict[str, DAG]:
    return built()


@pytest.mark.parametrize("kind", [*KINDS, "retrain"])
def test_a_task_run_builds_its_own_dag_only(kind: str, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A task's process finds the DAG it runs in these variables (airflow.sdk.get_parsing_context).
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", f"{kind}__digits__demo")
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "any")
    (own / "broken.yaml").write_text("name: [")
    assert list(built()) == [f"{kind}__digits__demo"]


def test_nothing_of_a_spec_s_environment_is_stored(dags: dict[str, DAG]) -> None:
    assert len(dags) >= len(KINDS) * len(DEPLOYMENTS)
    for dag in dags.values():
        stored = json.dumps(DagSerialization.to_dict(dag))
        assert "API_TOKEN" not in stored
        assert CANARY not in stored


def test_a_spec_stays_out_of_what_airflow_renders_and_logs(dags: dict[str, DAG]) -> None:
    tasks = [task for dag in dags.values() for task in dag.tasks]
    assert any(CANARY in str(vars(task)) for task in tasks)  # the canary is there to be found
    for task in tasks:
        assert CANARY not in repr(task)
        assert CANARY not in str({name: getattr(task, name) for name in task.template_fields})


def test_what_is_stored_by_class_path_can_be_imported(dags: dict[str, DAG]) -> None:
    for dag in dags.values():
        for task in DagSerialization.to_dict(dag)["dag"]["tasks"]:
            stored = task["__var"]
            assert isclass(getattr(import_module(stored["_task_module"]), stored["task_type"]))


def test_every_trigger_stores_the_path_it_lies_under() -> None:
    modules = [
        import_module(f"{endpoint_deploy.triggers.__name__}.{module.name}")
        for module in pkgutil.iter_modules(endpoint_deploy.triggers.__path__)
    ]
    triggers = [
        found
        for module in modules
        for found in vars(module).values()
        if isclass(found)
        and issubclass(found, BaseTrigger)
        and not isabstract(found)
        and found.__module__ == module.__name__
    ]
    assert len(triggers) >= 3
    for trigger in triggers:
        given = [name for name in _parameters(trigger) if name not in {"self", "settings"}]
        (path, arguments) = trigger(**dict.fromkeys(given, "x")).serialize()
        assert pkgutil.resolve_name(path) is trigger
        assert set(arguments) == set(given)


def _parameters(trigger: type[BaseTrigger]) -> set[str]:
    """What it takes, its base's settings among it."""
    own = set(signature(trigger.__init__).parameters)
    return own | _parameters(trigger.__bases__[0]) if "settings" in own else own

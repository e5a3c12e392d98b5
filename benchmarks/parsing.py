"""Parsing: what a full parse of the DAG file costs as deployments grow, and what a single task run pays.

Against dag-factory with an equal DAG for every deployment: as many tasks with the same dependencies (of
`EmptyOperator`, its cheapest), one YAML file each, one Python file that loads them all. Both are parsed by
Airflow's own `DagBag` in a process that has imported the libraries before the clock starts, as the DAG
processor and the workers have; memory is the resident memory that the parse adds. A task's own parse is the
same file with the parsing context that Airflow gives a worker, by which only the task's own DAG is built.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from benchmarks.peers import before_all_else, installed
from benchmarks.results import Result, growth
from local_stack.airflow_env import REGION, clean_environment, python_path
from local_stack.stack import DEFAULT_DAGS_DIR

SIZES = (100, 300, 1000)  # deployments
ROUNDS = 5
_PEER = "dag-factory with equal DAGs"
_EMPTY = "airflow.providers.standard.operators.empty.EmptyOperator"
_FLAT = 0.1  # an exponent: ten times the deployments take a task a quarter more
_DAG_FACTORY_FILE = """\
from airflow.sdk import DAG  # read by Airflow for these words: airflow, dag
from dagfactory import load_yaml_dags

load_yaml_dags(globals_dict=globals(), dags_folder={folder!r})
"""
Parses = list[dict[str, float]]


def run() -> list[Result]:
    """Every figure of parsing."""
    found: dict[tuple[int, str, str], Parses] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as name:
            world = _World(Path(name), size)
            for _ in range(ROUNDS):
                for who, what in (("ours", "full"), ("dag-factory", "full"), ("ours", "task")):
                    found.setdefault((size, who, what), []).append(world.parse(who, what))
        # It knows no parsing context: a task's run builds all DAGs there.
        found[size, "dag-factory", "task"] = found[size, "dag-factory", "full"]
    return list(_lines(found))


class _World:
    """The same deployments for both: specs, and dag-factory's YAML of the DAGs that these make."""

    def __init__(self, directory: Path, size: int) -> None:
        self._size = size
        self._specs = directory / "specs"
        self._specs.mkdir()
        (self._specs / "numbers.json").write_text("[1.0]")
        self._airflow_home = directory / "airflow"
        self._file = {"ours": DEFAULT_DAGS_DIR / "deploy.py", "dag-factory": directory / "peer" / "peer.py"}
        for name in (f"bench-{number:04}" for number in range(size)):
            (self._specs / f"{name}.yaml").write_text(yaml.safe_dump(_spec(name)))
        folder = directory / "peer" / "yaml"
        folder.mkdir(parents=True)
        self._file["dag-factory"].write_text(_DAG_FACTORY_FILE.format(folder=str(folder)))
        tasks = self._run("ours", "tasks", f"deploy__bench-{0:04}__prod")
        for number in range(size):
            dag_id = f"deploy__bench-{number:04}__prod"
            (folder / f"{number:04}.yml").write_text(yaml.safe_dump({dag_id: _dag(tasks)}))

    def parse(self, who: str, what: str) -> dict[str, float]:
        """Seconds and added MiB of one parse in a process of its own; raises where DAGs are missing."""
        wanted = f"deploy__bench-{self._size - 1:04}__prod" if what == "task" else ""
        said: dict[str, float] = self._run(who, "parse", wanted)
        expected = 1 if what == "task" else self._size
        if said["dags"] != expected:
            raise RuntimeError(f"{who}, {what}: expected {expected} DAGs, found {said}")
        return said

    def _run(self, who: str, command: str, dag_id: str) -> Any:
        environment = {
            **clean_environment(os.environ),
            "PYTHONPATH": python_path(os.environ),
            "AIRFLOW_HOME": str(self._airflow_home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "600",
            "ENDPOINT_DEPLOY_SPECS": str(self._specs),
        }
        if who == "dag-factory":
            environment = before_all_else(installed("dag-factory"), environment)
        module = [sys.executable, "-m", "benchmarks.parsing_bag"]
        done = subprocess.run(
            [*module, who, command, str(self._file[who]), dag_id],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{who}: {done.stderr[-3000:]}")
        return json.loads(done.stdout.splitlines()[-1])


def _spec(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "environment": "prod",
        "description": f"Scores of {name}",
        "owner": "ml-platform",
        "aws": {
            "region": REGION,
            "role_arn": "arn:aws:iam::123456789012:role/sagemaker-execution",
            "store": "s3://ml-platform/endpoint-deploy",
        },
        "model": {
            "artifact": f"s3://ml-platform/models/{name}/model.tar.gz",
            "image": {"framework": "sklearn", "version": "1.2-1"},
        },
        "endpoint": {"variants": [{"instance_type": "ml.m5.large"}]},
        "smoke_tests": [{"name": "numbers", "payload": "numbers.json"}],
    }


def _dag(tasks: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "default_args": {"owner": "ml-platform", "start_date": "2024-01-01", "retries": 2},
        "schedule": None,
        "catchup": False,
        "max_active_runs": 1,
        "tasks": [
            {"task_id": task, "operator": _EMPTY, "dependencies": upstream}
            for task, upstream in tasks.items()
        ],
    }


def _lines(found: dict[tuple[int, str, str], Parses]) -> Iterator[Result]:
    def middle(size: int, who: str, what: str, key: str) -> float:
        return median(each[key] for each in found[size, who, what])

    names = {"full": "full parse", "task": "what a task run parses"}
    for what, name in names.items():
        for size in SIZES:
            for key, label, unit in (("seconds", "", "s"), ("mib", ": memory added", "MiB")):
                ours, theirs = (middle(size, who, what, key) for who in ("ours", "dag-factory"))
                at_goal = 1.0 if size == SIZES[-1] else None
                line = f"{name}, {size:,} deployments{label}"
                yield Result(line, ours, theirs, unit, _PEER, at_goal, at_least=False)
    full, task = ([middle(size, "ours", what, "seconds") for size in SIZES] for what in ("full", "task"))
    memory = [middle(size, "ours", "full", "mib") for size in SIZES]
    yield growth("a full parse's seconds with the deployments", SIZES, full)
    yield growth("a full parse's memory with the deployments", SIZES, memory)
    yield growth("a task run's seconds of parsing with the deployments", SIZES, task, _FLAT)

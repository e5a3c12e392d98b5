"""A release's own cost: from the trigger to the outcome, with endpoints that are there at once.

Against the amazon provider's plain chain (model, configuration, endpoint, sensor), which validates, proves,
records and rolls back nothing, in the same running Airflow; and against the floor, a boto3 script that makes
the plain chain's calls and polls. One of each comes after the other, round by round: *first* makes an
endpoint, *update* changes it by one update (`direct`, which is what the plain chain does), *staged* puts the
candidate beside the champion first, which is two updates. Growth is that of releases side by side, each of an
endpoint of its own, against as many runs of the plain chain.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.release_world import IMAGE, ROLE, Deployments
from benchmarks.results import Result, growth
from local_stack.stack import DEFAULT_DAGS_DIR, Stack, running_stack

ROUNDS = 5
TOGETHER = (1, 2, 4)
ROUNDS_TOGETHER = 3  # of a growth, and no goal
GOAL = 1.5
_TIME_SCALE = 1000.0  # an endpoint is up once its program is
_PATIENCE = 300.0
_PLAIN = Path(__file__).with_name("release_dags.py")
_CHAIN = "the provider's plain chain on the same Airflow"
Seconds = list[float]


def run() -> list[Result]:
    """Every figure of a release's cost."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)  # as root, PostgreSQL's own user must be able to enter
        (directory / "specs").mkdir()
        shutil.copytree(DEFAULT_DAGS_DIR, directory / "dags")
        shutil.copy(_PLAIN, directory / "dags" / "plain.py")
        with running_stack(
            directory / "state",
            specs_dir=directory / "specs",
            dags_dir=directory / "dags",
            time_scale=_TIME_SCALE,
        ) as stack:
            return _Measurement(stack).results()


class _Measurement:
    """All rounds in one stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._deployments = Deployments(stack)
        self._number = 0

    def results(self) -> list[Result]:
        """The rounds, then the lines."""
        names = {strategy: f"bench-{strategy}" for strategy in ("direct", "staged")}
        for strategy, name in names.items():
            self._deployments.add(name, strategy)
        together = [f"bench-side-{number}" for number in range(max(TOGETHER))]
        for name in together:
            self._deployments.add(name, "direct")
        self._stack.airflow.wait_for_dag("plain_chain", seconds=_PATIENCE)
        for name in (*names.values(), *together):
            self._stack.airflow.wait_for_dag(f"deploy__{name}__bench", seconds=_PATIENCE)
        self._warm_up(names["staged"])
        found: dict[str, Seconds] = {}

        def measure(what: str, seconds: Callable[[], float]) -> None:
            found.setdefault(what, []).append(seconds())

        for _ in range(ROUNDS):
            measure("plain, first", lambda: self._plain(["plain"])[0])
            measure("plain, update", lambda: self._plain(["plain"])[0])
            measure("floor, first", lambda: self._floor("floor"))
            measure("floor, update", lambda: self._floor("floor"))
            measure("first", lambda: self._ours([names["direct"]])[0])
            measure("update", lambda: self._ours([names["direct"]])[0])
            measure("staged", lambda: self._ours([names["staged"]])[0])
            self._deployments.remove("plain", "floor", names["direct"])
        ours_by_size, plain_by_size = [], []
        for size in TOGETHER:
            ours, plain = [], []
            for _ in range(ROUNDS_TOGETHER):
                plain.append(max(self._plain([f"plain-{n}" for n in range(size)])))
                ours.append(max(self._ours(together[:size])))
            ours_by_size.append(median(ours))
            plain_by_size.append(median(plain))
        return [*_lines(found), *_side_by_side(ours_by_size, plain_by_size)]

    def _warm_up(self, name: str) -> None:
        """Airflow's first tasks compile and import what later ones find; a first release, to be updated."""
        self._plain(["warm-up"])
        self._ours([name])

    def _ours(self, names: list[str]) -> Seconds:
        """Seconds of a release of a model that is new, of each of the deployments at once."""
        artifacts = {name: self._artifact() for name in names}
        runs = {
            name: self._stack.airflow.trigger(f"deploy__{name}__bench", {"artifact": artifact})
            for name, artifact in artifacts.items()
        }
        return [self._took(f"deploy__{name}__bench", run_id) for name, run_id in runs.items()]

    def _plain(self, endpoints: list[str]) -> Seconds:
        """Seconds of the plain chain for each of the endpoints at once."""
        confs = [{**self._names(), "endpoint": endpoint} for endpoint in endpoints]
        runs = [self._stack.airflow.trigger("plain_chain", conf) for conf in confs]
        return [self._took("plain_chain", run_id) for run_id in runs]

    def _floor(self, endpoint: str) -> float:
        """Seconds of the plain chain's calls alone."""
        names, sagemaker = self._names(), self._stack.client("sagemaker")
        began = time.perf_counter()
        container = {"Image": names["image"], "ModelDataUrl": names["artifact"]}
        sagemaker.create_model(
            ModelName=names["name"], ExecutionRoleArn=names["role"], PrimaryContainer=container
        )
        variant = {"VariantName": "main", "ModelName": names["name"], "InstanceType": "ml.m5.large"}
        sagemaker.create_endpoint_config(
            EndpointConfigName=names["name"], ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
        )
        known = sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"]
        change = sagemaker.update_endpoint if known else sagemaker.create_endpoint
        change(EndpointName=endpoint, EndpointConfigName=names["name"])
        while sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] != "InService":
            time.sleep(0.05)
        return time.perf_counter() - began

    def _names(self) -> dict[str, str]:
        artifact = self._artifact()
        return {"name": f"plain-{self._number}", "artifact": artifact, "image": IMAGE, "role": ROLE}

    def _artifact(self) -> str:
        self._number += 1
        return self._deployments.upload(self._number)

    def _took(self, dag_id: str, run_id: str) -> float:
        """Seconds from the trigger to the run's end, by Airflow's own record; raises where it failed."""
        airflow = self._stack.airflow
        state = airflow.wait(dag_id, run_id, seconds=_PATIENCE)
        run = next(each for each in airflow.runs(dag_id) if each["dag_run_id"] == run_id)
        if state != "success":
            tasks = {task["task_id"]: task["state"] for task in airflow.task_instances(dag_id, run_id)}
            raise RuntimeError(f"{run_id} of {dag_id} ended {state}: {json.dumps(tasks)}")
        return (_when(run, "end_date") - _when(run, "queued_at")).total_seconds()


def _when(run: dict[str, Any], key: str) -> datetime:
    return datetime.fromisoformat(run[key])


def _lines(found: dict[str, Seconds]) -> list[Result]:
    middle = {what: median(seconds) for what, seconds in found.items()}
    against = {"first": "first", "update": "update", "staged": "update"}
    lines = []
    for what, plain in against.items():
        ours = middle[what]
        name = f"release: {what}"
        chain = Result(name, ours, middle[f"plain, {plain}"], "s", _CHAIN, GOAL, at_least=False)
        floor = Result(name, ours, middle[f"floor, {plain}"], "s", "the floor: boto3 alone", at_least=False)
        lines += [chain, floor]
    return lines


def _side_by_side(ours: Seconds, plain: Seconds) -> list[Result]:
    lines = [
        Result(f"release: {size} side by side", mine, theirs, "s", _CHAIN, at_least=False)
        for size, mine, theirs in zip(TOGETHER, ours, plain, strict=True)
    ]
    return [*lines, growth("a release's seconds with releases side by side", TOGETHER, ours)]

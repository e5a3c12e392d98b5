"""Retrainings by a real scheduler and triggerer: started, registered and released with nobody touching."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from local_stack.stack import Stack
from tests.e2e.live import LiveRig, get, until
from tests.retrain.rig import Retraining

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

_TRIGGER = "endpoint_deploy.triggers.job_settled.JobSettledTrigger"


@pytest.fixture
def retrained(deployment: Callable[..., LiveRig]) -> Callable[..., Retraining]:
    """Make deployments with a retrain DAG that Airflow has listed."""

    def make(**retrain: Any) -> Retraining:
        rig = deployment()
        made = Retraining(rig)
        made.held_out()
        made.data("1.csv", 1.0)
        made.spec(retrain)
        rig.airflow.parse_file_of(rig.dag_id())  # it has to learn of the registry
        rig.airflow.wait_for_dag(rig.dag_id("retrain"), seconds=120)
        return made

    return make


def runs(rig: LiveRig, kind: str, type_: str) -> list[str]:
    """Ids of the runs that Airflow itself has started so, the oldest first."""
    found = get(rig.stack, f"/dags/{rig.dag_id(kind)}/dagRuns?order_by=run_after")["dag_runs"]
    return [run["dag_run_id"] for run in found if run["run_type"] == type_]


def live(retraining: Retraining) -> LiveRig:
    assert isinstance(retraining.rig, LiveRig)
    return retraining.rig


def test_new_files_become_a_model_in_production_with_nobody_touching(
    retrained: Callable[..., Retraining], tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    retraining = retrained(
        on_new_data=True, poll_seconds=0.5, training={"hyperparameters": {"gate": str(gate)}}
    )
    rig = live(retraining)
    (run_id,) = until(lambda: runs(rig, "retrain", "asset_triggered"), "the watcher starts a retraining")

    def deferred() -> dict[str, Any] | None:
        task = rig.task(run_id, "train", "retrain")
        return task if task["state"] == "deferred" and task["triggerer_job"] else None

    waiting = until(deferred, "a triggerer has taken train")
    assert waiting is not None
    assert waiting["trigger"]["classpath"] == _TRIGGER
    gate.touch()
    run = rig.end(run_id, "retrain")
    assert (run.state, run.outcome) == ("success", "registered"), run
    resumed = rig.task(run_id, "train", "retrain")
    assert (resumed["state"], resumed["try_number"]) == ("success", 1)  # resumed, not tried again

    released(retraining, 1)
    assert [round(said, 3) for said in rig.predict()] == [2.0, 3.0, 4.0]

    # A second file, and the same again: compared with what serves by now.
    retraining.data("2.csv", 0.9)
    until(lambda: len(retraining.records()) == 2, "the new file has been trained on")
    record = retraining.records()[1]
    assert record["outcome"] == "registered", record
    assert record["metrics"]["champion"]["release"] == 1
    assert record["data"]["rows"] == 40
    released(retraining, 2)
    assert [round(said, 3) for said in rig.predict()] == [1.95, 2.95, 3.95]
    assert len(runs(rig, "retrain", "asset_triggered")) == 2
    assert len(runs(rig, "deploy", "asset_triggered")) == 2


def released(retraining: Retraining, count: int) -> None:
    """The deploy DAG has started by itself and released exactly the newest package."""
    rig = live(retraining)
    until(lambda: len(rig.ledger()) == count, f"release {count} is recorded")
    release, package = rig.ledger()[-1], retraining.packages()[-1]
    assert release["outcome"] == "released", release
    assert release["run"]["run_type"] == "asset_triggered"
    assert release["model_package"] == package["ModelPackageArn"]
    assert release["artifact_sha256"] == retraining.records()[-1]["candidate_sha256"]


def test_cron_starts_a_retraining_and_without_new_data_it_ends_at_once(
    retrained: Callable[..., Retraining],
) -> None:
    retraining = retrained(schedule="@yearly")
    rig = live(retraining)
    # Airflow makes up for the last time that cron has passed.
    (run_id,) = until(lambda: runs(rig, "retrain", "scheduled"), "cron has started a retraining")
    assert rig.end(run_id, "retrain").outcome == "registered"
    assert rig.run("retrain").outcome == "nothing_new"
    assert len(retraining.packages()) == 1
    assert len(retraining.jobs("training")) == 1


# In the middle of which call each task's process is killed.
_KILLED = {
    "select_data": ("SelectDataOperator", "s3", "PutObject"),
    "check_data": ("CheckDataOperator", "s3", "PutObject"),
    "train": ("TrainOperator", "sagemaker", "CreateTrainingJob"),
    "validate_candidate": ("ValidateCandidateOperator", "s3", "*"),
    "evaluate": ("EvaluateOperator", "sagemaker", "CreateProcessingJob"),
    "gate_metrics": ("GateMetricsOperator", "s3", "PutObject"),
    "register": ("RegisterOperator", "sagemaker", "CreateModelPackage"),
    "record_retrain": ("RecordRetrainOperator", "s3", "PutObject"),
}


def test_every_task_s_process_killed_once_makes_one_package_of_one_job(
    retrained: Callable[..., Retraining], stack: Stack
) -> None:
    retraining = retrained()
    rig = live(retraining)
    url = f"{stack.sagemaker_url}/_local/faults"
    held = {}
    for task, (caller, service, operation) in _KILLED.items():
        rule = {"fault": "delay", "delay": 600, "effect_first": True, "count": 1}
        matches = {"service": service, "operation": operation, "user_agent": f"*Caller/{caller} *"}
        answer = httpx.post(url, json={**rule, **matches})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        held[task] = f"{url}/{answer.json()['faults'][0]['id']}"
    try:
        run_id = rig.start("retrain")
        for task, fault in held.items():
            until(lambda fault=fault: httpx.get(fault).json()["hits"], f"{task} waits for its answer")
            os.kill(rig.task(run_id, task, "retrain")["pid"], signal.SIGKILL)
        run = rig.end(run_id, "retrain")
    finally:
        for fault in held.values():
            httpx.delete(fault)
    assert (run.state, run.outcome) == ("success", "registered"), run
    tries = {task: rig.task(run_id, task, "retrain")["try_number"] for task in _KILLED}
    assert set(tries.values()) == {2}, tries
    assert [len(retraining.jobs(kind)) for kind in ("training", "processing")] == [1, 1]
    (package,), (record,) = retraining.packages(), retraining.records()
    assert record["package"]["arn"] == package["ModelPackageArn"]
    released(retraining, 1)

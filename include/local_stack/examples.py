"""The shipped examples: two deployed as they are, and one whose data start its own retraining."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from local_stack import training_data
from local_stack.runs import Runs
from local_stack.seed import MODELS, seed_examples
from local_stack.stack import Progress, Stack

ENVIRONMENT = "demo"  # in each of the examples' specs
_PAYLOADS = {"breast-cancer": "malignant.json", "diabetes": "single.json"}
_DEPLOYED_SECONDS = 300.0
_STARTS_SECONDS = 60.0


@dataclass(frozen=True)
class DeployedExample:
    """An example's endpoint, what came of its release, and a request it answers."""

    endpoint: str
    outcome: str
    payload: Path


@dataclass(frozen=True)
class RegisteredExample:
    """What came of the first retraining of an example, and the status of the model package it has made."""

    endpoint: str
    outcome: str
    status: str | None


def deploy_examples(stack: Stack, on_progress: Progress) -> list[DeployedExample]:
    """Deploy what each example's spec names, all at once, and wait for all of them.

    The data for `await_registered` are put there first: that retraining runs meanwhile.

    Raises `AirflowApiError` where a DAG is not listed or a run does not end; where a run fails, its outcome
    says so.
    """
    on_progress("the training of the example models")
    training_data.seed_training_data(stack.client("s3"))
    with tempfile.TemporaryDirectory() as workdir:
        seed_examples(stack.client("s3"), Path(workdir))
    runs = {}
    for name in _PAYLOADS:
        dag_id = f"deploy__{name}__{ENVIRONMENT}"
        on_progress(f"Airflow to list {dag_id}")
        stack.airflow.wait_for_dag(dag_id)
        runs[name] = dag_id, stack.airflow.trigger(dag_id, {"reason": "make up"})
    deployed = []
    for name, (dag_id, run_id) in runs.items():
        on_progress(f"{dag_id} to finish")
        stack.airflow.wait(dag_id, run_id, seconds=_DEPLOYED_SECONDS)
        outcome = stack.airflow.xcom(dag_id, run_id, "outcome")["outcome"]
        payload = MODELS / name / "payloads" / _PAYLOADS[name]
        deployed.append(DeployedExample(f"{name}-{ENVIRONMENT}", outcome, payload))
    return deployed


def await_registered(stack: Stack, on_progress: Progress) -> RegisteredExample:
    """Wait for the retraining that the first week's data have started, now or when they first came.

    Raises `AirflowApiError` where none starts, or it does not end.
    """
    name = training_data.NAME
    dag_id, runs = f"retrain__{name}__{ENVIRONMENT}", Runs(stack.airflow)
    on_progress(f"{dag_id} to register a first model")
    stack.airflow.wait_for_dag(dag_id)
    run_id = runs.await_new(dag_id, frozenset(), seconds=_STARTS_SECONDS)
    runs.await_end(dag_id, run_id, seconds=_DEPLOYED_SECONDS)
    outcome = runs.outcome(dag_id, run_id)
    status = None
    if package := outcome["model_package"]:
        described = stack.client("sagemaker").describe_model_package(ModelPackageName=package)
        status = described["ModelApprovalStatus"]
    return RegisteredExample(f"{name}-{ENVIRONMENT}", outcome["outcome"], status)

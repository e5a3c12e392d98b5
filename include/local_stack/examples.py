"""The shipped examples, trained, put into S3 and deployed through Airflow."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from local_stack.seed import MODELS, seed_examples
from local_stack.stack import Progress, Stack

ENVIRONMENT = "demo"  # in each of the examples' specs
_PAYLOADS = {"breast-cancer": "malignant.json", "diabetes": "single.json"}
_DEPLOYED_SECONDS = 300.0


@dataclass(frozen=True)
class DeployedExample:
    """An example's endpoint, what came of its release, and a request it answers."""

    endpoint: str
    outcome: str
    payload: Path


def deploy_examples(stack: Stack, on_progress: Progress) -> list[DeployedExample]:
    """Deploy what each example's spec names, all at once, and wait for all of them.

    Raises `AirflowApiError` where a DAG is not listed or a run does not end; where a run fails, its outcome
    says so.
    """
    on_progress("the training of the example models")
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

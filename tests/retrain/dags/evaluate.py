"""DAGs for each deployment: to evaluate a given candidate, gate a given evaluation, register what passed."""

from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.dag_builders.chain import make_dag
from endpoint_deploy.dag_builders.specs import deployments
from endpoint_deploy.operators.evaluate import EvaluateOperator
from endpoint_deploy.operators.gate_metrics import GateMetricsOperator
from endpoint_deploy.operators.register import RegisterOperator


def given(task_id: str) -> Any:
    """A task whose result is the run's parameter of its name."""

    @task(task_id=task_id)
    def give() -> dict[str, Any] | None:
        found: dict[str, Any] | None = get_current_context()["params"][task_id]
        return found

    return give()


def evaluating(deployment: Deployment) -> DAG:
    """Candidate, evaluation, gate."""
    with make_dag("evaluate", deployment, params={"validate_candidate": Param(None)}, doc="") as dag:
        (
            given("validate_candidate")
            >> EvaluateOperator(task_id="evaluate", deployment=deployment)
            >> GateMetricsOperator(task_id="gate_metrics", deployment=deployment)
        )
    return dag


def gating(deployment: Deployment) -> DAG:
    """Evaluation, gate."""
    with make_dag("gate", deployment, params={"evaluate": Param(None)}, doc="") as dag:
        given("evaluate") >> GateMetricsOperator(task_id="gate_metrics", deployment=deployment)
    return dag


def registering(deployment: Deployment) -> DAG:
    """What the tasks before it have found, and register."""
    before = ("select_data", "train", "validate_candidate", "evaluate", "gate_metrics")
    with make_dag("register", deployment, params={name: Param(None) for name in before}, doc="") as dag:
        [given(name) for name in before] >> RegisterOperator(task_id="register", deployment=deployment)
    return dag


for each in deployments():
    globals()[f"evaluate__{each.key}"] = evaluating(each)
    globals()[f"gate__{each.key}"] = gating(each)
    globals()[f"register__{each.key}"] = registering(each)

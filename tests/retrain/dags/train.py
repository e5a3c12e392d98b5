"""A DAG for each deployment that trains on what its run is given."""

from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.dag_builders.chain import make_dag
from endpoint_deploy.dag_builders.specs import deployments
from endpoint_deploy.operators.train import TrainOperator
from endpoint_deploy.operators.tune import TuneOperator


@task
def select_data() -> dict[str, Any] | None:
    """What the run is to be trained on."""
    selected: dict[str, Any] | None = get_current_context()["params"]["training_set"]
    return selected


def build(deployment: Deployment) -> DAG:
    """One task that selects, one that trains."""
    retrain = deployment.spec.retrain
    params = {name: Param(None) for name in ("training_set", "hyperparameters", "model_package")}
    with make_dag("train", deployment, params=params, doc="") as dag:
        operator = TuneOperator if retrain and retrain.tuning else TrainOperator
        select_data() >> operator(task_id="train", deployment=deployment, trigger_rule="none_failed")
    return dag


for each in deployments():
    globals()[f"train__{each.key}"] = build(each)

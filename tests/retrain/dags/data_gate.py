"""A DAG for each deployment that selects its training data and judges them."""

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk import DAG, Param, get_current_context, task

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.dag_builders.chain import make_dag
from endpoint_deploy.dag_builders.specs import deployments
from endpoint_deploy.operators.check_data import CheckDataOperator
from endpoint_deploy.operators.select_data import SelectDataOperator

_FORM = ("window", "hyperparameters", "model_package", "accept_drift", "force", "overwritten")


@task(trigger_rule="none_failed")
def meanwhile() -> None:
    """Somebody writes another file where a selected one lies, if the run's form names one."""
    if key := get_current_context()["params"]["overwritten"]:
        bucket, _, path = key.removeprefix("s3://").partition("/")
        S3Hook().load_string("a,target\n1,0\n", path, bucket, replace=True)


def build(deployment: Deployment) -> DAG:
    """The data side of a retraining."""
    params = {name: Param(None) for name in _FORM}
    with make_dag("data", deployment, params=params, doc="") as dag:
        check = CheckDataOperator(task_id="check_data", deployment=deployment, trigger_rule="none_failed")
        SelectDataOperator(task_id="select_data", deployment=deployment) >> meanwhile() >> check
    return dag


for each in deployments():
    globals()[f"data__{each.key}"] = build(each)

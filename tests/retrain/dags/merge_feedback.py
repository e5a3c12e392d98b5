"""A DAG for each deployment that merges its feedback."""

from airflow.sdk import DAG

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.dag_builders.chain import make_dag
from endpoint_deploy.dag_builders.specs import deployments
from endpoint_deploy.operators.merge_feedback import MergeFeedbackOperator


def build(deployment: Deployment) -> DAG:
    """The one task."""
    with make_dag("merge_feedback", deployment, params={}, doc="") as dag:
        MergeFeedbackOperator(task_id="merge_feedback", deployment=deployment)
    return dag


for each in deployments():
    globals()[f"merge_feedback__{each.key}"] = build(each)

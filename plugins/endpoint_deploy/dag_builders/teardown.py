"""The teardown DAG of a deployment."""

from airflow.sdk import DAG, Param

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.dag_builders.chain import REASON, make_dag
from endpoint_deploy.dag_builders.on_call import ON_CALL
from endpoint_deploy.operators.teardown import TeardownOperator


def build_teardown_dag(deployment: Deployment) -> DAG:
    """Delete the endpoint and what only it used, once its name was typed in."""
    spec = deployment.spec
    doc = (
        f"Deletes endpoint **{spec.endpoint_name}**, and the models and configurations made for it. "
        "Pinned artifacts and the ledger stay. There is no way back but a new release.\n\nA run that fails "
        "has deleted nothing, or a part: the log of its task says what. Cleared, it goes on where it stopped."
    )
    params = {
        "confirm": Param(
            "",
            type="string",
            title="Endpoint's name",
            description=f"Type {spec.endpoint_name} to confirm; left empty, nothing is deleted.",
            pattern=f"^({spec.endpoint_name})?$",  # letters, digits and hyphens
            maxLength=63,
        ),
        "reason": REASON,
    }
    with make_dag("teardown", deployment, params=params, doc=doc) as dag:
        TeardownOperator(task_id="teardown", deployment=deployment, doc_md=ON_CALL["teardown"])
    return dag

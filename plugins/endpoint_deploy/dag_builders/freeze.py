"""The freeze DAG of a deployment."""

from airflow.sdk import DAG, Param

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.dag_builders.chain import make_dag
from endpoint_deploy.dag_builders.on_call import ON_CALL
from endpoint_deploy.operators.freeze import FREEZE, THAW, FreezeOperator


def build_freeze_dag(deployment: Deployment) -> DAG:
    """Hold the deployment's releases from now on, or let them go on."""
    spec = deployment.spec
    doc = (
        f"Freezes endpoint **{spec.endpoint_name}**: its releases are held, with the reason given here, "
        "until it is thawed or the time has come. A release that is already changing the endpoint goes on. "
        "The rollback DAG, and the way back of a release, are always open."
    )
    params = {
        "action": Param(
            FREEZE, type="string", enum=[FREEZE, THAW], title="Action", description="What to do."
        ),
        "reason": Param(
            None,
            type=["null", "string"],
            title="Reason",
            description="Why: shown wherever a release is held. Needed to freeze.",
            maxLength=500,
        ),
        "until": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Until",
            description="When the freeze ends by itself; empty: when somebody thaws it.",
        ),
    }
    with make_dag("freeze", deployment, params=params, doc=doc) as dag:
        FreezeOperator(task_id="freeze", deployment=deployment, doc_md=ON_CALL["freeze"])
    return dag

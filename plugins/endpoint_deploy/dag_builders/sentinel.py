"""The sentinel DAG of a deployment: what has to be looked after between releases."""

from airflow.sdk import DAG

from endpoint_deploy.airflow_versions import MultipleCronTriggerTimetable
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.dag_builders.chain import Schedule, make_dag
from endpoint_deploy.dag_builders.on_call import ON_CALL
from endpoint_deploy.operators.check_live import CheckLiveOperator
from endpoint_deploy.operators.housekeep import HousekeepOperator


def build_sentinel_dag(deployment: Deployment) -> DAG | None:
    """The check of what is live, and housekeeping; no DAG where the spec asks for neither."""
    spec = deployment.spec
    if spec.sentinel is None and spec.retention is None:
        return None
    with make_dag("sentinel", deployment, params={}, doc=_doc(spec), schedule=_schedule(spec)) as dag:
        # Side by side: what is wrong with an endpoint keeps nothing from being cleaned up.
        if spec.sentinel:
            CheckLiveOperator(task_id="check_live", deployment=deployment, doc_md=ON_CALL["check_live"])
        if spec.retention:
            HousekeepOperator(task_id="housekeeping", deployment=deployment, doc_md=ON_CALL["housekeeping"])
    return dag


def _schedule(spec: DeploymentSpec) -> Schedule:
    crons = {section.schedule for section in (spec.sentinel, spec.retention) if section}
    if len(crons) == 1:
        return crons.pop()
    return MultipleCronTriggerTimetable(*sorted(crons), timezone="UTC")


def _doc(spec: DeploymentSpec) -> str:
    said = []
    if spec.sentinel:
        said.append(
            f"Checks that endpoint **{spec.endpoint_name}** is as it was released, and that its instances "
            "could be started again. A run fails for as long as anything is wrong; each thing is notified of "
            "once."
        )
    if spec.retention:
        said.append(
            f"Keeps the newest {spec.retention.releases} good releases of endpoint **{spec.endpoint_name}** "
            "restorable, and deletes what carries the pipeline's tags and nothing kept refers to. The ledger "
            "and the reports stay."
        )
    return "\n\n".join(said)

"""What each task says to the person on call, by task id: Airflow shows it on the task."""

from endpoint_deploy.dag_builders.on_call.batch import BATCH
from endpoint_deploy.dag_builders.on_call.release import RELEASE
from endpoint_deploy.dag_builders.on_call.retrain import RETRAIN
from endpoint_deploy.dag_builders.on_call.upkeep import UPKEEP

ON_CALL = {
    task_id: doc.markdown for docs in (RELEASE, BATCH, RETRAIN, UPKEEP) for task_id, doc in docs.items()
}

"""Whether the deployment is frozen or out of its change window, for tasks that change nothing then."""

from airflow.sdk import timezone

from endpoint_deploy.aws.freezes import Freezes
from endpoint_deploy.core.standstill import Standstill, standstill
from endpoint_deploy.task_base import ReleaseTask


def standstill_of(task: ReleaseTask) -> Standstill | None:
    """Why nothing may be changed now; None where it may. One GetObject."""
    spec = task.spec
    freeze = Freezes(task.hook.s3, spec.aws.store, spec.endpoint_name).read()
    return standstill(spec.changes, freeze, timezone.utcnow())

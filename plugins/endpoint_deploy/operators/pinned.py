"""What keeps a run's pinned archive where it is, and notices where it is not."""

from airflow.sdk import Context

from endpoint_deploy.artifacts.s3 import is_there
from endpoint_deploy.aws.holds import Holds
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.errors import NotAsPlanned
from endpoint_deploy.run_context import holder_of
from endpoint_deploy.task_base import ReleaseTask


def keep(task: ReleaseTask, context: Context, sha256: str) -> None:
    """Keep housekeeping from an archive for as long as this run lives; without retention there is none."""
    if task.spec.retention is not None:
        holds = Holds(task.hook.s3, task.spec.aws.store, task.spec.endpoint_name)
        holds.keep(holder_of(context), sha256)


def check_there(task: ReleaseTask, candidate: Candidate, *, pinned_by: str) -> None:
    """Raise NotAsPlanned where the pinned archive is gone since the task `pinned_by` has pinned it."""
    if not is_there(task.hook.s3, candidate.pinned):
        raise NotAsPlanned(f"{candidate.pinned} is gone since it was pinned; clear from `{pinned_by}`")

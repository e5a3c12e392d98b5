"""Describing and stopping jobs of every kind."""

from typing import Any

from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.core.jobs import PREFIXES, Job, JobKind, job_view

OPERATIONS: dict[JobKind, str] = {
    "training": "training_job",
    "tuning": "hyper_parameter_tuning_job",
    "processing": "processing_job",
    "transform": "transform_job",
}


def find_job(client: Any, kind: JobKind, name: str) -> Job | None:
    """Describe a job by SageMaker's `client`; None where there is none."""
    try:
        return job_view(kind, _call(client, "describe", kind, name))
    except ClientError as error:
        if errors.is_absent(error):
            return None
        raise


def stop_job(client: Any, kind: JobKind, name: str) -> bool:
    """Ask a job to stop; False where there is none, or it is over already."""
    try:
        _call(client, "stop", kind, name)
    except ClientError as error:
        if errors.is_absent(error) or errors.is_over(error):
            return False
        raise
    return True


def _call(client: Any, verb: str, kind: JobKind, name: str) -> Any:
    return getattr(client, f"{verb}_{OPERATIONS[kind]}")(**{f"{PREFIXES[kind]}Name": name})

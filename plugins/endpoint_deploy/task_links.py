"""Links that Airflow shows on a task, right on AWS and for a local endpoint.

They are made on the worker once the task has run, also after a failure, and kept as XComs, from which the API
server draws them.
"""

import logging
from abc import abstractmethod
from typing import Any

from airflow.sdk import BaseOperatorLink

from endpoint_deploy.links import (
    airflow_url,
    alarms_url,
    endpoint_url,
    job_logs_url,
    job_url,
    logs_url,
    object_url,
    page_path,
)

DATA_DOCS = "data_docs_url"  # the XCom under which a task leaves its link
_log = logging.getLogger(__name__)


class TaskLink(BaseOperatorLink):
    """A link on one of our tasks. A subclass writes `address`; where that fails there is no link."""

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The address; empty where there is nothing to link. ti_key: on a worker, the task instance."""
        try:
            return self.address(operator, ti_key) or ""
        except Exception as error:  # neither a connection that is wrong nor Airflow may fail a task by a link
            _log.warning("no link %r: %s", self.name, type(error).__name__)
            return ""

    @abstractmethod
    def address(self, task: Any, ti: Any) -> str | None:
        """Where the link leads; None where there is nothing to link."""


class DataDocsLink(TaskLink):
    """The Great Expectations report of what this task judged."""

    name = "Data Docs"

    def address(self, task: Any, ti: Any) -> str | None:
        """What the task has left, if it judged anything."""
        found = ti.xcom_pull(task_ids=ti.task_id, key=DATA_DOCS)
        return str(found) if found else None


class EndpointPageLink(TaskLink):
    """The deployment among the pages in Airflow."""

    name = "Endpoint"

    def address(self, task: Any, ti: Any) -> str:
        """Without a host where Airflow does not know its own address; a browser takes the one it is at."""
        return f"{airflow_url() or ''}{page_path(task.spec.key)}"


class ReleasePageLink(TaskLink):
    """The release in the ledger, once the run has one, among the pages in Airflow."""

    name = "Release"

    def address(self, task: Any, ti: Any) -> str | None:
        """By the number that this task, or the one it repeats, has returned."""
        recorded_by = getattr(task, "recorded_by", ti.task_id)
        number = (ti.xcom_pull(task_ids=recorded_by) or {}).get("release")
        return f"{airflow_url() or ''}{page_path(task.spec.key, number)}" if number else None


class AwsLink(TaskLink):
    """A link whose address the task's client knows. A task that has asked AWS nothing has none.

    Making a client takes longer than all else that a skipped task does.
    """

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The address; empty where there is nothing to link."""
        return super().get_link(operator, ti_key=ti_key) if "hook" in vars(operator) else ""


class SageMakerLink(AwsLink):
    """The endpoint in SageMaker's console."""

    name = "SageMaker"

    def address(self, task: Any, ti: Any) -> str:
        """Of a local endpoint, the page of its server."""
        return endpoint_url(task.hook.sagemaker, task.spec.endpoint_name)


class LogsLink(AwsLink):
    """What the endpoint's containers have written."""

    name = "CloudWatch logs"

    def address(self, task: Any, ti: Any) -> str:
        """Of a local endpoint, the log that its server keeps."""
        return logs_url(task.hook.sagemaker, task.spec.endpoint_name)


class AlarmsLink(AwsLink):
    """The alarms that carry the endpoint's name."""

    name = "CloudWatch alarms"

    def address(self, task: Any, ti: Any) -> str | None:
        """None for a local endpoint, which has no page for them."""
        return alarms_url(task.hook.sagemaker, task.spec.endpoint_name)


class ArtifactLink(TaskLink):
    """The archive as it was pinned under its digest."""

    name = "S3 object"

    def address(self, task: Any, ti: Any) -> str | None:
        """None where the task has refused the archive, which then was not pinned."""
        found = ti.xcom_pull(task_ids=ti.task_id)
        return object_url(task.hook.s3, found["candidate"]["pinned"]) if found else None


class JobLink(TaskLink):
    """The job that the task began or adopted, in SageMaker's console."""

    name = "SageMaker job"

    def address(self, task: Any, ti: Any) -> str | None:
        """None where the task had no job to run."""
        return job_url(task.hook.sagemaker, *task.job) if task.job else None


class JobLogsLink(TaskLink):
    """What the job has written."""

    name = "Job's log"

    def address(self, task: Any, ti: Any) -> str | None:
        """None for a local job, whose log has no page."""
        return job_logs_url(task.hook.sagemaker, *task.job) if task.job else None


ON_EVERY_TASK = (DataDocsLink(), EndpointPageLink())
ON_THE_ENDPOINT = (*ON_EVERY_TASK, SageMakerLink(), LogsLink(), AlarmsLink())
ON_THE_ARTIFACT = (*ON_EVERY_TASK, ArtifactLink())
ON_THE_JOB = (*ON_EVERY_TASK, JobLink(), JobLogsLink())
ON_THE_RECORD = (*ON_EVERY_TASK, ReleasePageLink())
EVERY_LINK = (*ON_THE_ENDPOINT, ArtifactLink(), JobLink(), JobLogsLink(), ReleasePageLink())

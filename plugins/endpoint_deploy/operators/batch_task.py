"""What the tasks of a batch transform share."""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.airflow_versions import AirflowSkipException
from endpoint_deploy.core.batch import BatchRequest, SetAside, listed
from endpoint_deploy.core.batch_spec import BatchTransformSpec
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.errors import ReleaseFailed, SpecError
from endpoint_deploy.quality.file_gate import FileGate
from endpoint_deploy.run_context import pull
from endpoint_deploy.task_base import ReleaseTask


class BatchTask(ReleaseTask):
    """A task of a batch transform."""

    @property
    def batch(self) -> BatchTransformSpec:
        """The spec's section."""
        if self.spec.batch_transform is None:
            raise SpecError(f"{self.deployment.source}: found no batch_transform, expected the section")
        return self.spec.batch_transform

    def request_of(self, context: Context) -> BatchRequest:
        """What the run is asked to predict; skips where all of it has been delivered."""
        request = BatchRequest.model_validate(pull(context, "resolve_batch"))
        if request.nothing_to_do:
            raise AirflowSkipException(f"input version {request.input_version} has been delivered before")
        return request

    def gate(self, context: Context, suite: str | None, title: str) -> FileGate:
        """The suite over each file, with Data Docs under the run and this task."""
        key = f"{self.spec.endpoint_name}/{self.created_by(context)}/{self.task_id}"
        return FileGate(
            self.hook.s3,
            self.deployment.file(suite) if suite else None,
            prefix=f"{self.spec.aws.store.rstrip('/')}/data-docs/{key}",
            title=f"{title} of {self.spec.endpoint_name}",
        )

    def hand_on(
        self,
        context: Context,
        request: BatchRequest,
        result: Strict,
        *,
        left: int,
        set_aside: tuple[SetAside, ...],
    ) -> dict[str, Any]:
        """Return the task's result; raises ReleaseFailed where no file is left and none was delivered before.

        The result is left for the record in either case.
        """
        for file in set_aside:
            self.log.error("set aside: %s", file.sentence())
        handed = result.model_dump(mode="json")
        if left or request.already:
            return handed
        context["ti"].xcom_push(key="return_value", value=handed)
        docs = next((file.data_docs for file in set_aside if file.data_docs), None)
        raise ReleaseFailed(f"no file is left to deliver: {listed(set_aside)}", data_docs=docs)

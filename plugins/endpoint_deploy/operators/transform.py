"""CreateTransformJob, waited for without a worker, and which files it has left without an output."""

from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTransformOperator
from airflow.sdk import Context

from endpoint_deploy.airflow_versions import AirflowSkipException
from endpoint_deploy.aws import errors
from endpoint_deploy.aws.batch_files import place, relative_files
from endpoint_deploy.aws.data_log import reasons
from endpoint_deploy.aws.jobs import stop_job
from endpoint_deploy.core import naming
from endpoint_deploy.core.batch import BatchRequest, CheckedInput, FitFile, SetAside, Transformed, slashed
from endpoint_deploy.core.batch_request import Body, transform_body
from endpoint_deploy.core.jobs import Job
from endpoint_deploy.errors import ReleaseFailed, TryAgain
from endpoint_deploy.job_task import JobTask
from endpoint_deploy.operators.batch_task import BatchTask
from endpoint_deploy.run_context import pull


class TransformOperator(BatchTask, JobTask, SageMakerTransformOperator):
    """The provider's transform operator, adopting on retry, and content with a part of the files.

    The provider's begins a second job where a try was lost, and takes a job of which one file failed for a
    total loss; SageMaker marks such a job Failed and stores the outputs of the others (TransformOutput's
    reference). Returns a Transformed.
    """

    template_fields = BatchTask.template_fields
    operator_extra_links = JobTask.operator_extra_links  # type: ignore[assignment]  # the provider's is narrower

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(config={}, **kwargs)

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Transform; raises ReleaseFailed where no file has an output and none was delivered before."""
        request = self.request_of(context)
        checked = CheckedInput.model_validate(pull(context, "check_input"))
        if checked.manifest is None:
            raise AirflowSkipException("no file is fit to be transformed")
        awaited = carried.get("job")
        if self.expired and awaited:
            self._stop_late(str(awaited))
        job = self._run(context, request, checked.manifest, awaited)
        found = self._outputs(request, job, checked.files)
        if not found.files and errors.is_passing_reason(job.reason):
            raise TryAgain(f"transform job {job.name} failed: {job.reason}")
        self.log.info("%s %s: %d of %d files", job.name, job.status, len(found.files), len(checked.files))
        return self.hand_on(context, request, found, left=len(found.files), set_aside=found.set_aside)

    def _run(self, context: Context, request: BatchRequest, manifest: str, awaited: str | None) -> Job:
        def body(output: str) -> Body:
            return transform_body(self.batch, model=request.model, manifest=manifest, output=output)

        jobs = f"{slashed(self.spec.aws.store)}jobs"
        base = naming.job_name("transform", self.spec.endpoint_name, [body(jobs), request.forced])
        return self.run_job(
            context,
            "transform",
            base,
            lambda name: self.hook.sagemaker.create_transform_job(
                TransformJobName=name, **body(f"{jobs}/{name}"), Tags=self.job_tags(context)
            ),
            timeout_seconds=self.batch.max_runtime_seconds,
            awaited=awaited,
            in_part=True,
        )

    def _stop_late(self, job: str) -> None:
        """CreateTransformJob takes no limit of its own; one that is over by now is not stopped."""
        if stop_job(self.hook.sagemaker, "transform", job):
            raise ReleaseFailed(
                f"transform job {job} was stopped: found it in progress after "
                f"{self.batch.max_runtime_seconds} s, which batch_transform.max_runtime_seconds allows"
            )

    def _outputs(self, request: BatchRequest, job: Job, files: tuple[FitFile, ...]) -> Transformed:
        output = slashed(job.outputs["output"])
        there = {file.key for file in relative_files(self.hook.s3, output)}
        lost = [file.key for file in files if f"{file.key}.out" not in there]
        return Transformed(
            job=job.name,
            output=output,
            files=tuple(file for file in files if file.key not in lost),
            set_aside=self._why(request, job, lost),
        )

    def _why(self, request: BatchRequest, job: Job, lost: list[str]) -> tuple[SetAside, ...]:
        bucket, head = place(request.prefix)
        keys = {f"{head}{key}" for key in lost}
        said = reasons(self.hook.sibling("logs"), job.name, bucket, keys) if lost else {}
        otherwise = f"no output and no word of it in the data log ({job.reason or job.status})"
        return tuple(
            SetAside(
                key=key,
                task="transform",
                found=self.without_secrets(said.get(f"{head}{key}", otherwise)),
                expected="an answer to every row",
            )
            for key in lost
        )

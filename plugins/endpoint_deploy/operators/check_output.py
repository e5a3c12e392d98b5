"""Hold the predictions against their rows: exactly one each, and what `output_suite` asks of them."""

from typing import IO, Any

from airflow.sdk import Context

from endpoint_deploy.airflow_versions import AirflowSkipException
from endpoint_deploy.aws.batch_files import opened, relative_files
from endpoint_deploy.core.batch import CheckedOutput, FitFile, SetAside, Transformed
from endpoint_deploy.core.batch_input import BadLine, check_size
from endpoint_deploy.core.batch_output import check_count, in_lines, predictions_of
from endpoint_deploy.operators.batch_task import BatchTask
from endpoint_deploy.quality.batch_frames import answers_frame
from endpoint_deploy.quality.file_gate import FileGate
from endpoint_deploy.run_context import pull


class CheckOutputOperator(BatchTask):
    """Read each output, count its predictions, run `output_suite` over them. Returns a CheckedOutput."""

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Check; raises ReleaseFailed where no file is fit and none was delivered before."""
        request = self.request_of(context)
        found = pull(context, "transform")
        if found is None:
            raise AirflowSkipException("nothing was transformed")
        transformed = Transformed.model_validate(found)
        now = {file.key: file.etag for file in relative_files(self.hook.s3, request.prefix)}
        gate = self.gate(context, self.batch.output_suite, "Predictions")
        judged = [self._judge(transformed, file, now.get(file.key), gate) for file in transformed.files]
        fit = tuple(each for each in judged if isinstance(each, FitFile))
        aside = tuple(each for each in judged if isinstance(each, SetAside))
        self.link_data_docs(context, next(iter(gate.data_docs), None))
        checked = CheckedOutput(
            job=transformed.job,
            output=transformed.output,
            files=fit,
            set_aside=aside,
            data_docs=gate.data_docs,
        )
        return self.hand_on(
            context, request, checked, left=len(fit), set_aside=(*transformed.set_aside, *aside)
        )

    def _judge(
        self, transformed: Transformed, file: FitFile, etag: str | None, gate: FileGate
    ) -> FitFile | SetAside:
        def aside(found: str, expected: str, docs: str | None = None) -> SetAside:
            return SetAside(key=file.key, task="check_output", found=found, expected=expected, data_docs=docs)

        if etag != file.etag:
            # The job may have read either: SageMaker takes what is there when it comes to it.
            return aside(
                "another object, or none, than the one that was checked",
                "an input file that stays as it is until it is predicted; the next run takes the new one",
            )
        try:
            with opened(self.hook.s3, f"{transformed.output}{file.key}.out") as content:
                refused = self._refused(content, file, gate)
        except BadLine as bad:
            return aside(bad.found, bad.expected)
        if refused is not None:
            return aside(refused[0], f"predictions that meet {self.batch.output_suite}", refused[1])
        return file

    def _refused(self, content: IO[bytes], file: FitFile, gate: FileGate) -> tuple[str, str | None] | None:
        """What the suite refuses; raises BadLine where the count is wrong. Without a suite it is streamed."""
        if self.batch.output_suite is None and in_lines(self.batch):
            check_count(content, self.batch, rows=file.rows)
            return None
        check_size(content, self.batch)
        predictions = predictions_of(content.read(), self.batch, rows=file.rows)
        return gate.judge(file.key, lambda: answers_frame(predictions))

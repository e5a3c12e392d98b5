"""Judge every input file before anybody pays for a job: one that is not fit is set aside, alone."""

from typing import IO, Any

from airflow.sdk import Context

from endpoint_deploy.aws.batch_files import FileChanged, opened
from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core import naming
from endpoint_deploy.core.batch import BatchRequest, CheckedInput, FitFile, InputFile, SetAside, manifest_of
from endpoint_deploy.core.batch_input import BadLine, check_size, rows_of
from endpoint_deploy.operators.batch_task import BatchTask
from endpoint_deploy.quality.batch_frames import csv_frame, json_frame
from endpoint_deploy.quality.file_gate import FileGate


class CheckInputOperator(BatchTask):
    """Read each file, count its rows, run `input_suite` over them, and list what is fit for SageMaker.

    Returns a CheckedInput.
    """

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Check; raises ReleaseFailed where no file is fit and none was delivered before."""
        request = self.request_of(context)
        gate = self.gate(context, self.batch.input_suite, "Input")
        judged = [self._judge(request, file, gate) for file in request.files]
        fit = tuple(each for each in judged if isinstance(each, FitFile))
        aside = tuple(each for each in judged if isinstance(each, SetAside))
        self.link_data_docs(context, next(iter(gate.data_docs), None))
        self.log.info("%d files with %d rows are fit", len(fit), sum(file.rows for file in fit))
        checked = CheckedInput(
            manifest=self._listed(request, fit) if fit else None,
            files=fit,
            set_aside=aside,
            data_docs=gate.data_docs,
        )
        return self.hand_on(context, request, checked, left=len(fit), set_aside=aside)

    def _judge(self, request: BatchRequest, file: InputFile, gate: FileGate) -> FitFile | SetAside:
        def aside(found: str, expected: str, line: int | None = None, docs: str | None = None) -> SetAside:
            return SetAside(
                key=file.key, task="check_input", found=found, expected=expected, line=line, data_docs=docs
            )

        try:
            with opened(self.hook.s3, f"{request.prefix}{file.key}", etag=file.etag) as content:
                rows = self._count(content)
                if self.batch.input_suite:
                    check_size(content, self.batch)
                refused = gate.judge(file.key, lambda: self._frame(content))
        except BadLine as bad:
            return aside(bad.found, bad.expected, bad.line)
        except FileChanged as changed:
            return aside(str(changed), "the object that was listed; the next run predicts the new one")
        if refused is not None:
            return aside(refused[0], f"rows that meet {self.batch.input_suite}", docs=refused[1])
        return FitFile(key=file.key, etag=file.etag, rows=rows)

    def _count(self, content: IO[bytes]) -> int:
        return sum(1 for _ in rows_of(content, self.batch))

    def _frame(self, content: IO[bytes]) -> Any:
        content.seek(0)
        if self.batch.content_type == "text/csv":
            return csv_frame(content, self.batch.columns)
        return json_frame(list(rows_of(content, self.batch)))

    def _listed(self, request: BatchRequest, fit: tuple[FitFile, ...]) -> str:
        """Write SageMaker's manifest of these files, named by its content; returns its address."""
        keys = tuple(file.key for file in fit)
        digest = naming.digest([request.prefix, [(file.key, file.etag) for file in fit]])
        documents = JsonStore(self.hook.s3, self.spec.aws.store)
        key = f"batches/{self.spec.endpoint_name}/{digest}/manifest.json"
        documents.create(key, manifest_of(request.prefix, keys))  # where it is there, it is the same
        return documents.uri(key)

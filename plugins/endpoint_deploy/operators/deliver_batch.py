"""Copy what passed to where it is awaited; what counts is what the marker says, and that is written last."""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.airflow_versions import AirflowSkipException
from endpoint_deploy.aws.batch_files import copy
from endpoint_deploy.aws.deliveries import DeliveryMarker
from endpoint_deploy.core.batch import (
    BatchRequest,
    CheckedOutput,
    DeliveredFile,
    Delivery,
    SetAside,
)
from endpoint_deploy.operators.batch_task import BatchTask
from endpoint_deploy.run_context import pull, run_ref


class DeliverBatchOperator(BatchTask):
    """Copy each file's predictions into a folder of the job's own, then name them in `_DELIVERED.json`.

    No object that a marker names is ever written over with another content, so that a reader who begins at
    the marker sees one delivery, whole or partial, whatever happens meanwhile. Returns the Delivery with the
    marker's address under `marker`.
    """

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Deliver; what an earlier run has delivered stays, unless this one delivers it anew."""
        request = self.request_of(context)
        aside = self._set_aside(context)
        checked = CheckedOutput.model_validate(found) if (found := pull(context, "check_output")) else None
        if checked is None and not aside:
            raise AirflowSkipException("there is nothing to deliver")
        new = self._copied(request, checked) if checked else ()
        marker = DeliveryMarker(self.hook.s3, request.folder)
        there = marker.read()
        delivery = self._delivery(context, request, new, aside, there[0] if there else None)
        if there is None or (there[0].files, there[0].set_aside) != (delivery.files, delivery.set_aside):
            marker.write(delivery, over=there[1] if there else None)
        self.log.info("%s: %d files", marker.uri, len(delivery.files))
        return {**delivery.model_dump(mode="json"), "marker": marker.uri}

    def _set_aside(self, context: Context) -> tuple[SetAside, ...]:
        return tuple(
            SetAside.model_validate(file)
            for task_id in ("check_input", "transform", "check_output")
            if (found := pull(context, task_id))
            for file in found["set_aside"]
        )

    def _copied(self, request: BatchRequest, checked: CheckedOutput) -> tuple[DeliveredFile, ...]:
        delivered = []
        for file in checked.files:
            output = f"{request.folder}/{checked.job}/{file.key}.out"
            copy(self.hook.s3, f"{checked.output}{file.key}.out", output)
            delivered.append(
                DeliveredFile(
                    key=file.key, etag=file.etag, rows=file.rows, output=output, release=request.release
                )
            )
        return tuple(delivered)

    def _delivery(
        self,
        context: Context,
        request: BatchRequest,
        new: tuple[DeliveredFile, ...],
        aside: tuple[SetAside, ...],
        before: Delivery | None,
    ) -> Delivery:
        # Of the same input version and model, as the folder is; a forced run that fails takes nothing back.
        keeps = before is not None and before.accept == self.batch.accept
        known = {file.key: file for file in before.files} if before and keeps else {}
        files = {**known, **{file.key: file for file in new}}
        return Delivery(
            endpoint=self.spec.endpoint_name,
            input=request.prefix,
            input_version=request.input_version,
            model=request.model,
            release=request.release,
            accept=self.batch.accept,
            whole=len(files) == request.known,
            files=tuple(files[key] for key in sorted(files)),
            set_aside=aside,
            run=run_ref(context),
        )

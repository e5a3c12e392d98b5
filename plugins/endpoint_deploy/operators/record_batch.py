"""Write what became of a batch transform to its records, whatever happened, and tell who wants to know."""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.aws.records import Records
from endpoint_deploy.core.batch import BatchRecord, BatchRequest, Delivery, SetAside
from endpoint_deploy.core.batch_outcome import BatchVerdict, judge_batch
from endpoint_deploy.operators.batch_task import BatchTask
from endpoint_deploy.operators.notify import notify_batch
from endpoint_deploy.operators.run_states import errors_of, states_and_phases
from endpoint_deploy.run_context import pull, run_record

_GATES = ("check_input", "transform", "check_output")


class RecordBatchOperator(BatchTask):
    """Judge the run by its tasks' states, append it to the endpoint's batches, notify.

    Runs whatever happened before it. A run that found nothing to do leaves no record. Returns `{"outcome",
    "reason", "batch": number | None, "delivered": the marker's address | None, "set_aside": the files}`.
    """

    def __init__(self, *, chain: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chain = chain

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Record; may be tried again without writing twice."""
        states, phases = states_and_phases(context)
        said = errors_of(context, self.chain, states)
        # A task that did not run this time may still have its XCom from before the run was cleared; a gate
        # that failed has left what it found.
        told = {
            task: pull(context, task) or {}
            for task in self.chain
            if states.get(task) == "success" or (task in _GATES and task in said)
        }
        request = BatchRequest.model_validate(found) if (found := told.get("resolve_batch")) else None
        delivered = dict(told.get("deliver") or {})
        marker = delivered.pop("marker", None)
        delivery = Delivery.model_validate(delivered) if delivered else None
        verdict = judge_batch(self.chain, states, said, request=request, delivery=delivery)
        number = None
        if verdict.outcome != "nothing_to_do":
            record = self._records.append(
                self._record(context, verdict, request, delivery, told, marker=marker, phases=phases)
            )
            number = record.sequence
            notify_batch(self.hook, self.spec, record)
        self.log.info("%s: %s", verdict.outcome, verdict.reason)
        return {
            "outcome": verdict.outcome,
            "reason": verdict.reason,
            "batch": number,
            "delivered": marker,
            "set_aside": [file.model_dump() for file in _set_aside(told)],
        }

    @property
    def _records(self) -> Records[BatchRecord]:
        folder = f"batches/{self.spec.endpoint_name}/records"
        return Records(self.hook.s3, self.spec.aws.store, folder, BatchRecord)

    def _record(
        self,
        context: Context,
        verdict: BatchVerdict,
        request: BatchRequest | None,
        delivery: Delivery | None,
        told: dict[str, Any],
        *,
        marker: str | None,
        phases: dict[str, float],
    ) -> BatchRecord:
        return BatchRecord(
            outcome=verdict.outcome,
            reason=verdict.reason,
            input=request.prefix if request else None,
            input_version=request.input_version if request else None,
            model=request.model if request else None,
            release=request.release if request else None,
            job=told.get("transform", {}).get("job"),
            delivered=marker,
            files=len(delivery.files) if delivery else 0,
            rows=sum(file.rows for file in delivery.files) if delivery else 0,
            set_aside=_set_aside(told),
            failure=verdict.failure,
            data_docs={
                task: tuple(found["data_docs"]) for task, found in told.items() if found.get("data_docs")
            },
            **run_record(context, self.spec),
            phases=phases,
        )


def _set_aside(told: dict[str, Any]) -> tuple[SetAside, ...]:
    """What every gate has set aside, in their order."""
    return tuple(
        SetAside.model_validate(file) for task in _GATES for file in told.get(task, {}).get("set_aside", ())
    )

"""Write what became of a retraining to its records, whatever happened, and tell whoever wants to know."""

from typing import Any, TypeVar

from airflow.sdk import Context

from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.retrain import (
    NOTHING_NEW,
    CheckedData,
    GatedMetrics,
    RegisteredPackage,
    RetrainRecord,
    TrainedModel,
    TrainingSet,
)
from endpoint_deploy.core.retrain_outcome import RetrainVerdict, judge_retrain
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.operators.gate_metrics import MEASURED
from endpoint_deploy.operators.notify import notify_retrain
from endpoint_deploy.operators.run_states import errors_of, states_and_phases
from endpoint_deploy.run_context import pull, run_record
from endpoint_deploy.task_base import ReleaseTask

S = TypeVar("S", bound=Strict)


class RecordRetrainOperator(ReleaseTask):
    """Judge the run by its tasks' states, append it to the endpoint's retrainings, notify.

    Runs whatever happened before it. A run that found nothing new leaves no record. Returns `{"outcome",
    "reason", "retrain": number | None, "model_package": ARN | None, "data_docs": s3:// addresses by gate}`.
    """

    def __init__(self, *, chain: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chain = chain

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Record; may be tried again without writing twice."""
        states, phases = states_and_phases(context)
        said = errors_of(context, self.chain, states)
        # A task that did not run this time may still have its XCom from before the run was cleared.
        told = {task: pull(context, task) for task in self.chain if states.get(task) == "success"}
        package = _as(RegisteredPackage, told.get("register"))
        metrics = _as(GatedMetrics, told.get("gate_metrics") or self._measured(context, states))
        verdict = judge_retrain(
            self.chain,
            states,
            said,
            nothing_new=pull(context, "select_data", NOTHING_NEW)
            if states.get("select_data") == "skipped"
            else None,
            package=package,
            metrics=metrics,
        )
        data_docs = {task: docs for task, result in told.items() if (docs := _first_docs(result))}
        data_docs |= {task: error.data_docs for task, error in said.items() if error.data_docs}
        number = None
        if verdict.outcome != "nothing_new":
            record = self.kit.retrains.append(
                self._record(context, verdict, told, metrics=metrics, data_docs=data_docs, phases=phases)
            )
            number = record.sequence
            notify_retrain(self.hook, self.spec, record)
        self.log.info("%s: %s", verdict.outcome, verdict.reason)
        return {
            "outcome": verdict.outcome,
            "reason": verdict.reason,
            "retrain": number,
            "model_package": package.arn if package else None,
            "data_docs": data_docs,
        }

    def _measured(self, context: Context, states: dict[str, str | None]) -> Any:
        """What the metric gate has measured of a candidate that it then refused."""
        return pull(context, "gate_metrics", MEASURED) if states.get("gate_metrics") == "failed" else None

    def _record(
        self,
        context: Context,
        verdict: RetrainVerdict,
        told: dict[str, Any],
        *,
        metrics: GatedMetrics | None,
        data_docs: dict[str, str],
        phases: dict[str, float],
    ) -> RetrainRecord:
        selected = _as(TrainingSet, told.get("select_data"))
        candidate = _as(Candidate, (told.get("validate_candidate") or {}).get("candidate"))
        return RetrainRecord(
            outcome=verdict.outcome,
            reason=verdict.reason,
            training_set=selected.digest if selected else None,
            identity=selected.identity if selected else None,
            data=_as(CheckedData, told.get("check_data")),
            trained=_as(TrainedModel, told.get("train")),
            candidate_sha256=candidate.sha256 if candidate else None,
            pinned=candidate.pinned if candidate else None,
            metrics=metrics,
            package=_as(RegisteredPackage, told.get("register")),
            failure=verdict.failure,
            data_docs=data_docs,
            **run_record(context, self.spec),
            phases=phases,
        )


def _as(kind: type[S], told: Any) -> S | None:
    return kind.model_validate(told) if told else None


def _first_docs(told: Any) -> str | None:
    """The first of the Data Docs that a gate's result names."""
    found = told.get("data_docs") if isinstance(told, dict) else None
    return found if isinstance(found, str) else next(iter(found or ()), None)

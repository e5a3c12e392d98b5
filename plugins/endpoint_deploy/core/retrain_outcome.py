"""What became of a retraining, from the states of its tasks and what the failed ones said."""

from collections.abc import Mapping, Sequence

from endpoint_deploy.core.outcome import TaskError, first_failure
from endpoint_deploy.core.record import Failure
from endpoint_deploy.core.retrain import GatedMetrics, MetricResult, RegisteredPackage, RetrainOutcome
from endpoint_deploy.core.strict import Strict

# Whose judgement it is, where a task ends with one. What else ends a task is a failure.
_OF_DATA = frozenset({"merge_feedback", "select_data", "check_data"})
_OF_MODEL = frozenset({"validate_candidate", "evaluate", "gate_metrics"})


class RetrainVerdict(Strict):
    """What became of the retraining, and why in plain words."""

    outcome: RetrainOutcome
    reason: str
    failure: Failure | None = None


def judge_retrain(
    chain: Sequence[str],
    states: Mapping[str, str | None],
    said: Mapping[str, TaskError],
    *,
    nothing_new: str | None,
    package: RegisteredPackage | None,
    metrics: GatedMetrics | None,
) -> RetrainVerdict:
    """Judge a run.

    chain: its tasks in order; states: by task id; said: what failed tasks left; nothing_new: why there was
    nothing to train, None where there was; package and metrics: what `register` and `gate_metrics` returned.
    """
    failure = first_failure(chain, states, said)
    if failure is not None:
        return _failed(failure, said.get(failure.task_id))
    if package is not None:
        return RetrainVerdict(outcome="registered", reason=_registered(package, metrics))
    if nothing_new is not None:
        return RetrainVerdict(outcome="nothing_new", reason=nothing_new)
    return RetrainVerdict(outcome="failed", reason="no task failed, and no model package was registered")


def _failed(failure: Failure, said: TaskError | None) -> RetrainVerdict:
    outcome: RetrainOutcome = "failed"
    if said is not None and said.refusal:
        if failure.task_id in _OF_DATA:
            outcome = "data_refused"
        elif failure.task_id in _OF_MODEL:
            outcome = "model_refused"
    why = f"{failure.task_id}: {failure.message}".rstrip(".")
    reason = f"{why}. Nothing was registered, and the endpoint is as it was."
    return RetrainVerdict(outcome=outcome, reason=reason, failure=failure)


def _registered(package: RegisteredPackage, metrics: GatedMetrics | None) -> str:
    waits = "" if package.status == "Approved" else ", which waits for approval in the registry"
    said = f"version {package.version} of {package.group} is registered, {package.status}{waits}"
    if metrics is None or not metrics.metrics:
        return said
    return f"{said}: {'; '.join(_compared(metric) for metric in metrics.metrics)}"


def _compared(metric: MetricResult) -> str:
    if metric.champion is None:
        return f"{metric.name} {metric.candidate:.4g}"
    compared = f"{metric.name} {metric.candidate:.4g} (champion {metric.champion:.4g}"
    if metric.gain is None or metric.gain_low is None or metric.gain_high is None:
        return f"{compared})"
    return f"{compared}, gain {metric.gain:+.4g}, from {metric.gain_low:+.4g} to {metric.gain_high:+.4g})"

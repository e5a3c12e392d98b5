"""What became of a batch transform, from the states of its tasks and what it delivered."""

from collections.abc import Mapping, Sequence

from endpoint_deploy.core.batch import BatchOutcome, BatchRequest, Delivery, listed
from endpoint_deploy.core.outcome import TaskError, first_failure
from endpoint_deploy.core.record import Failure
from endpoint_deploy.core.strict import Strict


class BatchVerdict(Strict):
    """What became of the run, and why in plain words."""

    outcome: BatchOutcome
    reason: str
    failure: Failure | None = None


def judge_batch(
    chain: Sequence[str],
    states: Mapping[str, str | None],
    said: Mapping[str, TaskError],
    *,
    request: BatchRequest | None,
    delivery: Delivery | None,
) -> BatchVerdict:
    """Judge a run.

    chain: its tasks in order; states: by task id; said: what failed tasks left; request and delivery: what
    `resolve_batch` and `deliver` returned, None where they did not.
    """
    failure = first_failure(chain, states, said)
    if failure is not None:
        why = f"{failure.task_id}: {failure.message}".rstrip(".")
        return BatchVerdict(outcome="failed", reason=f"{why}. This run delivered nothing.", failure=failure)
    if request is not None and request.nothing_to_do:
        what = f"all {request.known} files of input version {request.input_version}"
        return BatchVerdict(
            outcome="nothing_to_do", reason=f"{what} were delivered before, predicted by {request.model}"
        )
    if delivery is None:
        return BatchVerdict(outcome="failed", reason="no task failed, and nothing was delivered")
    rows = sum(file.rows for file in delivery.files)
    counted = f"{len(delivery.files)} files with {rows} rows are delivered, predicted by {delivery.model}"
    if delivery.whole and not delivery.set_aside:
        return BatchVerdict(outcome="delivered", reason=counted)
    return BatchVerdict(outcome="partial", reason=_partial(counted, delivery))


def _partial(counted: str, delivery: Delivery) -> str:
    aside = delivery.set_aside
    of = {file.key: file.release for file in delivery.files}
    kept = [f"{file.key} (release {of[file.key] or 'unknown'})" for file in aside if file.key in of]
    earlier = f"; of these, what an earlier run delivered still counts: {', '.join(kept)}" if kept else ""
    return f"{counted}; {len(aside)} were set aside: {listed(aside)}{earlier}"

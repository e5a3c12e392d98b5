"""What deploy and rollback share: defaults, and the way from an applied change to a recorded outcome."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.dag_builders.on_call import ON_CALL
from endpoint_deploy.operators.outcome import OutcomeOperator
from endpoint_deploy.operators.record_release import RecordReleaseOperator
from endpoint_deploy.operators.roll_back import RollBackOperator
from endpoint_deploy.task_base import ReleaseTask

_LEAST_RETRIES = 6
_LONGEST_RETRY_DELAY = timedelta(minutes=5)


def make_dag(
    kind: str, deployment: Deployment, *, params: dict[str, Param], doc: str, schedule: str | None = None
) -> DAG:
    """An empty DAG of a kind for a deployment: one run at a time, no catching up."""
    spec = deployment.spec
    return DAG(
        dag_id=f"{kind}__{spec.key}",
        dag_display_name=f"{kind} {spec.name} ({spec.environment})",
        description=spec.description or f"{kind} of endpoint {spec.endpoint_name}",
        doc_md=doc,
        schedule=schedule,
        start_date=datetime(2024, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        params=params,
        tags={"endpoint-deploy", kind, spec.name, spec.environment},
        default_args={
            "owner": spec.owner,
            "retries": spec.run.retries,
            "retry_delay": timedelta(seconds=spec.run.retry_delay_seconds),
            # A multiplier since Airflow 3; the scheduler adds jitter of its own to an exponential delay.
            "retry_exponential_backoff": 2.0,
            "max_retry_delay": max(_LONGEST_RETRY_DELAY, timedelta(seconds=spec.run.retry_delay_seconds)),
            **({"pool": spec.run.pool} if spec.run.pool else {}),
        },
    )


def add_chain(
    kind: Literal["deploy", "rollback"],
    deployment: Deployment,
    tasks: Sequence[tuple[str, type[ReleaseTask]]],
    *,
    changing_from: str,
) -> None:
    """Add the happy path to the current DAG, what rolls it back, and what records it whatever happened.

    changing_from: the first task that changes anything in AWS. A task that has nothing to do is skipped and
    does not skip the next. `complete` is a leaf of the happy path's own: were `roll_back` on the way to the
    only leaf, Airflow would call a rolled-back run a success.
    """

    def task(task_id: str, operator: type[ReleaseTask], rule: str, **kwargs: Any) -> Any:
        return operator(
            task_id=task_id, deployment=deployment, trigger_rule=rule, doc_md=ON_CALL[task_id], **kwargs
        )

    chain = {task_id: task(task_id, operator, "none_failed") for task_id, operator in tasks}
    for before, after in pairwise(chain.values()):
        before >> after
    # The spec may ask for no retries, but no throttled call may leave a broken candidate live.
    retries = max(deployment.spec.run.retries, _LEAST_RETRIES)
    roll_back = task("roll_back", RollBackOperator, "one_failed", retries=retries)
    record = task(
        "record_release",
        RecordReleaseOperator,
        "all_done",
        retries=retries,
        kind=kind,
        chain=tuple(chain),
    )
    outcome = task("outcome", OutcomeOperator, "all_done", retries=0)
    order = list(chain)
    for task_id in order[order.index(changing_from) :]:
        chain[task_id] >> roll_back
    last = chain[order[-1]]
    [last, roll_back] >> record >> outcome
    last >> EmptyOperator(task_id="complete", trigger_rule="none_failed")


REASON = Param(
    None,
    type=["null", "string"],
    title="Reason",
    description="Why: kept in the ledger.",
    maxLength=500,
)

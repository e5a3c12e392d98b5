"""What deploy and rollback share: defaults, and the way from an applied change to a recorded outcome."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, Param

from endpoint_deploy.airflow_versions import (
    AssetOrTimeSchedule,
    CronTriggerTimetable,
    MultipleCronTriggerTimetable,
)
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.outcome import COMPLETE
from endpoint_deploy.core.slots import OPTIONAL
from endpoint_deploy.dag_builders.on_call import ON_CALL
from endpoint_deploy.operators.outcome import OutcomeOperator
from endpoint_deploy.operators.record_release import RecordReleaseOperator
from endpoint_deploy.operators.roll_back import RollBackOperator
from endpoint_deploy.task_base import ReleaseTask

LEAST_RETRIES = 6  # of what must not be left undone, whatever the spec asks for
_LONGEST_RETRY_DELAY = timedelta(minutes=5)

Schedule = str | list[Asset] | AssetOrTimeSchedule | MultipleCronTriggerTimetable | None


def schedule_on(asset: Asset | None, cron: str | None) -> Schedule:
    """When the asset is published, at cron's times (UTC), either, or never."""
    if asset is None:
        return cron
    if cron is None:
        return [asset]
    return AssetOrTimeSchedule(timetable=CronTriggerTimetable(cron, timezone="UTC"), assets=asset)


def make_dag(
    kind: str, deployment: Deployment, *, params: dict[str, Param], doc: str, schedule: Schedule = None
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
        # Airflow writes a run's values into them: what several DAGs share would carry them along.
        params=deepcopy(params),
        tags={"endpoint-deploy", kind, spec.name, spec.environment},
        default_args={
            "owner": spec.owner,
            "retries": spec.run.retries,
            "retry_delay": timedelta(seconds=spec.run.retry_delay_seconds),
            # A multiplier since Airflow 3; the scheduler adds jitter of its own to an exponential delay.
            "retry_exponential_backoff": 2.0,
            # Nothing here is mapped, so this limits nothing; but it keeps the scheduler from its search for
            # deadlocks (`DagRun.update_state`). Where a task is marked failed while a later one is at work,
            # that calls the run stuck and ends it, teardowns and all.
            "max_active_tis_per_dagrun": 1,
            "max_retry_delay": max(_LONGEST_RETRY_DELAY, timedelta(seconds=spec.run.retry_delay_seconds)),
            **({"pool": spec.run.pool} if spec.run.pool else {}),
        },
    )


def add_task(
    deployment: Deployment, task_id: str, operator: type[ReleaseTask], rule: str, **kwargs: Any
) -> Any:
    """Add a task to the current DAG, with what it says to the person on call."""
    return operator(
        task_id=task_id, deployment=deployment, trigger_rule=rule, doc_md=ON_CALL[task_id], **kwargs
    )


def add_tasks(deployment: Deployment, tasks: Sequence[tuple[str, type[ReleaseTask]]]) -> dict[str, Any]:
    """Add tasks in a line, by their ids. One that has nothing to do is skipped and does not skip the next."""
    chain = {task_id: add_task(deployment, task_id, operator, "none_failed") for task_id, operator in tasks}
    for before, after in pairwise(chain.values()):
        before >> after
    return chain


def add_chain(
    kind: Literal["deploy", "rollback"],
    deployment: Deployment,
    tasks: Sequence[tuple[str, type[ReleaseTask]]],
    *,
    changing_from: str,
) -> None:
    """Add the happy path to the current DAG, what rolls it back, and what records it whatever happened.

    changing_from: the first task that changes anything in AWS. `complete` is a leaf of the happy path's own:
    were `roll_back` on the way to the only leaf, Airflow would call a rolled-back run a success. The tasks
    after it are teardowns, which Airflow runs as well where a person ends the *run*: others are skipped then
    (`set_dag_run_state_to_failed`), `complete` among them, which tells them so.
    """

    chain = add_tasks(deployment, tasks)
    complete = EmptyOperator(task_id=COMPLETE, trigger_rule="none_failed", doc_md=ON_CALL[COMPLETE])
    _around_optional((*chain.values(), complete))
    chain["plan"] >> complete  # where nothing is to be done, all between them is skipped
    # The spec may ask for no retries, but no throttled call may leave a broken candidate live.
    retries = max(deployment.spec.run.retries, LEAST_RETRIES)
    roll_back = add_task(
        deployment, "roll_back", RollBackOperator, "all_done", retries=retries, chain=tuple(chain)
    )
    record = add_task(
        deployment,
        "record_release",
        RecordReleaseOperator,
        "all_done",
        retries=retries,
        kind=kind,
        chain=tuple(chain),
    )
    # A release that failed is no reason to try again, and raises so; a worker that died here is one.
    outcome = add_task(
        deployment, "outcome", OutcomeOperator, "all_done", retries=retries, publishes=kind == "deploy"
    )
    order = list(chain)
    for task_id in order[order.index(changing_from) :]:
        chain[task_id] >> roll_back
    complete >> roll_back >> record >> outcome
    for task in (roll_back, record):
        task.as_teardown()
    outcome.as_teardown(on_failure_fail_dagrun=True)


def _around_optional(tasks: Sequence[Any]) -> None:
    """Let what comes after an optional task wait for what comes before it, too.

    Airflow looks at a task's direct upstream alone: `plan` skips optional tasks at once, and what comes after
    them would start.
    """
    for place, task in enumerate(tasks):
        for before in reversed(tasks[:place]):
            if before.task_id not in task.upstream_task_ids:
                before >> task
            if before.task_id not in OPTIONAL:
                break


# The ledger's numbers have eight digits.
NUMBER: dict[str, Any] = {"type": ["null", "integer"], "minimum": 1, "maximum": 99_999_999}
MODEL_PACKAGE = Param(
    None,
    type=["null", "string"],
    title="Model package",
    description="ARN of a model package of the deployment's group.",
    pattern=r"^arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]{9,16}:[0-9]{12}:model-package/[\S]{1,2048}$",
    maxLength=2048,
)
REASON = Param(
    None,
    type=["null", "string"],
    title="Reason",
    description="Why: kept in the ledger.",
    maxLength=500,
)

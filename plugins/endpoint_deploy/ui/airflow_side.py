"""What Airflow knows of the deployments: whose DAGs a user may see and start, what runs, and when next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from pydantic import ValidationError
from sqlalchemy import func, select

from endpoint_deploy.core.release import Release
from endpoint_deploy.run_context import LAST_WORD

KINDS = ("deploy", "rollback", "teardown", "freeze", "retrain", "batch_transform", "sentinel")
_RECORDS = ("deploy", "rollback", "teardown")  # the kinds of DAG whose runs end in the ledger
_UNFINISHED = ("queued", "running")
_AT_WORK = ("running", "deferred", "awaiting_input", "up_for_retry")


def readable(user: BaseUser) -> set[str]:
    """The ids of the DAGs that the user may see.

    Airflow's `ReadableDagsFilterDep` needs the state of its own application and fails in a plugin's.
    """
    return get_auth_manager().get_authorized_dag_ids(user=user)


def may(user: BaseUser, method: Any, entity: DagAccessEntity, dag_id: str) -> bool:
    """Whether Airflow would let the user do this to a DAG's runs, XComs and so on."""
    details = DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))
    return get_auth_manager().is_authorized_dag(
        method=method, access_entity=entity, details=details, user=user
    )


def dags_of(keys: Iterable[str], user: BaseUser, allowed: set[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """By deployment and kind: DAG id, whether it is paused, when it runs next, what runs, who may start it.

    Three queries, however many deployments. Times are ISO 8601; `next_at` is None for a DAG that is paused
    or has no schedule. `tasks` of a run are those at work, with Airflow's states.
    """
    ids = {f"{kind}__{key}": (key, kind) for key in keys for kind in KINDS if f"{kind}__{key}" in allowed}
    found: dict[str, dict[str, dict[str, Any]]] = {}
    with create_session() as session:
        dags = session.execute(
            select(DagModel.dag_id, DagModel.is_paused, DagModel.next_dagrun_create_after).where(
                DagModel.dag_id.in_(ids), DagModel.is_stale.is_(False)
            )
        ).all()
        runs = session.execute(
            select(DagRun.dag_id, DagRun.run_id, DagRun.state, DagRun.start_date, DagRun.queued_at)
            .where(DagRun.dag_id.in_(ids), DagRun.state.in_(_UNFINISHED))
            .order_by(DagRun.run_after)
        ).all()
        tasks = session.execute(
            select(TaskInstance.dag_id, TaskInstance.run_id, TaskInstance.task_id, TaskInstance.state).where(
                TaskInstance.dag_id.in_({run.dag_id for run in runs}),
                TaskInstance.run_id.in_({run.run_id for run in runs}),
                TaskInstance.state.in_(_AT_WORK),
            )
        ).all()
    at_work: dict[tuple[str, str], list[dict[str, str]]] = {}
    for task in tasks:
        known = at_work.setdefault((task.dag_id, task.run_id), [])
        known.append({"task_id": task.task_id, "state": str(task.state)})
    running: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        since = run.start_date or run.queued_at
        running.setdefault(run.dag_id, []).append(
            {
                "run_id": run.run_id,
                "state": str(run.state),
                "since": since.isoformat() if since else None,
                "tasks": at_work.get((run.dag_id, run.run_id), []),
            }
        )
    for dag in sorted(dags, key=lambda each: KINDS.index(ids[each.dag_id][1])):
        key, kind = ids[dag.dag_id]
        next_at = None if dag.is_paused else dag.next_dagrun_create_after
        found.setdefault(key, {})[kind] = {
            "dag_id": dag.dag_id,
            "paused": dag.is_paused,
            "next_at": next_at.isoformat() if next_at else None,
            "running": running.get(dag.dag_id, []),
            "may_trigger": may(user, "POST", DagAccessEntity.RUN, dag.dag_id),
        }
    return found


def left_by(dag_id: str, run_id: str, task_id: str) -> Any:
    """What a task of a run returned; None where it left nothing, or Airflow has deleted it since."""
    query = XComModel.get_many(run_id=run_id, key="return_value", task_ids=task_id, dag_ids=dag_id)
    with create_session() as session:
        rows: Sequence[Any] = session.scalars(query).all()
        return XComModel.deserialize_value(rows[0]) if rows else None


@dataclass(frozen=True)
class LeftWord:
    """What a run left of the ledger: the records that `read_word` looks at, the newest first, and when."""

    records: tuple[Release, ...]
    at: datetime


def last_words(keys: Iterable[str]) -> dict[str, LeftWord]:
    """The newest that runs left of the ledger, by deployment; one query, however many deployments.

    A deployment is missing of which no run has left any, Airflow has deleted it since, or this version
    cannot read it.
    """
    ids = {f"{kind}__{key}": key for key in keys for kind in _RECORDS}
    newest = func.row_number().over(partition_by=XComModel.dag_id, order_by=XComModel.timestamp.desc())
    ranked = (
        select(XComModel.dag_id, XComModel.value, XComModel.timestamp, newest.label("place"))
        .where(XComModel.key == LAST_WORD, XComModel.dag_id.in_(ids))
        .subquery()
    )
    with create_session() as session:
        rows: Sequence[Any] = session.execute(select(ranked).where(ranked.c.place == 1)).all()
    found: dict[str, LeftWord] = {}
    for row in rows:
        key = ids[row.dag_id]
        try:
            records = tuple(Release.model_validate(each) for each in XComModel.deserialize_value(row))
        except ValidationError:
            continue
        before = found.get(key)
        if before is None or records[0].sequence > before.records[0].sequence:
            found[key] = LeftWord(records, row.timestamp)
    return found

"""What a task asks of its DAG run: other tasks' results, who it is, whether another run still lives."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any, cast

from airflow.sdk import Context, timezone
from airflow.sdk.exceptions import AirflowRuntimeError

from endpoint_deploy.aws.lock import Holder
from endpoint_deploy.core.record import RunRef
from endpoint_deploy.core.redact import without_secrets
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.standing import LedgerWord
from endpoint_deploy.errors import TryAgain

LAST_WORD = "last_word"  # the XCom under which a run leaves what the ledger says with its record
_LIVE = frozenset({"queued", "running"})


def pull(context: Context, task_id: str, key: str = "return_value") -> Any:
    """Another task's XCom of this run; None where there is none."""
    return context["ti"].xcom_pull(task_ids=task_id, key=key)


def leave_word(context: Context, word: LedgerWord) -> None:
    """Leave in Airflow what the ledger says now, without evidence: for the pages, should AWS not answer."""
    records = [each.model_dump(mode="json", exclude={"evidence"}) for each in word.records]
    context["ti"].xcom_push(key=LAST_WORD, value=records)


def holder_of(context: Context) -> Holder:
    """This DAG run as a holder of the lock."""
    run = context["dag_run"]
    return Holder(dag_id=run.dag_id, run_id=run.run_id)


def run_ref(context: Context) -> RunRef:
    """This DAG run as the ledger names it."""
    run = cast("Any", context["dag_run"])
    return RunRef(
        dag_id=run.dag_id,
        run_id=run.run_id,
        run_type=str(getattr(run.run_type, "value", run.run_type)),
        triggered_by=getattr(run, "triggering_user_name", None),
    )


def started_at(context: Context) -> str:
    """When the run was started, or started anew after clearing: the same for every try of a task."""
    return str(cast("Any", context["dag_run"]).start_date.isoformat())


def run_record(context: Context, spec: DeploymentSpec, started: str | None = None) -> dict[str, Any]:
    """What every record says of its run, by RunRecord's names. It ends now.

    started: when it began, ISO 8601; else when the run was started.
    """
    started = started or started_at(context)
    now = timezone.utcnow()
    return {
        "deployment": spec.key,
        "endpoint": spec.endpoint_name,
        "asked_because": without_secrets(spec, str(context["params"].get("reason") or "")),
        "run": run_ref(context),
        "started_at": started,
        "finished_at": now.isoformat(),
        "seconds": round((now - datetime.fromisoformat(started)).total_seconds(), 3),
    }


def is_live_run(context: Context) -> Callable[[Holder], bool]:
    """A question to Airflow: is the run that holds a lock still queued or running? Raises TryAgain."""

    def is_live(other: Holder) -> bool:
        try:
            state = cast("Any", context["ti"]).get_dagrun_state(dag_id=other.dag_id, run_id=other.run_id)
        except AirflowRuntimeError as error:
            # A run that has been deleted holds nothing. Anything else says nothing about the run.
            if (error.error.detail or {}).get("status_code") == HTTPStatus.NOT_FOUND:
                return False
            raise TryAgain(f"Airflow cannot say whether run {other.run_id} still lives") from error
        return str(getattr(state, "value", state)) in _LIVE

    return is_live

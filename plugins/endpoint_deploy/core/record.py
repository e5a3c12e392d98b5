"""What every record of a run says, whatever the run did: which one it is, who ran it, how long it took."""

from typing import Literal

from pydantic import Field

from endpoint_deploy.core.strict import Strict


class RunRef(Strict):
    """The DAG run that did it."""

    dag_id: str
    run_id: str
    run_type: str
    triggered_by: str | None = None


class Failure(Strict):
    """The first task that failed, and what it said."""

    task_id: str
    message: str


class RunRecord(Strict):
    """One numbered record, written once and never changed. Times are UTC, ISO 8601; durations seconds."""

    schema_version: Literal[1] = 1
    sequence: int = 0
    deployment: str
    endpoint: str
    asked_because: str = ""
    failure: Failure | None = None
    run: RunRef
    started_at: str
    finished_at: str
    seconds: float
    phases: dict[str, float] = Field(default={})

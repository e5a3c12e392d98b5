"""The ledger's record of one release: what, from what, by whom, on which evidence, for how long."""

from typing import Any, Literal

from pydantic import Field

from endpoint_deploy.core.plan import RollBackTo
from endpoint_deploy.core.spec import Strict

Outcome = Literal["released", "rolled_back", "rollback_failed", "refused", "failed", "torn_down"]


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


class Release(Strict):
    """One line of the ledger, written once and never changed. Times are UTC, ISO 8601; durations seconds."""

    schema_version: Literal[1] = 1
    sequence: int = 0
    kind: Literal["deploy", "rollback", "teardown"]
    deployment: str
    endpoint: str
    outcome: Outcome
    asked_because: str = ""
    artifact: str | None = None
    artifact_sha256: str | None = None
    pinned: str | None = None
    image: str | None = None
    action: str | None = None
    config_before: str | None = None
    config_after: str | None = None
    models: tuple[str, ...] = ()
    live: RollBackTo | None = None
    failure: Failure | None = None
    evidence: dict[str, Any] = Field(default={})
    run: RunRef
    started_at: str
    finished_at: str
    seconds: float
    phases: dict[str, float] = Field(default={})

    @property
    def restorable(self) -> bool:
        """Whether a rollback may lead to it: it was proved, and what it ran on is known."""
        return self.outcome == "released" and self.config_after is not None

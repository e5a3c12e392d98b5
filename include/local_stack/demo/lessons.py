"""The demo's second scene: a model that is trained again as its data grow, and what has to come of it."""

from dataclasses import dataclass
from typing import Any

from local_stack.demo.traffic import Count

BY_ITSELF = "asset_triggered"  # Airflow's run_type of a run that new data, or an approval, have started


@dataclass(frozen=True)
class Lesson:
    """One retraining: what starts it, and how it must end."""

    name: str
    story: str
    outcome: str
    state: str
    started: str
    """The run's type in Airflow."""
    training_jobs: int
    """How many are paid for."""

    @property
    def releases(self) -> bool:
        """Whether its model is to be approved and released."""
        return self.outcome == "registered"


FIRST, GROWN, POISONED, CRIPPLED = LESSONS = (
    Lesson("first", "first, 150 digits", "registered", "success", BY_ITSELF, 1),
    Lesson("grown", "data grow to 1,000", "registered", "success", BY_ITSELF, 1),
    Lesson("poisoned", "poisoned data", "data_refused", "failed", BY_ITSELF, 0),
    Lesson("crippled", "a worse model", "model_refused", "failed", "manual", 1),
)


@dataclass(frozen=True)
class LessonResult:
    """What came of a retraining. `accuracy` is that of the live endpoint on the held-out rows, afterwards."""

    lesson: Lesson
    dag_run_id: str
    started: str
    state: str
    outcome: str
    reason: str
    seconds: float
    training_jobs: int
    deploy_started: str | None
    deploy_outcome: str | None
    config_before: str | None
    config_after: str | None
    accuracy_before: float | None
    accuracy: float
    data_docs: str | None
    """Where the page is that says what the gate found."""
    data_docs_fault: str | None
    """Why that page cannot be read; None where it can."""
    traffic: Count

    def problems(self) -> list[str]:
        """What did not come out as said; empty when all is well."""
        lesson = self.lesson
        found: list[str] = []
        if self.started != lesson.started:
            found.append(f"the run was {self.started}, expected {lesson.started}")
        if self.state != lesson.state:
            found.append(f"the run ended {self.state}, expected {lesson.state}")
        if self.outcome != lesson.outcome:
            found.append(f"the outcome is {self.outcome} ({self.reason}), expected {lesson.outcome}")
        if self.training_jobs != lesson.training_jobs:
            found.append(f"{self.training_jobs} training jobs were run, expected {lesson.training_jobs}")
        if self.data_docs_fault:
            found.append(f"the Data Docs cannot be read: {self.data_docs_fault}")
        if self.traffic.failed:
            found.append(f"{self.traffic.failed} client requests failed, the first: {self.traffic.errors[0]}")
        return found + (self._not_released() if lesson.releases else self._not_as_it_was())

    def _not_released(self) -> list[str]:
        found: list[str] = []
        if self.deploy_outcome != "released":
            found.append(f"the approved model was not released: {self.deploy_outcome}")
        if self.deploy_started != BY_ITSELF:
            found.append(f"the deploy run was {self.deploy_started}, expected {BY_ITSELF}")
        if self.config_after == self.config_before:
            found.append(f"the endpoint still serves {self.config_before}")
        if self.accuracy <= (self.accuracy_before or 0):
            found.append(f"the accuracy went from {self.accuracy_before} to {self.accuracy}")
        return found

    def _not_as_it_was(self) -> list[str]:
        found: list[str] = []
        if self.config_after != self.config_before:
            found.append(f"the endpoint went from {self.config_before} to {self.config_after}")
        if self.accuracy != self.accuracy_before:
            found.append(f"the accuracy went from {self.accuracy_before} to {self.accuracy}")
        return found

    def as_json(self) -> dict[str, Any]:
        """The entry in `demo.json`."""
        return {
            "retraining": self.lesson.name,
            "dag_run_id": self.dag_run_id,
            "started": self.started,
            "state": self.state,
            "outcome": self.outcome,
            "reason": self.reason,
            "seconds": round(self.seconds, 1),
            "training_jobs": self.training_jobs,
            "deploy_outcome": self.deploy_outcome,
            "config_before": self.config_before,
            "config_after": self.config_after,
            "accuracy_before": self.accuracy_before,
            "accuracy": self.accuracy,
            "data_docs": self.data_docs,
            "requests": self.traffic.requests,
            "requests_failed": self.traffic.failed,
        }

"""What the demo releases, one after another, and what has to come of it."""

from dataclasses import dataclass

from local_stack.demo.traffic import Count


@dataclass(frozen=True)
class Step:
    """One deploy run: the release it deploys, and how it must end."""

    release: int
    story: str
    outcome: str
    state: str
    changes_endpoint: bool


STEPS = (
    Step(1, "the first release", "released", "success", changes_endpoint=True),
    Step(2, "a better model", "released", "success", changes_endpoint=True),
    Step(3, "raises on predictions", "rolled_back", "failed", changes_endpoint=False),
    Step(4, "cannot start", "rolled_back", "failed", changes_endpoint=False),
    Step(5, "a malicious archive", "refused", "failed", changes_endpoint=False),
    Step(2, "release 2 once more", "nothing_to_do", "success", changes_endpoint=False),
)


@dataclass(frozen=True)
class Accuracy:
    """The live endpoint on the rows that training held out, beside what training measured itself."""

    through_endpoint: float
    offline: float
    rows: int
    prediction: dict[str, float]
    """Of the first of the rows."""
    truth: float

    def problems(self) -> list[str]:
        """The same model on the same rows: anything but equality is a fault on the way."""
        if self.through_endpoint == self.offline:
            return []
        return [
            f"the accuracy through the endpoint is {self.through_endpoint}, offline it was {self.offline}"
        ]


@dataclass(frozen=True)
class StepResult:
    """What came of a step."""

    step: Step
    dag_run_id: str
    state: str
    outcome: str
    reason: str
    seconds: float
    config_before: str | None
    config_after: str | None
    traffic: Count
    models_created: int
    """How many SageMaker models there are more than before."""

    def problems(self, known_variants: frozenset[str]) -> list[str]:
        """What did not come out as said; empty when all is well.

        `known_variants` answered clients before this step: where nothing is released, no other may.
        """
        step = self.step
        found: list[str] = []
        if self.state != step.state:
            found.append(f"the run ended {self.state}, expected {step.state}")
        if self.outcome != step.outcome:
            found.append(f"the outcome is {self.outcome} ({self.reason}), expected {step.outcome}")
        if (self.config_after != self.config_before) != step.changes_endpoint:
            found.append(f"the endpoint went from {self.config_before} to {self.config_after}")
        if self.traffic.failed:
            found.append(f"{self.traffic.failed} client requests failed, the first: {self.traffic.errors[0]}")
        if step.outcome == "refused" and self.models_created:
            found.append(f"{self.models_created} models were created for an archive that must be refused")
        strangers = frozenset(self.traffic.variants) - known_variants
        if not step.changes_endpoint and strangers:
            found.append(f"clients were answered by {sorted(strangers)}, which was never released")
        return found

    def as_json(self) -> dict[str, object]:
        """The entry in `demo.json`."""
        return {
            "release": self.step.release,
            "dag_run_id": self.dag_run_id,
            "state": self.state,
            "outcome": self.outcome,
            "seconds": round(self.seconds, 1),
            "config_before": self.config_before,
            "config_after": self.config_after,
            "requests": self.traffic.requests,
            "requests_failed": self.traffic.failed,
        }

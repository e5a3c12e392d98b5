"""What a page knows of what it shows: how old and how complete that is."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.release import Release
from endpoint_deploy.ui.airflow_side import last_words
from endpoint_deploy.ui.remembered import Answer
from endpoint_deploy.ui.service import Listed, Service


class Known:
    """What is said of some deployments, and how old and how complete that is."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.age = 0.0
        self.left_by_runs = False

    def take(self, what: str, answer: Answer[Any]) -> Any:
        """The answer's value, None where there is none; its problem and age are remembered."""
        if answer.problem:
            self.problems.append(f"{what}: {answer.problem}")
        self.age = max(self.age, answer.age or 0.0)
        return answer.value

    def latest(
        self, service: Service, deployments: Sequence[Deployment]
    ) -> dict[str, Sequence[Release] | None]:
        """The newest records, by deployment: of the ledger, or else what runs left of it in Airflow.

        None: neither can be had.
        """
        found: dict[str, Sequence[Release] | None] = {}
        for each in deployments:
            said = self.take("the ledger", service.latest(each))
            found[each.key] = None if said is None else said.get(each.spec.endpoint_name, ())
        unknown = [key for key, records in found.items() if records is None]
        for key, word in (last_words(unknown) if unknown else {}).items():
            found[key] = word.records
            self.left_by_runs = True
            self.age = max(self.age, (datetime.now(UTC) - word.at).total_seconds())
        return found

    def listed(self, service: Service, deployment: Deployment) -> Mapping[str, Listed] | None:
        """The endpoints of its account and region by name, None where they could not be listed."""
        found: Mapping[str, Listed] | None = self.take("SageMaker", service.listed(deployment))
        return found

    def document(self) -> dict[str, Any]:
        """`age_seconds` of the oldest part, and `problems`: each a sentence of what AWS did not answer.

        `left_by_runs`: whether the ledger could never be read, and what runs left of it in Airflow is shown.
        """
        return {
            "age_seconds": round(self.age, 1),
            "problems": sorted(set(self.problems)),
            "left_by_runs": self.left_by_runs,
        }

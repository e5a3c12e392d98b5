"""What was asked about a run's plan, and what was decided: kept in S3, each written once."""

from typing import TYPE_CHECKING

from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core.approval import Decision
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.errors import NotAsPlanned

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Question(Strict):
    """What a person is shown: a headline and a text in Markdown, about the plan of this digest."""

    subject: str
    body: str
    plan: str


class Approvals:
    """One run's, `<store>/approvals/<endpoint>/<run>/question.json` and `decision-<round>.json`.

    A round ends when the task is cleared; its retries belong to it.
    """

    def __init__(self, client: "S3Client", store: str, endpoint: str, run: str) -> None:
        self._documents = JsonStore(client, store)
        self._folder = f"approvals/{endpoint}/{run}"

    @property
    def asked(self) -> str:
        """Where the question lies."""
        return self._documents.uri(self._question)

    def ask(self, question: Question) -> bool:
        """Keep what is asked; whether it is asked for the first time.

        Raises NotAsPlanned where the run has asked something else before. Airflow keeps what the task's first
        try has asked, and shows it again whatever is asked later (upsert_hitl_detail in the Execution API):
        a person would decide about a plan that is not the one carried out.
        """
        if self._documents.create(self._question, question.model_dump()):
            return True
        found = self._documents.read(self._question)
        if found is None or Question.model_validate(found[0]) != question:
            raise NotAsPlanned(
                f"this run has asked for approval of another plan before ({self.asked}), and Airflow would "
                "show that one again; start a new run"
            )
        return False

    def decide(self, number: int, decision: Decision) -> Decision:
        """Keep a round's decision. Returns the one that counts: the first."""
        if self._documents.create(self._decision(number), decision.model_dump()):
            return decision
        return self.decided(number) or decision

    def decided(self, number: int) -> Decision | None:
        """A round's decision; None where there is none yet."""
        found = self._documents.read(self._decision(number))
        return Decision.model_validate(found[0]) if found else None

    @property
    def _question(self) -> str:
        return f"{self._folder}/question.json"

    def _decision(self, number: int) -> str:
        return f"{self._folder}/decision-{number:04}.json"

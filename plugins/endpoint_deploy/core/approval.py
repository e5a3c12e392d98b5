"""A decision about a plan: who took it, when, and what it means for the run."""

from typing import Literal

from endpoint_deploy.core import naming
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.errors import NotAsPlanned


class Decision(Strict):
    """What was decided about one plan, and by whom.

    `by`: a person in Airflow, the end of the time to decide, or the status of the package in the registry.
    `user`: the person's name as Airflow or the registry knows it. `at`: UTC, ISO 8601. `plan`: the digest of
    the plan that was shown. `asked`: the s3:// address of what was shown.
    """

    verdict: Literal["approved", "rejected"]
    by: Literal["person", "timeout", "registry"]
    at: str
    plan: str
    asked: str
    user: str | None = None
    note: str = ""

    @property
    def approved(self) -> bool:
        """Whether the release may go on."""
        return self.verdict == "approved"

    @property
    def sentence(self) -> str:
        """Who decided what, and why, in one sentence without its full stop."""
        note = f": {self.note}" if self.note else ""
        if self.by == "timeout":
            return f"{self.verdict}, since nobody had decided by {self.at}{note}"
        where = "in the model registry" if self.by == "registry" else "in Airflow"
        return f"{self.verdict} by {self.user or 'somebody'} {where} at {self.at}{note}"


def plan_digest(plan: Plan) -> str:
    """What a decision is bound to: another plan needs another decision."""
    return naming.digest(plan.model_dump(mode="json"))


def check_approved(plan: Plan, decision: Decision | None) -> None:
    """Raise NotAsPlanned unless exactly this plan was approved.

    A task that a person marks as a success in Airflow leaves no decision, and approves nothing.
    """
    if decision is None:
        found = "nobody has decided about it"
    elif not decision.approved:
        found = f"it was {decision.sentence}"
    elif decision.plan != plan_digest(plan):
        found = f"another plan was {decision.sentence}"
    else:
        return
    raise NotAsPlanned(
        f"the plan for endpoint {plan.endpoint} is not approved: {found}. The spec's section `approval` asks "
        "for a person's approval in the task `approve`: start a new run"
    )

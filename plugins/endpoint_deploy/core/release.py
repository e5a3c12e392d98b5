"""The ledger's record of one release: what, from what, by whom, on which evidence, for how long."""

from typing import Any, Literal

from pydantic import Field

from endpoint_deploy.core.approval import Decision
from endpoint_deploy.core.candidate import PromotedFrom
from endpoint_deploy.core.fields import Outcome
from endpoint_deploy.core.plan import RollBackTo
from endpoint_deploy.core.record import RunRecord
from endpoint_deploy.core.scaling import Scaling


class Release(RunRecord):
    """One line of the ledger."""

    kind: Literal["deploy", "rollback", "teardown"]
    outcome: Outcome
    model_package: str | None = None
    promoted_from: PromotedFrom | None = None
    artifact: str | None = None
    artifact_sha256: str | None = None
    pinned: str | None = None
    image: str | None = None
    action: str | None = None
    config_before: str | None = None
    config_after: str | None = None
    models: tuple[str, ...] = ()
    live: RollBackTo | None = None
    scaling: dict[str, Scaling] = Field(default={})
    approval: Decision | None = None
    evidence: dict[str, Any] = Field(default={})

    @property
    def restorable(self) -> bool:
        """Whether a rollback may lead to it: it was proved, and what it ran on is known."""
        return self.outcome == "released" and self.config_after is not None

"""What the sentinel has found: each thing that is wrong once, from when it is first seen until it is gone."""

from collections.abc import Collection, Iterable
from typing import Literal, get_args

from pydantic import Field

from endpoint_deploy.core.strict import Strict

DriftKind = Literal[
    "endpoint",
    "status",
    "configuration",
    "weights",
    "counts",
    "spec",
    "model",
    "artifact",
    "image",
    "role",
    "alarm",
    "canary",
]
KINDS: frozenset[DriftKind] = frozenset(get_args(DriftKind))
_KEPT_CLOSED = 100


class Drift(Strict):
    """One thing that is not as it should be; `subject` tells it from others of its kind."""

    kind: DriftKind
    subject: str
    message: str

    @property
    def identity(self) -> tuple[str, str]:
        """What makes it the same drift when it is seen again: numbers in its message may differ by then."""
        return self.kind, self.subject


class Finding(Drift):
    """A drift, from when it was first seen. Times are UTC, ISO 8601; `told` once the topics were notified."""

    since: str
    told: bool = False
    closed: str | None = None


class Baseline(Strict):
    """What was first seen behind a configuration: ETags by the archive's address, digests by the image's."""

    config: str | None = None
    artifacts: dict[str, str] = Field(default={})
    images: dict[str, str] = Field(default={})


class Findings(Strict):
    """One endpoint's. `closed` are the newest that are over, the newest last."""

    checked_at: str = ""
    open: tuple[Finding, ...] = ()
    closed: tuple[Finding, ...] = ()
    baseline: Baseline = Baseline()

    def after(self, found: Iterable[Drift], looked: Collection[DriftKind], at: str) -> "Findings":
        """What is known after a look. looked: the kinds that could be judged; others stay as they were."""
        seen = {drift.identity: drift for drift in found}
        known = {finding.identity for finding in self.open}
        still: list[Finding] = []
        over: list[Finding] = []
        for finding in self.open:
            if (again := seen.get(finding.identity)) is not None:
                still.append(finding.model_copy(update={"message": again.message}))
            elif finding.kind in looked:
                over.append(finding.model_copy(update={"closed": at}))
            else:
                still.append(finding)
        new = [Finding(**seen[key].model_dump(), since=at) for key in seen if key not in known]
        return Findings(
            checked_at=at,
            open=(*still, *new),
            closed=(*self.closed, *over)[-_KEPT_CLOSED:],
            baseline=self.baseline,
        )

    @property
    def untold(self) -> tuple[Finding, ...]:
        """The open ones that nobody was notified of."""
        return tuple(finding for finding in self.open if not finding.told)

    def with_told(self, identities: Collection[tuple[str, str]]) -> "Findings":
        """The same, the open ones of these identities told."""
        told = tuple(
            finding.model_copy(update={"told": True}) if finding.identity in identities else finding
            for finding in self.open
        )
        return self.model_copy(update={"open": told})

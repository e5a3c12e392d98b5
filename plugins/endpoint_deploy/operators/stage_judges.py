"""What a stage of a release may be judged by: its time alone, or the analysis."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from airflow.sdk import timezone

from endpoint_deploy.core.analysis_spec import AnalysisSpec
from endpoint_deploy.core.stages import Next, StageRecord, what_follows
from endpoint_deploy.judge.way_on import Way
from endpoint_deploy.operators.stage_analysis import StageAnalysis


@dataclass(frozen=True)
class Pace:
    """How long a stage lasts, at least and at most, and the pause between two looks, in seconds.

    most: None where its time alone ends it; 0 for least and most, and it is looked at once. ask: how long a
    person who is asked has for an answer.
    """

    least: float
    most: float | None
    look: float
    ask: float = 86_400.0


@dataclass(frozen=True)
class Found:
    """What a look has found: the stage with it, what follows, and why."""

    stage: StageRecord
    follows: Next
    why: str


class StageJudge(Protocol):
    """Looks at a stage, as often as it is asked to."""

    @property
    def open_end(self) -> str:
        """What a person is told where it has come to no end by itself."""
        ...

    def look(self, stage: StageRecord, share: str) -> Found:
        """One more look. share: of the traffic, in words."""
        ...

    def anew(self, stage: StageRecord) -> StageRecord:
        """The stage as a person wants it who asks for more samples."""
        ...

    def kept(self, stage: StageRecord) -> str:
        """The s3:// address of what its looks have found."""
        ...


@dataclass(frozen=True)
class ByTime:
    """Nothing but alarms, which are looked at in any case, speaks against the release."""

    pace: Pace
    open_end: str = "nothing is measured"

    def look(self, stage: StageRecord, share: str) -> Found:
        """It is over after its time."""
        elapsed = seconds_since(stage.began)
        follows = what_follows(
            elapsed=elapsed, least=self.pace.least, most=None, passed=True, in_analysis=False
        )
        return Found(stage, follows, f"nothing spoke against the release in {elapsed:.0f} s")

    def anew(self, stage: StageRecord) -> StageRecord:
        """Nobody is asked of such a stage."""
        return stage

    def kept(self, stage: StageRecord) -> str:
        """Nothing is."""
        return ""


@dataclass(frozen=True)
class ByAnalysis:
    """Champion and candidate are compared by the section `analysis`."""

    analysis: StageAnalysis
    spec: AnalysisSpec
    pace: Pace
    open_end: str = "neither good nor bad is proven"

    def look(self, stage: StageRecord, share: str) -> Found:
        """It passes, fails, or is undecided at the end of its time."""
        seen, on = self.analysis.look(stage)
        if on.way is Way.ROLL_BACK:
            return Found(seen, Next.GO_BACK, f"the analysis, {share}: {on.reason}")
        if on.way is Way.ASK:
            return Found(seen, Next.UNDECIDED, on.reason)
        follows = what_follows(
            elapsed=seconds_since(stage.began),
            least=self.pace.least,
            most=self._most(seen),
            passed=on.way is Way.PROMOTE,
            in_analysis=True,
        )
        if follows is Next.UNDECIDED:
            return self._close(seen, on.reason)
        return Found(seen, follows, on.reason)

    def anew(self, stage: StageRecord) -> StageRecord:
        """With one more comparison."""
        return self.analysis.anew(stage)

    def kept(self, stage: StageRecord) -> str:
        """The folder above those of the comparisons."""
        return self.analysis.folder(stage).rpartition("/")[0]

    def _most(self, stage: StageRecord) -> float | None:
        """Counted from the stage's beginning; a comparison that a person asked for has as long again."""
        if self.pace.most is None or stage.comparison is None or stage.began is None:
            return self.pace.most
        return self.pace.most + (stage.comparison.since - stage.began).total_seconds()

    def _close(self, stage: StageRecord, why: str) -> Found:
        """What the spec says of a stage that is still undecided at its end."""
        reason = f"undecided at the end of the step, after {self.pace.most:g} s: {why}"
        if self.spec.on_inconclusive == "fail":
            return Found(stage, Next.GO_BACK, f"analysis.on_inconclusive is fail: {reason}")
        last = stage.said[-1].verdict if stage.said else "error"
        if self.spec.on_inconclusive == "promote" and last == "inconclusive":
            return Found(stage, Next.GO_ON, f"analysis.on_inconclusive is promote: {reason}")
        return Found(stage, Next.UNDECIDED, reason)


def seconds_since(moment: datetime | None) -> float:
    """Seconds from a moment until now; 0 without one."""
    return (timezone.utcnow() - moment).total_seconds() if moment else 0.0

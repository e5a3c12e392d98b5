"""An A/B test as a stage of a release: it lasts until its metric names a winner."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow.sdk import timezone

from endpoint_deploy.analysis.look import Sides
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.ab_spec import AbTestRelease
from endpoint_deploy.core.stages import Next, Said, StageRecord, TestRecord
from endpoint_deploy.judge.way_on import Way
from endpoint_deploy.operators.stage_analysis import StageAnalysis
from endpoint_deploy.operators.stage_judges import Found, seconds_since

if TYPE_CHECKING:
    from endpoint_deploy.analysis.ab_look import AbLook


@dataclass(frozen=True)
class ByTest:
    """The metric names a winner; the analysis, where there is one, only stops a bad candidate before.

    book: the s3:// address of what is kept of the stage.
    """

    hook: EndpointHook
    release: AbTestRelease
    endpoint: str
    sides: Sides
    analysis: StageAnalysis | None
    book: str
    open_end: str = "the A/B test has no winner"

    def look(self, stage: StageRecord, share: str) -> Found:
        """One more look at both, each with what it has spent so far."""
        if self.analysis is not None:
            stage, on = self.analysis.look(stage)
            if on.way is Way.ROLL_BACK:
                return Found(stage, Next.GO_BACK, f"the analysis, {share}: {on.reason}")
        return self._look(stage)

    def anew(self, stage: StageRecord) -> StageRecord:
        """As much time again; a test whose samples are used up begins anew, with half of its errors."""
        test = self._test(stage)
        if test.standing is not None and self._exhausted(test):
            test = TestRecord(number=test.number + 1, since=timezone.utcnow())
        else:
            test = test.model_copy(update={"extended": test.extended + 1})
        return stage.model_copy(update={"test": test, "asked": None})

    def kept(self, stage: StageRecord) -> str:
        """The book itself has the last look's numbers."""
        return self.book

    def _look(self, stage: StageRecord) -> Found:
        from endpoint_deploy.analysis.ab_look import take_ab_look  # noqa: PLC0415 - scipy is not for parsing

        test, now = self._test(stage), timezone.utcnow()
        seen = take_ab_look(
            self.hook.cloudwatch,
            self.endpoint,
            self.sides,
            self.release.metric,
            test,
            now=now,
            may_win=seconds_since(test.since) >= self.release.least_seconds,
        )
        follows, why = self._follows(test, seen)
        update = {"standing": seen.standing, "evidence": {**seen.evidence, "way": follows.value}}
        kept = stage.model_copy(update={"test": test.model_copy(update=update)})
        if seen.winner != "nobody":
            kept = kept.with_said(Said(at=now, verdict=f"{seen.winner} wins", reason=seen.said))
        return Found(kept, follows, why)

    def _follows(self, test: TestRecord, seen: "AbLook") -> tuple[Next, str]:
        if seen.winner == "candidate":
            return Next.GO_ON, seen.said
        if seen.winner == "champion":
            return Next.GO_BACK, seen.said
        elapsed = seconds_since(test.since)
        if not seen.exhausted and elapsed < self.release.most_seconds * (1 + test.extended):
            return Next.WAIT, seen.said
        why = f"inconclusive after {elapsed:.0f} s: {seen.said}"
        ends = self.release.on_inconclusive
        if ends == "ask":
            return Next.UNDECIDED, why
        # What nothing is known of is not promoted.
        if ends == "promote" and not seen.silent:
            return Next.GO_ON, f"release.on_inconclusive is promote: {why}"
        return Next.GO_BACK, f"release.on_inconclusive is {ends}, the champion is kept: {why}"

    @staticmethod
    def _test(stage: StageRecord) -> TestRecord:
        return stage.test or TestRecord(since=stage.began or timezone.utcnow())

    @staticmethod
    def _exhausted(test: TestRecord) -> bool:
        standing = test.standing or {}
        return all((standing.get(looks) or [0])[-1] >= 1 for looks in ("win_looks", "stay_looks"))

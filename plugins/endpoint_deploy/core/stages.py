"""The stages of a release, the steps of its traffic and the watch after them: what was seen, what follows."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import AwareDatetime

from endpoint_deploy.core.strict import Strict


class Said(Strict):
    """A verdict of the analysis, from the look on at which it first was given, and a person's answer."""

    at: AwareDatetime
    verdict: str
    reason: str
    look: int | None = None
    by: str | None = None


class Comparison(Strict):
    """One comparison of candidate and champion: when it began, and how many looks were taken at it."""

    number: int = 1
    since: AwareDatetime
    looks: int = 0


class TestRecord(Strict):
    """An A/B test: since when samples count, how often a person has given it as much time again.

    number: of the test, of which a person may begin another; standing: its last look, with its numbers, None
    before the first; evidence: the same in words and numbers, as the analysis has them.
    """

    __test__ = False  # not one of pytest's

    number: int = 1
    since: AwareDatetime
    extended: int = 0
    standing: dict[str, Any] | None = None
    evidence: dict[str, Any] | None = None


class StageRecord(Strict):
    """A step of the traffic, an A/B test, or the watch, as far as it has come.

    percent: of the traffic, which the candidate has; began: when these weights were live, or the watch began.
    asked: when a person was asked, None where nobody is. said: verdicts as they changed, oldest first.
    analysis: the last look, with its numbers; test: the A/B test that the stage is.
    """

    name: str
    percent: int
    weights: dict[str, float]
    began: AwareDatetime | None = None
    ended: AwareDatetime | None = None
    outcome: Literal["passed", "failed"] | None = None
    reason: str = ""
    comparison: Comparison | None = None
    asked: AwareDatetime | None = None
    said: tuple[Said, ...] = ()
    analysis: dict[str, Any] | None = None
    test: TestRecord | None = None

    def with_said(self, said: Said) -> "StageRecord":
        """With one more verdict, unless it only repeats the one before."""
        last = self.said[-1] if self.said else None
        if last is not None and (last.verdict, last.by) == (said.verdict, said.by):
            return self
        return self.model_copy(update={"said": (*self.said, said)})

    def over(self, outcome: Literal["passed", "failed"], reason: str, at: datetime) -> "StageRecord":
        """Ended, for this reason."""
        return self.model_copy(update={"outcome": outcome, "reason": reason, "ended": at})


class Next(StrEnum):
    """What follows from a look at a stage."""

    GO_ON = "go_on"
    GO_BACK = "go_back"
    WAIT = "wait"
    UNDECIDED = "undecided"


def what_follows(
    *, elapsed: float, least: float, most: float | None, passed: bool, in_analysis: bool
) -> Next:
    """Whether a stage that nothing speaks against is over.

    Seconds. most: None for a stage that its time alone ends, such as the watch; passed: whether the analysis
    has; in_analysis: whether there is one.
    """
    if elapsed < least:
        return Next.WAIT
    if passed or not in_analysis or most is None:
        return Next.GO_ON
    return Next.UNDECIDED if elapsed >= most else Next.WAIT

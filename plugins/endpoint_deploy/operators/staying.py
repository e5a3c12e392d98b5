"""One try's stay at a stage of a release: look, keep what was found, and wait for the next look."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow.sdk import Context, timezone

from endpoint_deploy.aws.stages import StageBook
from endpoint_deploy.core.observed import same_weights
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.stages import Next, Said, StageRecord
from endpoint_deploy.errors import NotAsPlanned, ReleaseFailed
from endpoint_deploy.operators.stage_judges import Pace, StageJudge, seconds_since
from endpoint_deploy.operators.stage_question import MORE, ROLL_BACK, ask

if TYPE_CHECKING:
    from endpoint_deploy.operators.stage_task import StageTask

_WORTH_DEFERRING = 4.0  # seconds: a deferral itself takes some three
# Seconds, at least, while a person is asked. Airflow takes a task that is woken before its scheduler has seen
# it wait for one that its executor has lost (process_executor_events), which costs a try; many short pauses
# cost them all. An answer wakes the task at once all the same.
_WHILE_ASKED = 10.0


@dataclass
class Staying:
    """What it finds is kept before anything follows from it. judge: what the stage is judged by."""

    task: "StageTask"
    context: Context
    plan: Plan
    book: StageBook
    before: tuple[StageRecord, ...]
    stage: StageRecord
    pace: Pace
    judge: StageJudge

    def look(self) -> None:
        """One look, and what follows from it; defers, or sleeps, until the next one."""
        try:
            self._check_in_place()
            self.task.check_alarms(self.context, self.plan, self._share)
            follows, why = self._wait_for_answer() if self.stage.asked else self._judge()
        except ReleaseFailed as error:
            follows, why = Next.GO_BACK, str(error)
        if follows in {Next.GO_ON, Next.GO_BACK}:
            passed = follows is Next.GO_ON
            self._keep(self.stage.over("passed" if passed else "failed", why, timezone.utcnow()))
            return
        if follows is Next.UNDECIDED:
            self.ask(why)
        self._pause()

    def ask(self, why: str) -> None:
        """Ask a person."""
        self.task.log.warning("asking a person: %s", why)
        ask(
            self.context,
            self.task.hook,
            self.task.spec,
            self.stage,
            open_end=self.judge.open_end,
            why=why,
            kept=self.judge.kept(self.stage),
        )
        if self.stage.asked is None:
            self._keep(self.stage.model_copy(update={"asked": timezone.utcnow()}))

    def take(self, chosen: str, user: str) -> None:
        """Go on as a person has decided."""
        if self.stage.asked is None:
            return
        now = timezone.utcnow()
        reason = f"{user} has decided in Airflow: {chosen}"
        stage = self.stage.with_said(Said(at=now, verdict=chosen, reason=reason, by=user))
        if chosen == MORE:
            self._keep(self.judge.anew(stage))
        else:
            self._keep(stage.over("failed" if chosen == ROLL_BACK else "passed", reason, now))

    @property
    def _share(self) -> str:
        return f"with {self.stage.percent} % of the traffic on the candidate"

    def _judge(self) -> tuple[Next, str]:
        found = self.judge.look(self.stage, self._share)
        self._keep(found.stage)
        self.task.log.info("%s, %s: %s", self.stage.name, found.follows, found.why)
        return found.follows, found.why

    def _wait_for_answer(self) -> tuple[Next, str]:
        limit = self.pace.ask
        if seconds_since(self.stage.asked) >= limit:
            raise ReleaseFailed(f"nobody has answered within {limit:g} s whether to promote the release")
        return Next.WAIT, "a person is asked"

    def _check_in_place(self) -> None:
        """What somebody else has changed meanwhile cannot be judged."""
        plan, stage = self.plan, self.stage
        seen = self.task.hook.find_endpoint(plan.endpoint)
        if seen is None or seen.config != plan.staged_on or not same_weights(seen.weights, stage.weights):
            found = f"{_listed(seen.weights)} on {seen.config}" if seen else "no endpoint"
            raise NotAsPlanned(
                f"the endpoint was changed while the release was under way: expected "
                f"{_listed(stage.weights)} on {plan.staged_on}, found {found}"
            )

    def _pause(self) -> None:
        """Until the next look, or the end of the stage where that comes first."""
        left = self.pace.least - seconds_since(self.stage.began)
        seconds = min(self.pace.look, left) if left > 0 else self.pace.look
        if self.stage.asked:
            self.task.defer_until_look(max(self.pace.look, _WHILE_ASKED), asked_in=str(self.context["ti"].id))
        if seconds >= _WORTH_DEFERRING:
            self.task.defer_until_look(seconds, asked_in=None)
        time.sleep(seconds)

    def _keep(self, stage: StageRecord) -> None:
        if stage != self.stage:
            self.stage = stage
            self.book.keep((*self.before, stage))


def _listed(weights: dict[str, float]) -> str:
    return ", ".join(f"{name} {weight:g}" for name, weight in weights.items())

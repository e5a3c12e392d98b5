"""What `shift_traffic` and `watch` share: a stage of the release is looked at until it is over."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NoReturn, cast

from airflow.sdk import Context

from endpoint_deploy.aws.stages import StageBook
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.stages import StageRecord
from endpoint_deploy.errors import ReleaseFailed
from endpoint_deploy.operators.stage_analysis import StageAnalysis
from endpoint_deploy.operators.stage_judges import ByAnalysis, ByTime, Pace, StageJudge
from endpoint_deploy.operators.stage_question import OPTIONS, answered
from endpoint_deploy.operators.staying import Staying
from endpoint_deploy.task_base import SLACK, ReleaseTask
from endpoint_deploy.task_links import ON_THE_ENDPOINT
from endpoint_deploy.triggers.look_due import LookDueTrigger

BOOK = "book"  # the XCom under which a task leaves where its stages are kept


class StageTask(ReleaseTask):
    """A task of stages. They are kept in S3, so that a retry goes on where the try before it stopped."""

    operator_extra_links = ON_THE_ENDPOINT
    watches = False  # whether its stage is the watch

    def look_again(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """After a pause, or with a person's answer: the same work again, from what is live and kept."""
        return self._under_policy(
            context, lambda: self.perform(context, resumed=True, answer=answered(event))
        )

    def open_book(self, context: Context) -> StageBook:
        """Where this task's stages are kept; the ledger's record finds them by the task's XCom."""
        spec = self.spec
        # How many tries there had been when the task was last cleared: its retries share it.
        number = int(cast("Any", context["ti"]).max_tries) - (self.retries or 0)
        key = StageBook.key_of(spec.endpoint_name, self.created_by(context), self.task_id, number)
        context["ti"].xcom_push(key=BOOK, value=key)
        return StageBook(self.hook.s3, spec.aws.store, key)

    def check_alarms(self, context: Context, plan: Plan, during: str) -> None:
        """Raise ReleaseFailed where an alarm rings, of the spec or of the release's own while it is there.

        What a rollback undoes may make one of the spec's ring.
        """
        if self.is_restore(context):
            return
        states = self.hook.alarm_states((*self.spec.alarms, *(alarm.name for alarm in plan.alarms)))
        ringing = [name for name, state in states.items() if state == "ALARM"]
        if ringing:
            raise ReleaseFailed(f"{', '.join(ringing)} went to ALARM {during}; expected OK")

    def stay(
        self,
        context: Context,
        plan: Plan,
        book: StageBook,
        stages: Sequence[StageRecord],
        pace: Pace,
        *,
        answer: tuple[str, str] | None = None,
        resumed: bool = False,
    ) -> tuple[StageRecord, ...]:
        """Look at the last stage until it is over, and return them all; defers in between.

        answer: a person's, and who gave it. Raises ReleaseFailed where something speaks against the release.
        """
        *before, stage = stages
        staying = Staying(
            task=self,
            context=context,
            plan=plan,
            book=book,
            before=tuple(before),
            stage=stage,
            pace=pace,
            judge=self.judge_of(context, plan, pace),
        )
        if staying.stage.asked and not resumed:
            staying.ask("asked again, by another try")
        if answer:
            staying.take(*answer)
        while staying.stage.outcome is None:
            staying.look()
        if staying.stage.outcome == "failed":
            raise ReleaseFailed(staying.stage.reason)
        self.log.info("%s: %s", staying.stage.name, staying.stage.reason)
        return (*staying.before, staying.stage)

    def judge_of(self, context: Context, plan: Plan, pace: Pace) -> StageJudge:
        """What a stage of this pace is judged by."""
        analysis = self.analysis_of(context, plan) if pace.most != 0 else None
        if analysis is None or self.spec.analysis is None:
            return ByTime(pace)
        return ByAnalysis(analysis, self.spec.analysis, pace)

    def analysis_of(
        self, context: Context, plan: Plan, *, watches: bool | None = None
    ) -> StageAnalysis | None:
        """The release's analysis, where there is one; watches: whether it goes on after a pass."""
        return StageAnalysis.of(
            self.hook,
            self.deployment,
            plan,
            run_key=self.created_by(context),
            watches=self.watches if watches is None else watches,
        )

    def defer_until_look(self, seconds: float, *, asked_in: str | None) -> NoReturn:
        """Free the worker until the next look, or the answer of a person who was asked in this task."""
        self.defer(
            trigger=LookDueTrigger(at=time.time() + seconds, ti_id=asked_in, options=OPTIONS),
            method_name="look_again",
            timeout=SLACK + timedelta(seconds=seconds),
        )

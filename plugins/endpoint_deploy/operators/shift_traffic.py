"""Move the traffic from champion to candidate by their weights, in the plan's steps."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context, timezone
from botocore.exceptions import ClientError

from endpoint_deploy.analysis.look import sides_of
from endpoint_deploy.aws import errors
from endpoint_deploy.core.ab_spec import AbTestRelease
from endpoint_deploy.core.observed import ObservedEndpoint, same_weights
from endpoint_deploy.core.plan import Plan, Shift, ShiftStep, VariantTarget
from endpoint_deploy.core.release_spec import StepSpec
from endpoint_deploy.core.slots import filled
from endpoint_deploy.core.stages import StageRecord
from endpoint_deploy.errors import NotAsPlanned, ReleaseFailed
from endpoint_deploy.operators.run_states import check_nothing_failed
from endpoint_deploy.operators.stage_judges import Pace, StageJudge
from endpoint_deploy.operators.stage_task import StageTask
from endpoint_deploy.operators.stage_test import ByTest

_AT_ONCE = Pace(least=0, most=0, look=1)  # the last step: `watch` is what stays with it


class ShiftTrafficOperator(StageTask):
    """UpdateEndpointWeightsAndCapacities, a step at a time; each but the last is kept until it is judged.

    A try goes on at the step where the one before it stopped; a task that is cleared starts anew. Returns the
    last step's weights.
    """

    def perform(
        self,
        context: Context,
        *,
        resumed: bool = False,
        answer: tuple[str, str] | None = None,
        **carried: Any,
    ) -> dict[str, Any]:
        """Walk the steps; raises ReleaseFailed where something speaks against the release."""
        check_nothing_failed(context)
        plan = self.plan_of(context)
        shift = filled(plan.shift)
        self.hold_lock(context)
        if self._standing(plan, shift).in_progress:
            self.defer_until_settled()
        book, walk = self.open_book(context), shift.walk
        stages = book.read() or (_record(walk[0]),)
        while True:
            step = walk[len(stages) - 1]
            if stages[-1].began is None:
                book.keep(stages)  # before the change: a try that dies in between goes on from here
            self._give(plan, shift, step)
            if stages[-1].began is None:
                stages = (*stages[:-1], stages[-1].model_copy(update={"began": timezone.utcnow()}))
                book.keep(stages)
            last = len(stages) == len(walk)
            pace = _AT_ONCE if last else self._pace
            stages = self.stay(context, plan, book, stages, pace, answer=answer, resumed=resumed)
            answer = None
            if last:
                steps = [each.percent for each in walk]
                return {"weights": shift.weights, "steps": steps, **_winner(stages)}
            stages = (*stages, _record(walk[len(stages)]))

    @property
    def _pace(self) -> Pace:
        release = self.spec.release
        if isinstance(release, AbTestRelease):
            return Pace(
                least=0, most=release.most_seconds, look=release.look_seconds, ask=release.ask_seconds
            )
        step = release.step if release.strategy == "staged" else StepSpec()
        return Pace(
            least=step.least_seconds, most=step.most_seconds, look=step.look_seconds, ask=step.ask_seconds
        )

    def judge_of(self, context: Context, plan: Plan, pace: Pace) -> StageJudge:
        """A step of an A/B test is judged by its metric, and lasts as long as that takes."""
        release, sides = self.spec.release, sides_of(plan)
        if plan.test is None or pace is _AT_ONCE or sides is None or not isinstance(release, AbTestRelease):
            return super().judge_of(context, plan, pace)
        return ByTest(
            hook=self.hook,
            release=release,
            endpoint=plan.endpoint,
            sides=sides,
            analysis=self.analysis_of(context, plan, watches=True),
            book=self.open_book(context).uri,
        )

    def _standing(self, plan: Plan, shift: Shift) -> ObservedEndpoint:
        """What is live, which must be what the plan shifts traffic on."""
        seen = self.hook.find_endpoint(plan.endpoint)
        self.skip_where_final(plan, seen)
        if seen is None or seen.config != plan.staged_on or seen.weights.keys() != shift.weights.keys():
            found = f"{', '.join(seen.weights)} on {seen.config}" if seen else "no endpoint"
            raise NotAsPlanned(
                f"the plan is stale: expected {', '.join(shift.weights)} on {plan.staged_on}, found {found}; "
                "clear from plan"
            )
        return seen

    def _give(self, plan: Plan, shift: Shift, step: ShiftStep) -> None:
        """Make the step's weights live."""
        seen = self._standing(plan, shift)
        if not same_weights(seen.weights, step.weights):
            self.log.info("giving the candidate %d %% of the traffic: %s", step.percent, step.weights)
            self._set(plan.endpoint, step.weights)
        # An instance that is lost on a step is for the step's looks to judge, not to be waited for.
        last = step.percent == shift.walk[-1].percent
        targets = tuple(
            VariantTarget(name=v.name, count=v.desired_count if last else None, weight=step.weights[v.name])
            for v in seen.variants
        )
        end = self.await_settled(seen.config, targets)
        if end.phase != "settled":
            raise ReleaseFailed(f"the traffic did not shift: {end.reason}")

    def _set(self, endpoint: str, wanted: dict[str, float]) -> None:
        try:
            self.hook.set_weights(endpoint, wanted)
        except ClientError as error:
            # A lost answer tried again meets its own change; autoscaling may have come in between, too.
            if not errors.is_in_progress(error):
                raise
            self.defer_until_settled()


def _winner(stages: Sequence[StageRecord]) -> dict[str, Any]:
    """How an A/B test ended, for the run's result."""
    return next(({"test": each.reason} for each in stages if each.test), {})


def _record(step: ShiftStep) -> StageRecord:
    return StageRecord(name=f"{step.percent}-percent", percent=step.percent, weights=step.weights)

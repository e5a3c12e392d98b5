"""Watch a release that has all the traffic, while the way back is still short."""

from typing import Any

from airflow.sdk import Context, timezone

from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.release_spec import StepSpec
from endpoint_deploy.core.slots import filled
from endpoint_deploy.core.stages import StageRecord
from endpoint_deploy.errors import NotAsPlanned
from endpoint_deploy.operators.run_states import check_nothing_failed
from endpoint_deploy.operators.stage_judges import Pace
from endpoint_deploy.operators.stage_task import StageTask


class WatchOperator(StageTask):
    """Look at alarms, and where there is one at the analysis, until the watch is over.

    A staged release's champion stands by at weight 0 for as long. Returns for how long it was watched.
    """

    watches = True

    def perform(
        self,
        context: Context,
        *,
        resumed: bool = False,
        answer: tuple[str, str] | None = None,
        **carried: Any,
    ) -> dict[str, Any]:
        """Watch; raises ReleaseFailed where something speaks against the release."""
        check_nothing_failed(context)
        plan = self.plan_of(context)
        watch = filled(plan.watch)
        self.hold_lock(context)
        self.skip_where_final(plan, self.hook.find_endpoint(plan.endpoint))
        book = self.open_book(context)
        if not (stages := book.read()):
            stages = (self._begin(plan),)
            book.keep(stages)
        release = self.spec.release
        asking = release.step if release.strategy == "staged" else StepSpec()
        pace = Pace(least=watch.seconds, most=None, look=release.watch.look_seconds, ask=asking.ask_seconds)
        (stage,) = self.stay(context, plan, book, stages, pace, answer=answer, resumed=resumed)
        return {"seconds": watch.seconds, "reason": stage.reason}

    def _begin(self, plan: Plan) -> StageRecord:
        wanted = plan.shift.weights if plan.shift else _weights_after(plan)
        return StageRecord(name="watch", percent=100, weights=wanted, began=timezone.utcnow())


def _weights_after(plan: Plan) -> dict[str, float]:
    if plan.change is None:
        raise NotAsPlanned("the plan changes nothing that could be watched; clear from plan")
    return {variant.name: variant.weight for variant in plan.change.variants}

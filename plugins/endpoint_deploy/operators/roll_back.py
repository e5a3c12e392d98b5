"""On any failure bring the old release back, and prove that too."""

from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import TypeAdapter

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.sweep import sweep
from endpoint_deploy.core import requests, rollback, tags
from endpoint_deploy.core.observed import same_weights
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.rollback import Step, next_step
from endpoint_deploy.errors import ReleaseFailed
from endpoint_deploy.task_base import ReleaseTask, pull, run_ref

_MOST_STEPS = 16  # the longest way: ten variants whose counts go one at a time, and what comes before
_STEPS: TypeAdapter[list[Step]] = TypeAdapter(list[Step])


class RollBackOperator(ReleaseTask):
    """Walk from whatever is live to what was live when the plan was made, step by step.

    Each step is decided anew from what is live, so a crash in between loses nothing. Returns where it led,
    with its proof; skips where the run had changed nothing.
    """

    def perform(
        self,
        context: Context,
        *,
        resumed: bool = False,
        taken: list[dict[str, Any]] | None = None,
        **carried: Any,
    ) -> dict[str, Any]:
        """Roll back; raises ReleaseFailed where the endpoint cannot be brought back or does not serve."""
        plan = self.plan_of(context)
        if self._is_recorded(context):
            raise AirflowSkipException("this run's release stands in the ledger; use the rollback DAG")
        self._hold_lock_if_possible(context)
        if not resumed and not self._was_changed(context, plan):
            self._sweep(context, plan)
            raise AirflowSkipException("nothing was changed, so there is nothing to roll back")
        if not self.spec.rollback.enabled:
            raise AirflowSkipException("rollback.enabled is false: the endpoint is left for a person")
        steps = _STEPS.validate_python(taken or [])
        while len(steps) <= _MOST_STEPS:
            step = next_step(plan, self.hook.find_endpoint(plan.endpoint), steps)
            self.log.info("next step: %s", step.model_dump())
            if isinstance(step, rollback.Stuck):
                raise ReleaseFailed(step.reason)
            if isinstance(step, rollback.Done):
                return self._done(context, plan, step.reason)
            if isinstance(step, rollback.Wait):
                self._wait(steps)
            else:
                self._take(plan, step, context)
                steps.append(step)
        raise ReleaseFailed(f"endpoint {plan.endpoint} does not come back within {_MOST_STEPS} steps")

    def _take(self, plan: Plan, step: Step, context: Context) -> None:
        self.expired = False
        endpoint = plan.endpoint
        try:
            if isinstance(step, rollback.Adjust):
                self.hook.set_weights(endpoint, step.weights, step.counts)
            elif isinstance(step, rollback.Update):
                self.hook.update_to(endpoint, step.config, retain=step.retain)
            elif isinstance(step, rollback.Create):
                its_tags = {**requests.base_tags(self.spec), tags.CREATED_BY: self.created_by(context)}
                self.hook.create_on(endpoint, step.config, its_tags)
            elif isinstance(step, rollback.Delete):
                self.check_ours()
                self.hook.delete_endpoint_if_there(endpoint)
        except ClientError as error:
            # A lost answer, tried again: the change it asks for is under way, and is waited for next.
            if not (errors.is_in_progress(error) or errors.is_taken(error)):
                raise

    def _wait(self, steps: list[Step]) -> None:
        if not self.settles_soon(lambda seen: seen is None or not seen.in_progress):
            self.defer_until_settled(
                timeout_seconds=self.spec.rollback.timeout_seconds, taken=_STEPS.dump_python(steps)
            )

    def _was_changed(self, context: Context, plan: Plan) -> bool:
        """Whether this run has touched the endpoint, also where a task died before it could say so.

        What somebody else has changed meanwhile is not this run's to take back.
        """
        # Values from before the run was cleared may still be there: only what this plan asked for counts.
        applied, shifted = pull(context, "apply_endpoint"), pull(context, "shift_traffic")
        if applied and plan.change and applied["config"] == plan.change.config:
            return True
        if shifted and plan.shift and shifted["weights"] == plan.shift.weights:
            return True
        seen = self.hook.find_endpoint(plan.endpoint)
        if seen is None:
            return plan.expects.config is not None and plan.change is not None
        own = plan.own_configs - {plan.expects.config}
        if own & {seen.config, seen.pending_config} or plan.action == "resume":
            return True
        back = plan.roll_back_to
        return (
            plan.shift is not None
            and back is not None
            and seen.config == back.config
            and not same_weights(seen.weights, {v.name: v.weight for v in back.variants})
        )

    def _done(self, context: Context, plan: Plan, reason: str) -> dict[str, Any]:
        target = plan.roll_back_to
        proof = None
        if target is not None:
            serving = [variant.name for variant in target.variants if variant.weight > 0]
            try:
                proof = self.prove(context, serving)
            except ReleaseFailed as error:
                raise ReleaseFailed(
                    f"{target.config} is live again as before, but it does not pass the spec's smoke "
                    f"tests: {error}"
                ) from error
        return {
            "config": target.config if target else None,
            "reason": f"Rolled back: {reason}.",
            "removed": self._sweep(context, plan),
            "proof": proof,
        }

    def _sweep(self, context: Context, plan: Plan) -> list[str]:
        """Leftovers are no reason to call a good rollback failed."""
        try:
            return sweep(self.hook, plan, self.created_by(context))
        except (ClientError, BotoCoreError) as error:
            if errors.is_passing(error):
                raise  # the next try removes them
            self.log.warning("could not remove what the failed release has made: %s", error)
            return []

    def _hold_lock_if_possible(self, context: Context) -> None:
        """Only another live run stops a rollback: S3 may be what is failing."""
        try:
            self.hold_lock(context)
        except (ClientError, BotoCoreError) as error:
            self.log.warning("rolling back without the endpoint's lock: %s", error)

    def _is_recorded(self, context: Context) -> bool:
        """Whether a task was cleared after the release was complete: it must not be taken back by that."""
        planned_at = pull(context, "plan", "planned_at")
        try:
            return self.kit.ledger.has_released(run_ref(context), planned_at)
        except (ClientError, BotoCoreError) as error:
            self.log.warning("rolling back without the ledger: %s", error)
            return False

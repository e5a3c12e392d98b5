"""On any failure bring the old release back, and prove that too."""

from typing import Any, NoReturn

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException
from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.sweep import sweep
from endpoint_deploy.core import requests, rollback, tags
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.rollback import next_step
from endpoint_deploy.errors import ReleaseFailed
from endpoint_deploy.task_base import ReleaseTask, pull

_MOST_STEPS = 8  # the longest way (wait, weights, update, wait, counts) has five; more is going in circles


class RollBackOperator(ReleaseTask):
    """Walk from whatever is live to what was live when the plan was made, step by step.

    Each step is decided anew from what is live, so a crash in between loses nothing. Returns where it led,
    with its proof; skips where the run had changed nothing.
    """

    def perform(
        self, context: Context, *, resumed: bool = False, steps: int = 0, **carried: Any
    ) -> dict[str, Any]:
        """Roll back; raises ReleaseFailed where the endpoint cannot be brought back or does not serve."""
        plan = self.plan_of(context)
        if not self.spec.rollback.enabled:
            raise ReleaseFailed("rollback.enabled is false in the spec: the endpoint is left for a person")
        self.hold_lock(context)
        changed = steps > 0 or self._was_changed(context, plan)
        while True:
            step = next_step(plan, self.hook.find_endpoint(plan.endpoint))
            self.log.info("next step: %s", step.model_dump())
            if isinstance(step, rollback.Stuck):
                raise ReleaseFailed(step.reason)
            if isinstance(step, rollback.Done):
                return self._done(context, plan, step.reason, changed=changed)
            changed = True
            if isinstance(step, rollback.Wait):
                self._wait(steps)
                continue
            steps += 1
            if steps > _MOST_STEPS:
                raise ReleaseFailed(
                    f"the endpoint does not come back: still to do after {steps - 1} steps: {step}"
                )
            self._take(plan, step, context)

    def _take(self, plan: Plan, step: rollback.Step, context: Context) -> None:
        endpoint = plan.endpoint
        try:
            if isinstance(step, rollback.Adjust):
                self.hook.set_weights(endpoint, step.weights, step.counts)
            elif isinstance(step, rollback.Update):
                # Where the champion still stands on the endpoint, its counts and weights are kept.
                self.hook.update_to(endpoint, step.config, retain=("DataCaptureConfig",))
            elif isinstance(step, rollback.Create):
                its_tags = {**requests.base_tags(self.spec), tags.CREATED_BY: self.created_by(context)}
                self.hook.create_on(endpoint, step.config, its_tags)
            elif isinstance(step, rollback.Delete):
                self.hook.delete_endpoint_if_there(endpoint)
        except ClientError as error:
            # A lost answer, tried again: the change it asks for is under way, and is waited for next.
            if not (errors.is_in_progress(error) or errors.is_taken(error)):
                raise

    def _wait(self, steps: int) -> None:
        if not self.settles_soon(lambda seen: seen is None or not seen.in_progress):
            self._defer(steps)

    def _defer(self, steps: int) -> NoReturn:
        self.defer_until_settled(timeout_seconds=self.spec.rollback.timeout_seconds, steps=max(steps, 1))

    def _was_changed(self, context: Context, plan: Plan) -> bool:
        """Whether an earlier task of this run has touched the endpoint, as far as it could say so."""
        if any(pull(context, task) for task in ("apply_endpoint", "shift_traffic", "retire_champion")):
            return True
        seen = self.hook.find_endpoint(plan.endpoint)
        found = (seen.status, seen.config) if seen else (None, None)
        return found != (plan.expects.status, plan.expects.config)

    def _done(self, context: Context, plan: Plan, reason: str, *, changed: bool) -> dict[str, Any]:
        removed = sweep(self.hook, plan, self.created_by(context))
        if not changed:
            raise AirflowSkipException("nothing was changed, so there is nothing to roll back")
        target = plan.roll_back_to
        proof = None
        if target is not None:
            serving = [variant.name for variant in target.variants if variant.weight > 0]
            proof = self.prove(context, serving, "rolled-back")
        return {
            "config": target.config if target else None,
            "reason": f"Rolled back: {reason}.",
            "removed": removed,
            "proof": proof,
        }

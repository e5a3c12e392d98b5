"""On any failure bring the old release back, and prove that too."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from airflow.sdk import Context, timezone
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import TypeAdapter

from endpoint_deploy.airflow_versions import AirflowSkipException
from endpoint_deploy.aws import errors
from endpoint_deploy.aws.scaling_steps import clear_the_way, restore
from endpoint_deploy.aws.sweep import sweep
from endpoint_deploy.core import requests, rollback, tags
from endpoint_deploy.core.approval import Decision
from endpoint_deploy.core.observed import same_weights
from endpoint_deploy.core.outcome import was_cut_off, why_incomplete
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.rollback import Step, next_step
from endpoint_deploy.errors import ReleaseFailed
from endpoint_deploy.operators.run_states import errors_of, longest_life, states_and_phases
from endpoint_deploy.run_context import pull, run_ref
from endpoint_deploy.task_base import ReleaseTask
from endpoint_deploy.task_links import ON_THE_ENDPOINT

_MOST_STEPS = 16  # the longest way: ten variants whose counts go one at a time, and what comes before
_BEGAN, _BY_WEIGHTS, _BACK = "began", "by_weights", "traffic_back_seconds"  # keys of its own XComs
_STEPS: TypeAdapter[list[Step]] = TypeAdapter(list[Step])


class RollBackOperator(ReleaseTask):
    """Walk from whatever is live to what was live when the plan was made, step by step.

    Runs whatever happened, also where a person ended the run; skips where the release is complete, or where
    the run had changed nothing. Each step is decided anew from what is live, so a crash in between loses
    nothing. Returns where it led, with its proof. chain: ids of the happy path's tasks, in order.
    """

    operator_extra_links = ON_THE_ENDPOINT

    def __init__(self, *, chain: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chain = chain

    def perform(
        self,
        context: Context,
        *,
        resumed: bool = False,
        taken: list[dict[str, Any]] | None = None,
        **carried: Any,
    ) -> dict[str, Any]:
        """Roll back; raises ReleaseFailed where the endpoint cannot be brought back or does not serve."""
        self._look_at_the_run(context, resumed=resumed)
        plan = self.plan_of(context)
        if (decided := pull(context, "approve")) and not Decision.model_validate(decided).approved:
            raise AirflowSkipException("the release was rejected before it changed anything")
        if self._is_recorded(context):
            raise AirflowSkipException("this run's release stands in the ledger; use the rollback DAG")
        self._hold_lock_if_possible(context)
        if not resumed and not self._was_changed(context, plan):
            self._sweep(context, plan)
            raise AirflowSkipException("nothing was changed, so there is nothing to roll back")
        if not self.spec.rollback.enabled:
            raise AirflowSkipException("rollback.enabled is false: the endpoint is left for a person")
        if not resumed:
            context["ti"].xcom_push(key=_BEGAN, value=timezone.utcnow().isoformat())
        steps = _STEPS.validate_python(taken or [])
        while len(steps) <= _MOST_STEPS:
            step = next_step(plan, self.hook.find_endpoint(plan.endpoint), steps)
            self.log.info("next step: %s", step.model_dump())
            self._say_when_back(context, step, steps)
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

    def _look_at_the_run(self, context: Context, *, resumed: bool) -> None:
        """Skip where the happy path went through; wait where a task of it may still be at work."""
        if resumed:
            return
        states, _ = states_and_phases(context)
        said = errors_of(context, self.chain, states)
        if why_incomplete(self.chain, states, said) is None:
            raise AirflowSkipException("no task has failed, so there is nothing to roll back")
        if was_cut_off(self.chain, states, said):
            seconds = longest_life()
            self.log.info("a task was ended from outside: waiting %d s until it is dead for sure", seconds)
            time.sleep(seconds)

    def _take(self, plan: Plan, step: Step, context: Context) -> None:
        self.expired = False
        endpoint = plan.endpoint
        try:
            if isinstance(step, rollback.Adjust):
                self.hook.set_weights(endpoint, step.weights, step.counts)
            elif isinstance(step, rollback.Update):
                clear_the_way(self.hook, plan, step.config)
                self.hook.update_to(endpoint, step.config, retain=step.retain)
            elif isinstance(step, rollback.Create):
                its_tags = {**requests.base_tags(self.spec), tags.CREATED_BY: self.created_by(context)}
                self.hook.create_on(endpoint, step.config, its_tags)
            elif isinstance(step, rollback.Delete):
                self.check_ours()
                clear_the_way(self.hook, plan, None)
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
        if own & {seen.config, seen.pending_config} or plan.action in {"resume", "rescale"}:
            return True
        back = plan.roll_back_to
        return (
            plan.shift is not None
            and back is not None
            and seen.config == back.config
            and not same_weights(seen.weights, {v.name: v.weight for v in back.variants})
        )

    def _say_when_back(self, context: Context, step: Step, taken: Sequence[Step]) -> None:
        """Leave how long the traffic took to come back: its own XCom outlives a deferral, not a retry."""
        ti = context["ti"]
        if isinstance(step, rollback.Adjust) and not any(isinstance(t, rollback.Update) for t in taken):
            ti.xcom_push(key=_BY_WEIGHTS, value=True)
        is_back = isinstance(step, rollback.Update | rollback.Done) and pull(
            context, self.task_id, _BY_WEIGHTS
        )
        if is_back and pull(context, self.task_id, _BACK) is None:
            began = datetime.fromisoformat(pull(context, self.task_id, _BEGAN))
            seconds = (timezone.utcnow() - began).total_seconds()
            ti.xcom_push(key=_BACK, value=round(seconds, 3))

    def _done(self, context: Context, plan: Plan, reason: str) -> dict[str, Any]:
        target, back = plan.roll_back_to, pull(context, self.task_id, _BACK)
        by_weights = "" if back is None else f"the traffic was back after {back:.0f} s, by weights; "
        scaled = restore(self.hook, plan)
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
            "reason": f"Rolled back: {by_weights}{reason}.",
            "traffic_back_seconds": back,
            "removed": self._sweep(context, plan),
            "proof": proof,
            "scaled": scaled,
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

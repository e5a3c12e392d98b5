"""Hold a release while its deployment is frozen, or out of its change window."""

import time
from datetime import timedelta
from typing import Any, NoReturn

from airflow.sdk import Context

from endpoint_deploy.aws.registry import ModelRegistry
from endpoint_deploy.core.package import check_releasable
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.stale import is_as_planned, stale
from endpoint_deploy.core.standstill import Standstill
from endpoint_deploy.errors import ReleaseFailed
from endpoint_deploy.operators.notify import tell
from endpoint_deploy.operators.pinned import check_there
from endpoint_deploy.operators.standing_still import standstill_of
from endpoint_deploy.run_context import pull, run_ref
from endpoint_deploy.task_base import SLACK, ReleaseTask
from endpoint_deploy.triggers.release_open import ReleaseOpenTrigger

HELD = "held"  # the XCom that says why, while the task waits


class HoldOperator(ReleaseTask):
    """The last task before anything is made: it lets a release go on at once, or waits until it may.

    The endpoint's lock is given back while it waits, and taken again; the plan must then still be of what is
    live, and a model package must still be approved. Returns `{"held": the reason or None,
    "seconds": how long}`.
    """

    def perform(
        self,
        context: Context,
        *,
        resumed: bool = False,
        since: float | None = None,
        reason: str | None = None,
        **carried: Any,
    ) -> dict[str, Any]:
        """Look; waits, deferred, while it is held. since: seconds since the epoch of the first look."""
        plan = self.approved_plan_of(context)
        now = time.time()
        if (found := standstill_of(self)) is not None:
            self._wait(context, plan, found, since=since or now, told=reason)
        # A try before this one may have given the lock back and died.
        if resumed or context["ti"].try_number > 1:
            self._check_still_true(context, plan)
        return {"held": reason, "seconds": round(now - since, 1) if since else 0.0}

    def _wait(
        self, context: Context, plan: Plan, found: Standstill, *, since: float, told: str | None
    ) -> NoReturn:
        changes = self.spec.changes
        deadline = since + changes.hold_timeout_seconds
        if self.expired or time.time() >= deadline:
            raise ReleaseFailed(
                f"the release was held for {changes.hold_timeout_seconds} s, longer than "
                f"changes.hold_timeout_seconds: {plan.endpoint} is {found.reason}. Nothing was changed: "
                "start a new run once it may go on"
            )
        self.log.info("held: %s is %s", plan.endpoint, found.reason)
        context["ti"].xcom_push(key=HELD, value=found.model_dump())
        if told is None:
            tell(
                self.hook,
                self.spec,
                "held",
                subject=f"{plan.endpoint}: a release is held",
                body=f"{plan.summary}\n{plan.endpoint} is {found.reason}\nrun: {context['dag_run'].run_id}",
                run=run_ref(context),
            )
        self.give_lock_back(context)
        self.defer(
            trigger=ReleaseOpenTrigger(
                conn_id=self.spec.aws.conn_id,
                region=self.spec.aws.region,
                store=self.spec.aws.store,
                endpoint=self.spec.endpoint_name,
                changes=changes.model_dump(mode="json"),
                poll_seconds=changes.poll_seconds,
                deadline=deadline,
            ),
            method_name="resume",
            kwargs={"since": since, "reason": found.reason},
            timeout=timedelta(seconds=max(deadline - time.time(), 0)) + SLACK,
        )

    def _check_still_true(self, context: Context, plan: Plan) -> None:
        self.hold_lock(context)
        check_there(self, self.candidate_of(context), pinned_by="validate_artifact")
        self._check_still_approved(context)
        seen = self.hook.find_endpoint(plan.endpoint)
        if not is_as_planned(plan, seen):
            raise stale(plan, seen, then="start a new run")

    def _check_still_approved(self, context: Context) -> None:
        """Nothing has been made of it yet: whoever rejects it in the registry meanwhile is heard."""
        arn, registry = pull(context, "resolve_release").get("model_package"), self.spec.registry
        if arn and registry:
            check_releasable(ModelRegistry(self.hook.sagemaker, registry.group).describe(arn), registry.group)

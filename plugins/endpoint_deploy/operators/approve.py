"""Ask a person before anything is changed."""

from datetime import datetime, timedelta
from typing import Any, NoReturn, cast

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Context, Param, timezone
from airflow.sdk.execution_time.hitl import HITLUser

from endpoint_deploy.airflow_versions import TaskAwaitingInput
from endpoint_deploy.aws.approvals import Approvals, Question
from endpoint_deploy.aws.claims import Claims
from endpoint_deploy.aws.registry import ModelRegistry
from endpoint_deploy.core import question
from endpoint_deploy.core.approval import Decision, plan_digest
from endpoint_deploy.core.delivery_spec import ApprovalSpec, RegistrySpec
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.stale import is_as_planned, stale
from endpoint_deploy.errors import Rejected, TryAgain
from endpoint_deploy.operators.approval_facts import gather
from endpoint_deploy.operators.notify import tell
from endpoint_deploy.operators.pinned import check_there
from endpoint_deploy.operators.registry_decision import agree, is_rejected, rejection
from endpoint_deploy.run_context import pull, run_ref
from endpoint_deploy.task_base import SLACK, ReleaseTask
from endpoint_deploy.triggers.release_decided import ReleaseDecidedTrigger

APPROVE, REJECT = "Approve", "Reject"  # the words by which Airflow's UI knows an approval
NOTE = "note"
_NEW_RUN = "start a new run"


class ApproveOperator(ReleaseTask, HITLOperator):
    """Airflow's human-in-the-loop operator, with the plan as its question.

    The endpoint's lock is given back while a person thinks, and taken again for an approved plan, which must
    then still be of what is live. A decision is kept as soon as it is there: a retry does not ask again, a
    task that is cleared does. A model package must not be rejected in the registry, before or after. Returns
    the Decision; a rejected release fails the task and leaves it too.
    """

    template_fields = ReleaseTask.template_fields

    def __init__(self, **kwargs: Any) -> None:
        wanted = cast("ApprovalSpec", kwargs["deployment"].spec.approval)
        note = Param(
            None,
            type=["null", "string"],
            title="Note",
            description="Why: kept in the ledger.",
            maxLength=1000,
            source="task",
        )
        # Airflow hands over the DAG's form here; the question's own form takes its place.
        kwargs["params"] = {NOTE: note}
        self._patience = timedelta(seconds=wanted.timeout_seconds)
        super().__init__(
            subject="Release",
            options=[APPROVE, REJECT],
            defaults=REJECT,
            assigned_users=[HITLUser(id=user, name=user) for user in wanted.approvers],
            response_timeout=self._patience,
            **kwargs,
        )

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Ask, or go on from what was decided before a retry; raises Rejected."""
        plan = self.plan_of(context)
        decision = self._approvals(context).decided(self._round(context))
        if decision is None and (decision := self._rejected_in_registry(context, plan)) is None:
            self._ask(context, plan)
        return self._conclude(context, plan, decision)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Go on with the answer, or with the rejection that stands for none."""
        return self._under_policy(context, lambda: self._answered(context, event))

    def resume(self, context: Context, event: dict[str, Any] | None = None, **carried: Any) -> Any:
        """A triggerer that was down at the end of the time to decide: nobody has decided."""
        nobody: dict[str, Any] = {"chosen_options": [REJECT], "params_input": {}, "responded_by_user": None}
        end = {"responded_at": timezone.utcnow(), "timedout": True}
        return self.execute_complete(context, {**nobody, **end})

    def _ask(self, context: Context, plan: Plan) -> NoReturn:
        seen = self.hook.find_endpoint(plan.endpoint)
        if not is_as_planned(plan, seen):
            raise stale(plan, seen, then=_NEW_RUN)
        package = self._package(context)
        facts = gather(
            self.kit,
            plan,
            pull(context, "validate_artifact"),
            package=package[0] if package else None,
            timeout_seconds=int(self._patience.total_seconds()),
        )
        self.subject, self.body = question.subject(plan), question.body(plan, facts)
        asked = Question(subject=self.subject, body=self.body, plan=plan_digest(plan))
        if self._approvals(context).ask(asked):
            tell(
                self.hook,
                self.spec,
                "waiting_for_approval",
                subject=f"{plan.endpoint}: waiting for approval",
                body=f"{plan.summary}\n{self.generate_link_to_ui_from_context(context=context)}",
                run=run_ref(context),
            )
        self.give_lock_back(context)
        try:
            HITLOperator.execute(self, context)
        except TaskAwaitingInput:
            # Airflow alone wakes a task that waits for input. One about a model package waits for a rejection
            # in the registry, too: deferred, which Airflow lists as required and takes answers to as well.
            if package is None:
                raise
            self._wait_for_either(context, *package)
        raise AssertionError("Airflow's operator waits by raising")

    def _wait_for_either(self, context: Context, package: str, registry: RegistrySpec) -> NoReturn:
        self.defer(
            trigger=ReleaseDecidedTrigger(
                conn_id=self.spec.aws.conn_id,
                region=self.spec.aws.region,
                model_package=package,
                poll_seconds=registry.poll_seconds,
                ti_id=str(context["ti"].id),
                options=self.options,
                defaults=[REJECT],
                params=self.serialized_params,
                deadline=(timezone.utcnow() + self._patience).isoformat(),
            ),
            method_name="execute_complete",
            timeout=self._patience + SLACK,
        )

    def _answered(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        plan = self.plan_of(context)
        if "rejected" in event:
            if (refused := self._rejected_in_registry(context, plan)) is None:
                raise TryAgain(f"{event['rejected']} was Rejected and is so no more; asking again")
            return self._conclude(context, plan, refused)
        answer = HITLOperator.execute_complete(self, context, event)
        user = answer["responded_by_user"]
        timed_out = bool(event.get("timedout"))
        decision = Decision(
            verdict="approved" if answer["chosen_options"] == [APPROVE] else "rejected",
            by="timeout" if timed_out else "person",
            at=_utc(answer["responded_at"]),
            plan=plan_digest(plan),
            asked=self._approvals(context).asked,
            user=user["name"] if user else None,
            note="" if timed_out else str(answer["params_input"].get(NOTE) or ""),
        )
        decision = self._approvals(context).decide(self._round(context), decision)
        return self._conclude(context, plan, decision)

    def _conclude(self, context: Context, plan: Plan, decision: Decision) -> dict[str, Any]:
        if (package := self._package(context)) is not None:
            claims = Claims(self.hook.s3, self.spec.aws.store, self.spec.endpoint_name)
            decision = agree(self._registry(package[1]), claims, package[0], decision)
        self.log.info("the release was %s", decision.sentence)
        said = decision.model_dump()
        if not decision.approved:
            # A failed task returns nothing, and the ledger must know who decided.
            context["ti"].xcom_push(key="return_value", value=said)
            raise Rejected(f"the release was {decision.sentence}")
        self.hold_lock(context)
        # The hold is kept for a run that lives: one that was cleared later may have lost its archive.
        check_there(self, self.candidate_of(context), pinned_by="validate_artifact")
        seen = self.hook.find_endpoint(plan.endpoint)
        if not is_as_planned(plan, seen):
            raise stale(plan, seen, then=_NEW_RUN)
        return said

    def _rejected_in_registry(self, context: Context, plan: Plan) -> Decision | None:
        if (found := self._package(context)) is None:
            return None
        package = self._registry(found[1]).describe(found[0])
        asked = self._approvals(context).asked
        return rejection(package, plan=plan_digest(plan), asked=asked) if is_rejected(package) else None

    def _package(self, context: Context) -> tuple[str, RegistrySpec] | None:
        """ARN of the model package to be released, and its registry; None where it is an artifact."""
        arn: str | None = pull(context, "resolve_release").get("model_package")
        return (arn, self.spec.registry) if arn and self.spec.registry else None

    def _registry(self, registry: RegistrySpec) -> ModelRegistry:
        return ModelRegistry(self.hook.sagemaker, registry.group)

    def _approvals(self, context: Context) -> Approvals:
        spec = self.spec
        return Approvals(self.hook.s3, spec.aws.store, spec.endpoint_name, self.created_by(context))

    def _round(self, context: Context) -> int:
        """How many tries there had been when the task was last cleared: its retries share it."""
        return int(cast("Any", context["ti"]).max_tries) - (self.retries or 0)


def _utc(moment: datetime) -> str:
    return timezone.convert_to_utc(moment).isoformat(timespec="seconds")

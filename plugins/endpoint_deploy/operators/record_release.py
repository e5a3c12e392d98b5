"""Write what happened to the ledger, whatever happened, and give the endpoint's lock back."""

from typing import Any, Literal, cast

from airflow.sdk import Context
from botocore.exceptions import BotoCoreError, ClientError

from endpoint_deploy.aws.alarms import remove_alarms
from endpoint_deploy.aws.scaling_steps import finish
from endpoint_deploy.aws.stages import StageBook
from endpoint_deploy.core.approval import Decision
from endpoint_deploy.core.candidate import Candidate, ReleaseRequest
from endpoint_deploy.core.outcome import Verdict, judge_run
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.redact import without_secrets
from endpoint_deploy.core.release import Release
from endpoint_deploy.operators.notify import notify
from endpoint_deploy.operators.run_states import errors_of, states_and_phases
from endpoint_deploy.operators.stage_task import BOOK
from endpoint_deploy.run_context import leave_word, pull, run_record
from endpoint_deploy.task_base import ReleaseTask
from endpoint_deploy.task_links import ON_THE_RECORD

_EVIDENCE = ("validate_artifact", "observe_shadow", "smoke_test", "retire_champion", "roll_back")
_STAGED = ("shift_traffic", "watch")
_UNRECORDED = frozenset({"nothing_to_do", "planned"})


class RecordReleaseOperator(ReleaseTask):
    """Judge the run by its tasks' states, append the release to the ledger, notify.

    Runs whatever happened before it. A run that changed nothing on purpose is not a release and leaves no
    record. Returns `{"outcome", "reason", "release": number | None, "config_before", "config_after"}`.
    """

    operator_extra_links = ON_THE_RECORD

    def __init__(self, *, kind: Literal["deploy", "rollback"], chain: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.chain = chain

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Record; may be tried again without writing twice."""
        states, phases = states_and_phases(context)
        found = pull(context, "plan")
        plan = Plan.model_validate(found) if found else None
        said = errors_of(context, (*self.chain, "roll_back"), states)
        # A task that did not run this time may still have its XCom from before the run was cleared.
        done = {task for task, state in states.items() if state == "success"}
        rolled_back = pull(context, "roll_back") if "roll_back" in done else None
        decision = self._decision(context, states)
        verdict = judge_run(self.chain, states, said, plan, rolled_back, decision=decision)
        shifted = pull(context, "shift_traffic") if "shift_traffic" in done else None
        if verdict.outcome == "released" and (tested := (shifted or {}).get("test")):
            verdict = verdict.model_copy(update={"reason": f"{verdict.reason}; {tested}"})
        after = self.hook.find_endpoint(self.spec.endpoint_name)
        live = after.config if after else None
        number = None
        if verdict.outcome not in _UNRECORDED:
            release, word = self.kit.ledger.append_and_read(
                self._release(context, verdict, plan, decision=decision, live=live, done=done, phases=phases)
            )
            leave_word(context, word)
            number = release.sequence
            notify(self.hook, self.spec, release)
        self._remove_alarms(context, plan)
        if plan is not None and plan.executes:
            finish(self.hook, plan, released=verdict.outcome == "released")
        self.give_lock_back(context)
        self.log.info("%s: %s", verdict.outcome, verdict.reason)
        return {
            "outcome": verdict.outcome,
            "reason": verdict.reason,
            "release": number,
            "config_before": plan.expects.config if plan else live,
            "config_after": live,
        }

    def _remove_alarms(self, context: Context, plan: Plan | None) -> None:
        """The update that they guarded is over. One that is left is housekeeping's, and fails nothing."""
        if plan is None or not plan.alarms:
            return
        try:
            removed = remove_alarms(self.hook, plan.endpoint, created_by=self.created_by(context))
        except (ClientError, BotoCoreError) as error:
            self.log.warning("could not remove the alarms of the release: %s", error)
        else:
            self.log.info("removed %d alarms of the release", len(removed))

    def _decision(self, context: Context, states: dict[str, str | None]) -> Decision | None:
        """What was decided about the plan; what is left from before the run was cleared does not count."""
        found = pull(context, "approve") if states.get("approve") in {"success", "failed"} else None
        return Decision.model_validate(found) if found else None

    def _release(
        self,
        context: Context,
        verdict: Verdict,
        plan: Plan | None,
        *,
        decision: Decision | None,
        live: str | None,
        done: set[str],
        phases: dict[str, float],
    ) -> Release:
        asked = pull(context, "resolve_release")
        validated = pull(context, "validate_artifact")
        request = ReleaseRequest.model_validate(asked) if asked else None
        candidate = Candidate.model_validate(validated["candidate"]) if validated else None
        restored = self._restored(context)
        source: Any = candidate or request or restored
        asked_for: Any = request or restored
        started = pull(context, "plan", "planned_at")
        # A record that is written late must not name what another run has made live since.
        proved = plan.live_after if plan and verdict.outcome == "released" else None
        return Release(
            kind=self.kind,
            outcome=cast("Any", verdict.outcome),
            model_package=asked_for.model_package if asked_for else None,
            promoted_from=asked_for.promoted_from if asked_for else None,
            artifact=source.artifact if source else None,
            artifact_sha256=candidate.sha256 if candidate else (plan.artifact_sha256 if plan else None),
            pinned=candidate.pinned if candidate else (restored.pinned if restored else None),
            image=source.image if source else None,
            action=plan.action if plan else None,
            config_before=plan.expects.config if plan else None,
            config_after=proved.config if proved else live,
            models=tuple(m.name for m in plan.models) if plan else (),
            live=proved,
            scaling=plan.scaling.after if plan and plan.scaling and proved else {},
            approval=decision,
            failure=verdict.failure,
            evidence=self._evidence(context, done),
            **run_record(context, self.spec, started),
            phases=phases,
        )

    def _evidence(self, context: Context, done: set[str]) -> dict[str, Any]:
        """What tasks have proved; of the release's stages also what a failed one has seen."""
        found = {task: pull(context, task) for task in _EVIDENCE if task in done}
        for task in _STAGED:
            if task in self.chain and (key := pull(context, task, BOOK)):
                stages = StageBook(self.hook.s3, self.spec.aws.store, key).read()
                found[task] = {"stages": [stage.model_dump(mode="json") for stage in stages]}
        return cast("dict[str, Any]", without_secrets(self.spec, found))

    def _restored(self, context: Context) -> Release | None:
        """For a rollback: the release that it led back to."""
        number = pull(context, "plan", "restores")
        return self.kit.ledger.get(int(number)) if number is not None else None

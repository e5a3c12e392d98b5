"""Write what happened to the ledger, whatever happened, and give the endpoint's lock back."""

from datetime import datetime
from typing import Any, Literal, cast

from airflow.sdk import Context, timezone

from endpoint_deploy.core.candidate import Candidate, ReleaseRequest
from endpoint_deploy.core.outcome import TaskError, Verdict, judge_run
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.release import Release
from endpoint_deploy.operators.notify import notify
from endpoint_deploy.task_base import FAILURE, ReleaseTask, holder_of, pull, run_ref, started_at

_EVIDENCE = ("validate_artifact", "smoke_test", "retire_champion", "roll_back")
_UNRECORDED = frozenset({"nothing_to_do", "planned"})


class RecordReleaseOperator(ReleaseTask):
    """Judge the run by its tasks' states, append the release to the ledger, notify.

    Runs whatever happened before it. A run that changed nothing on purpose is not a release and leaves no
    record. Returns `{"outcome", "reason", "release": number | None, "config_before", "config_after"}`.
    """

    def __init__(self, *, kind: Literal["deploy", "rollback"], chain: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.chain = chain

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Record; may be tried again without writing twice."""
        states, phases = self._tasks(context)
        found = pull(context, "plan")
        plan = Plan.model_validate(found) if found else None
        said = {
            task: TaskError.model_validate(error)
            for task in (*self.chain, "roll_back")
            if states.get(task) == "failed" and (error := pull(context, task, FAILURE)) is not None
        }
        # A task that did not run this time may still have its XCom from before the run was cleared.
        done = {task for task, state in states.items() if state == "success"}
        rolled_back = pull(context, "roll_back") if "roll_back" in done else None
        verdict = judge_run(self.chain, states, said, plan, rolled_back)
        after = self.hook.find_endpoint(self.spec.endpoint_name)
        live = after.config if after else None
        number = None
        if verdict.outcome not in _UNRECORDED:
            release = self.kit.ledger.append(
                self._release(context, verdict, plan, live=live, done=done, phases=phases)
            )
            number = release.sequence
            notify(self.hook, self.spec, release)
        self.give_lock_back(context)
        self.log.info("%s: %s", verdict.outcome, verdict.reason)
        return {
            "outcome": verdict.outcome,
            "reason": verdict.reason,
            "release": number,
            "config_before": plan.expects.config if plan else live,
            "config_after": live,
        }

    def _tasks(self, context: Context) -> tuple[dict[str, str | None], dict[str, float]]:
        """State and seconds by task id, as Airflow knows them."""
        holder = holder_of(context)
        crumbs = cast("Any", context["ti"]).get_task_breadcrumbs(holder.dag_id, holder.run_id)
        states: dict[str, str | None] = {}
        phases: dict[str, float] = {}
        for crumb in crumbs:
            state = crumb["state"]
            states[crumb["task_id"]] = getattr(state, "value", state)
            if crumb.get("duration") is not None:
                phases[crumb["task_id"]] = round(float(crumb["duration"]), 3)
        return states, phases

    def _release(
        self,
        context: Context,
        verdict: Verdict,
        plan: Plan | None,
        *,
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
        started = pull(context, "plan", "planned_at") or started_at(context)
        now = timezone.utcnow()
        # A record that is written late must not name what another run has made live since.
        proved = plan.live_after if plan and verdict.outcome == "released" else None
        return Release(
            kind=self.kind,
            deployment=self.spec.key,
            endpoint=self.spec.endpoint_name,
            outcome=cast("Any", verdict.outcome),
            asked_because=str(context["params"].get("reason") or ""),
            artifact=source.artifact if source else None,
            artifact_sha256=candidate.sha256 if candidate else (plan.artifact_sha256 if plan else None),
            pinned=candidate.pinned if candidate else (restored.pinned if restored else None),
            image=source.image if source else None,
            action=plan.action if plan else None,
            config_before=plan.expects.config if plan else None,
            config_after=proved.config if proved else live,
            models=tuple(m.name for m in plan.models) if plan else (),
            live=proved,
            failure=verdict.failure,
            evidence={task: pull(context, task) for task in _EVIDENCE if task in done},
            run=run_ref(context),
            started_at=started,
            finished_at=now.isoformat(),
            seconds=round((now - datetime.fromisoformat(started)).total_seconds(), 3),
            phases=phases,
        )

    def _restored(self, context: Context) -> Release | None:
        """For a rollback: the release that it led back to."""
        number = pull(context, "plan", "restores")
        return self.kit.ledger.get(int(number)) if number is not None else None

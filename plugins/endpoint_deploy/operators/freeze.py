"""Freeze a deployment, or thaw it."""

from datetime import datetime
from typing import Any

from airflow.sdk import Context, timezone

from endpoint_deploy.aws.freezes import Freezes
from endpoint_deploy.core.standstill import Freeze, until_of
from endpoint_deploy.errors import EndpointDeployError
from endpoint_deploy.run_context import run_ref
from endpoint_deploy.task_base import ReleaseTask

FREEZE, THAW = "freeze", "thaw"


class FreezeOperator(ReleaseTask):
    """Do what the form says; the endpoint stays as it is. Returns the Freeze, None where none was thawed."""

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any] | None:
        """Write or end the freeze; a second try finds it done."""
        form = context["params"]
        freezes = Freezes(self.hook.s3, self.spec.aws.store, self.spec.endpoint_name)
        by = run_ref(context).triggered_by or str(context["dag_run"].run_id)
        reason = str(form.get("reason") or "").strip()
        name = self.spec.endpoint_name
        if form["action"] == THAW:
            at = timezone.utcnow().isoformat(timespec="seconds")
            thawed = freezes.thaw(by=by, at=at, because=reason)
            self.log.info("%s", f"{name} was {thawed.sentence}" if thawed else f"{name} is not frozen")
            return thawed.model_dump() if thawed else None
        if not reason:
            raise EndpointDeployError("found no reason, expected why it is frozen: whoever is held reads it")
        # The run's start, so that a task that is tried again asks for the very same freeze.
        since = _start(context)
        freeze = Freeze(
            reason=reason,
            by=by,
            since=since.isoformat(timespec="seconds"),
            until=until_of(form.get("until"), now=since),
        )
        before = freezes.freeze(freeze)
        if before is not None and before != freeze and before.holds(timezone.utcnow()):
            self.log.info("this takes the place of: %s", before.sentence)
        self.log.info("%s is %s", name, freeze.sentence)
        return freeze.model_dump()


def _start(context: Context) -> datetime:
    started: Any = context["dag_run"].start_date
    utc: datetime = timezone.convert_to_utc(started)
    return utc

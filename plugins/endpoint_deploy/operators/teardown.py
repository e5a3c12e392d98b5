"""Delete an endpoint and what only it used."""

from typing import Any

from airflow.sdk import Context, timezone

from endpoint_deploy.aws.belongings import belongings
from endpoint_deploy.core.release import Release
from endpoint_deploy.errors import ReleaseFailed
from endpoint_deploy.operators.notify import notify
from endpoint_deploy.task_base import ReleaseTask, run_ref, started_at


class TeardownOperator(ReleaseTask):
    """Delete the endpoint, then the configurations and models that carry its tag, and record it.

    It asks for the endpoint's name to be typed in. Pinned artifacts and the ledger stay. Returns what was
    deleted.
    """

    def perform(
        self,
        context: Context,
        *,
        resumed: bool = False,
        config_before: str | None = None,
        **carried: Any,
    ) -> dict[str, Any]:
        """Tear down; may be tried again at any point."""
        name = self.spec.endpoint_name
        typed = context["params"].get("confirm")
        if typed != name:
            raise ReleaseFailed(f"confirm is {typed!r}, expected {name!r}: nothing was deleted")
        self.hold_lock(context)
        seen = self.hook.find_endpoint(name)
        if seen is not None:
            config_before = config_before or seen.config
            self.check_ours()
            if seen.in_progress:
                self.defer_until_settled(config_before=config_before)
            self.hook.delete_endpoint_if_there(name)
            if not self.settles_soon(lambda now: now is None):
                self.defer_until_settled(config_before=config_before)
        configs, models = belongings(self.hook, name)
        for config_name in configs:
            self.hook.delete_config_if_there(config_name)
        for model in models:
            self.hook.delete_model_if_there(model)
        release = self.kit.ledger.append(self._release(context, config_before))
        notify(self.hook, self.spec, release)
        self.give_lock_back(context)
        self.log.info("deleted endpoint %s, %d configurations, %d models", name, len(configs), len(models))
        return {"endpoint": name, "configs": configs, "models": models, "release": release.sequence}

    def _release(self, context: Context, config: str | None) -> Release:
        now = timezone.utcnow()
        since = started_at(context)
        return Release(
            kind="teardown",
            deployment=self.spec.key,
            endpoint=self.spec.endpoint_name,
            outcome="torn_down",
            asked_because=str(context["params"].get("reason") or ""),
            config_before=config,
            run=run_ref(context),
            started_at=since,
            finished_at=now.isoformat(),
            seconds=round((now - timezone.parse(since)).total_seconds(), 3),
        )

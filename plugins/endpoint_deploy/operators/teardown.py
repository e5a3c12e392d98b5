"""Delete an endpoint and what only it used."""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.aws.alarms import remove_alarms
from endpoint_deploy.aws.belongings import owned_configs, owned_models
from endpoint_deploy.aws.scaling_steps import deregister
from endpoint_deploy.core.release import Release
from endpoint_deploy.errors import NotAsPlanned, ReleaseFailed
from endpoint_deploy.operators.notify import notify
from endpoint_deploy.operators.standing_still import standstill_of
from endpoint_deploy.run_context import leave_word, run_record
from endpoint_deploy.task_base import ReleaseTask
from endpoint_deploy.task_links import ON_THE_RECORD


class TeardownOperator(ReleaseTask):
    """Delete the endpoint, then the alarms, configurations and models that carry its tag, and record it.

    It asks for the endpoint's name to be typed in. Pinned artifacts and the ledger stay. Returns what was
    deleted.
    """

    operator_extra_links = ON_THE_RECORD

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
        if not resumed and (held := standstill_of(self)) is not None:
            raise NotAsPlanned(
                f"{name} is {held.reason}. Nothing was deleted: a teardown does not wait, so that nothing is "
                "deleted days later; start it again once it may go on"
            )
        self.hold_lock(context)
        seen = self.hook.find_endpoint(name)
        if seen is not None:
            config_before = config_before or seen.config
            self.check_ours()
            if seen.in_progress:
                self.defer_until_settled(config_before=config_before)
            # DeleteEndpoint would deregister the targets itself, but leave the alarms made for them.
            deregister(self.hook, name)
            self.hook.delete_endpoint_if_there(name)
            if not self.settles_soon(lambda now: now is None):
                self.defer_until_settled(config_before=config_before)
        configs = [owned.name for owned in owned_configs(self.hook, name)]
        models = [owned.name for owned in owned_models(self.hook, name)]
        alarms = remove_alarms(self.hook, name)
        for config_name in configs:
            self.hook.delete_config_if_there(config_name)
        for model in models:
            self.hook.delete_model_if_there(model)
        release, word = self.kit.ledger.append_and_read(self._release(context, config_before))
        leave_word(context, word)
        notify(self.hook, self.spec, release)
        self.give_lock_back(context)
        self.log.info("deleted endpoint %s, %d configurations, %d models", name, len(configs), len(models))
        return {
            "endpoint": name,
            "configs": configs,
            "models": models,
            "alarms": alarms,
            "release": release.sequence,
        }

    def _release(self, context: Context, config: str | None) -> Release:
        return Release(
            kind="teardown",
            outcome="torn_down",
            config_before=config,
            **run_record(context, self.spec),
        )

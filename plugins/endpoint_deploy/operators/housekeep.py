"""Delete what the spec's retention no longer keeps."""

from typing import Any

from airflow.sdk import Context
from botocore.exceptions import ClientError
from croniter import croniter

from endpoint_deploy.airflow_versions import AirflowSkipException
from endpoint_deploy.aws import errors
from endpoint_deploy.aws.alarms import remove_alarms
from endpoint_deploy.aws.artifact_uses import ArtifactUses
from endpoint_deploy.aws.holdings import holdings
from endpoint_deploy.aws.holds import Holds
from endpoint_deploy.aws.run_notes import RunNotes
from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core.observed import ObservedEndpoint
from endpoint_deploy.core.retention import Cleanup, clean_up
from endpoint_deploy.errors import SpecError, TryAgain
from endpoint_deploy.operators.standing_still import standstill_of
from endpoint_deploy.run_context import is_live_run
from endpoint_deploy.task_base import ReleaseTask


class HousekeepOperator(ReleaseTask):
    """Keep the newest good releases restorable, and remove what nothing refers to any more.

    Holds the endpoint's lock while it deletes, so that nothing goes under a release in progress. Ledger and
    Data Docs stay; the looks of an analysis go with their releases. Returns what was deleted, and the numbers
    of the releases that can still be restored.
    """

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Clean up; may be tried again at any point."""
        retention = self.spec.retention
        if retention is None:  # pragma: no cover  the DAG is only built where there is one
            raise SpecError("the spec has no retention")
        if not self._due(context):
            raise AirflowSkipException(f"housekeeping runs at {retention.schedule}")
        if (found := standstill_of(self)) is not None and found.frozen:
            raise AirflowSkipException(f"{self.spec.endpoint_name} is {found.reason}; nothing is deleted")
        # Gathering may take minutes, and waiting for the endpoint longer: neither keeps a rollback out.
        seen, before = self._at_rest()
        group = self.spec.registry.group if self.spec.registry else None
        there = holdings(self.hook, self.spec.endpoint_name, seen, group)
        self.hold_lock(context)
        try:
            if self._at_rest()[1] != before:
                raise TryAgain(f"{self.spec.endpoint_name} was changed meanwhile; looking again")
            releases = list(self.kit.ledger.newest_first())
            retrains = list(self.kit.retrains.newest_first())
            holds = Holds(self.hook.s3, self.spec.aws.store, self.spec.endpoint_name)
            held = holds.of_live(is_live_run(context))
            now = {"held": held, "runs": self._notes.runs()}
            cleanup = clean_up(retention, releases, retrains, there.model_copy(update=now))
            removed = self._remove(cleanup)
        finally:
            self.give_lock_back(context)
        self.log.info(
            "deleted %s; releases %s can be restored",
            ", ".join(f"{len(names)} {kind}" for kind, names in removed.items()),
            ", ".join(map(str, cleanup.restorable)) or "none",
        )
        return {**removed, "restorable": list(cleanup.restorable)}

    def _due(self, context: Context) -> bool:
        """Whether this run is one of the retention's times: the DAG may have the sentinel's as well."""
        run: Any = context["dag_run"]
        if self.spec.sentinel is None or self.spec.retention is None or run.run_type != "scheduled":
            return True
        return bool(croniter.match(self.spec.retention.schedule, run.run_after))

    def _at_rest(self) -> tuple[ObservedEndpoint | None, tuple[str | None, int | None]]:
        """The endpoint; and what a run that changes it leaves changed, configuration and newest release."""
        seen = self.hook.find_endpoint(self.spec.endpoint_name)
        if seen is not None and seen.in_progress:
            self.defer_until_settled()
        newest = next((release.sequence for release in self.kit.ledger.newest_first()), None)
        return seen, (seen.config if seen else None, newest)

    def _remove(self, cleanup: Cleanup) -> dict[str, list[str]]:
        # What refers goes before what is referred to: a crash in between leaves nothing that points nowhere.
        hook, uses = self.hook, ArtifactUses(self.hook.s3, self.spec.aws.store)
        endpoint = self.spec.endpoint_name
        return {
            # An update that one guards holds the lock, so those that are here now were left over.
            "alarms": remove_alarms(hook, endpoint),
            "configs": [name for name in cleanup.configs if hook.delete_config_if_there(name)],
            "models": [name for name in cleanup.models if hook.delete_model_if_there(name)],
            "packages": [arn for arn in cleanup.packages if self._delete_package(arn)],
            "artifacts": [sha256 for sha256 in cleanup.artifacts if uses.drop(sha256, endpoint)],
            "jobs": [job for job in cleanup.jobs if self._delete_output(job)],
            "runs": [run for run in cleanup.runs if self._notes.delete(run)],
        }

    @property
    def _notes(self) -> RunNotes:
        return RunNotes(self.hook.s3, self.spec.aws.store, self.spec.endpoint_name)

    def _delete_package(self, arn: str) -> bool:
        try:
            self.hook.sagemaker.delete_model_package(ModelPackageName=arn)
        except ClientError as error:
            if errors.is_absent(error):
                return False
            raise
        return True

    def _delete_output(self, job: str) -> bool:
        """The job's own copy of its archive, whose pinned copy is gone too."""
        store = JsonStore(self.hook.s3, self.spec.aws.store)
        keys = list(store.keys(f"jobs/{job}"))
        for key in keys:
            store.delete(key)
        return bool(keys)

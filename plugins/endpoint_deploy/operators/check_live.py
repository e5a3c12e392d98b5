"""Check that what is live is what was released, and could be started again."""

from typing import Any

from airflow.sdk import Context, timezone

from endpoint_deploy.airflow_versions import AirflowSkipException
from endpoint_deploy.aws.findings import FindingsStore
from endpoint_deploy.core.findings import Finding, Findings
from endpoint_deploy.core.observed import ObservedEndpoint
from endpoint_deploy.core.record import RunRef
from endpoint_deploy.core.standing import LedgerWord, read_word
from endpoint_deploy.errors import EndpointDeployError
from endpoint_deploy.measures import count_drift
from endpoint_deploy.operators.live_checks import LiveChecks
from endpoint_deploy.operators.notify import tell
from endpoint_deploy.run_context import is_live_run, run_ref
from endpoint_deploy.task_base import ReleaseTask
from endpoint_deploy.task_links import ON_THE_ENDPOINT


class CheckLiveOperator(ReleaseTask):
    """Look, keep what was found, notify of what is new, and fail for as long as anything is wrong.

    Takes no lock and changes nothing: a look that a release has overtaken is thrown away. Returns, also
    where it fails, `{"open", "new", "closed"}`, each finding as `kind: message`.
    """

    operator_extra_links = ON_THE_ENDPOINT

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Check; may be tried again, and tells nobody twice."""
        store = FindingsStore(self.hook.s3, self.spec.aws.store, self.spec.endpoint_name)
        known = store.read()
        seen, word = self._at_rest(context)
        if seen is None and word.word is None and not known.open:
            raise AirflowSkipException(f"nothing was ever released to {self.spec.endpoint_name}")
        checks = LiveChecks(self.kit, self.deployment, seen, word, known.baseline)
        found = [
            each.model_copy(update={"message": self.without_secrets(each.message)}) for each in checks.look()
        ]
        if _changed((seen, word), self._at_rest(context)):
            raise AirflowSkipException(f"{self.spec.endpoint_name} was changed meanwhile; the next run looks")
        at = timezone.utcnow().isoformat(timespec="seconds")
        after = known.model_copy(update={"baseline": checks.baseline}).after(found, checks.looked, at)
        store.write(after)
        count_drift(self.spec.key, len(after.open))
        self._tell(store, after, run_ref(context))
        return self._concluded(context, known, after, checks.failed)

    def _at_rest(self, context: Context) -> tuple[ObservedEndpoint | None, LedgerWord]:
        """What is live and what the ledger says of it; skips while either is being changed."""
        name = self.spec.endpoint_name
        holder = self.kit.lock.holder()
        if holder is not None and is_live_run(context)(holder):
            raise AirflowSkipException(f"{name} is being changed by run {holder.run_id} of {holder.dag_id}")
        seen = self.hook.find_endpoint(name)
        if seen is not None and seen.in_progress:
            raise AirflowSkipException(f"{name} is {seen.status}; the next run looks again")
        return seen, read_word(self.kit.ledger.newest_first(), seen.config if seen else None)

    def _tell(self, store: FindingsStore, findings: Findings, run: RunRef) -> None:
        told = {
            finding.identity
            for finding in findings.untold
            if tell(
                self.hook,
                self.spec,
                "drift",
                subject=f"{self.spec.endpoint_name}: {finding.kind} is not as released",
                body=f"{finding.message}\nfound at {finding.since}",
                run=run,
            )
        }
        if told:
            store.write(findings.with_told(told))

    def _concluded(
        self, context: Context, before: Findings, after: Findings, failed: list[str]
    ) -> dict[str, Any]:
        known = {finding.identity for finding in before.open}
        open_now = {finding.identity for finding in after.open}
        said = {
            "open": [_line(each) for each in after.open],
            "new": [_line(each) for each in after.open if each.identity not in known],
            "closed": [_line(each) for each in before.open if each.identity not in open_now],
        }
        for what, lines in said.items():
            for line in lines:
                self.log.info("%s: %s", what, line)
        if said["open"] or failed:
            # A failed task returns nothing: whoever looks at the run must be able to read it.
            context["ti"].xcom_push(key="return_value", value=said)
            unchecked = [f"could not check {each}" for each in failed]
            raise EndpointDeployError("; ".join([*said["open"], *unchecked]))
        return said


def _changed(*looks: tuple[ObservedEndpoint | None, LedgerWord]) -> bool:
    """Whether the endpoint was released to or changed between two looks; autoscaled counts are no change."""
    one, other = (
        (seen and (seen.status, seen.config, seen.weights), word.last and word.last.sequence)
        for seen, word in looks
    )
    return one != other


def _line(finding: Finding) -> str:
    return f"{finding.kind}: {finding.message}"

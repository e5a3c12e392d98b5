"""What may be deleted: everything that was made for an endpoint and that nothing kept refers to.

Kept are the newest good releases with all that a rollback to them needs, whatever is live, the newest model
packages with their archives, and what live runs hold. Nothing is deleted that `Holdings` does not name:
it was not found to be ours.
"""

from collections.abc import Collection, Sequence

from pydantic import Field

from endpoint_deploy.core import naming
from endpoint_deploy.core.delivery_spec import RetentionSpec
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.retrain import RetrainRecord
from endpoint_deploy.core.strict import Strict


class HeldConfig(Strict):
    """An endpoint configuration of ours; `leads` are the configurations that a joint one stands between."""

    name: str
    models: tuple[str, ...]
    leads: tuple[str, ...] = ()


class HeldPackage(Strict):
    """A version in the deployment's model package group. `status` is its ModelApprovalStatus."""

    arn: str
    version: int
    status: str


class Holdings(Strict):
    """What there is for one endpoint.

    models: ours, by name, with the SHA-256 of the archive; live: the configurations that the endpoint is on
    or on its way to; referred: models of ours that somebody else's configurations name; held: the SHA-256
    of archives that runs which still live are about to use; runs: keys of the runs whose stages and looks are
    in the store.
    """

    configs: tuple[HeldConfig, ...] = ()
    models: dict[str, str | None] = Field(default={})
    packages: tuple[HeldPackage, ...] = ()
    live: frozenset[str] = frozenset()
    referred: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    runs: frozenset[str] = frozenset()


class Cleanup(Strict):
    """What is to be deleted, by name; artifacts by their SHA-256, jobs by the training job's name.

    runs: keys of those whose stages and looks go; what the ledger says of them stays.
    """

    configs: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    restorable: tuple[int, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is to be deleted."""
        return not any(getattr(self, kind) for kind in type(self).model_fields if kind != "restorable")


def clean_up(
    retention: RetentionSpec,
    releases: Sequence[Release],
    retrains: Sequence[RetrainRecord],
    holdings: Holdings,
) -> Cleanup:
    """Decide what goes. releases, retrains: all records of the endpoint, the newest first."""
    configs = {config.name: config for config in holdings.configs}
    kept_releases = _kept_releases(retention, releases, configs.keys(), holdings.live)
    kept_configs = {str(release.config_after) for release in kept_releases} | holdings.live
    for name in sorted(holdings.live & configs.keys()):
        kept_configs |= set(configs[name].leads)
    kept_models = holdings.referred | {
        model for name in kept_configs & configs.keys() for model in configs[name].models
    }
    used = {release.artifact_sha256 for release in kept_releases} | holdings.held
    used |= {sha256 for model, sha256 in holdings.models.items() if model in kept_models}
    packaged = {record.package.arn: record.candidate_sha256 for record in retrains if record.package}
    kept_packages = _kept_packages(retention, holdings.packages, packaged, used)
    used |= {packaged[arn] for arn in kept_packages if arn in packaged}
    # The newest candidate may be on its way into a release, whatever became of its run.
    used |= {record.candidate_sha256 for record in retrains[:1]}
    known = {release.artifact_sha256 for release in releases}
    known |= {record.candidate_sha256 for record in retrains}
    return Cleanup(
        configs=tuple(sorted(configs.keys() - kept_configs)),
        models=tuple(sorted(holdings.models.keys() - kept_models)),
        packages=tuple(p.arn for p in holdings.packages if p.arn in packaged and p.arn not in kept_packages),
        artifacts=tuple(sorted(sha256 for sha256 in known - used if sha256)),
        jobs=_jobs(retrains, used),
        runs=_runs(retention, releases, kept_releases, holdings.runs),
        restorable=tuple(release.sequence for release in kept_releases),
    )


def _kept_releases(
    retention: RetentionSpec, releases: Sequence[Release], there: Collection[str], live: frozenset[str]
) -> list[Release]:
    """The newest restorable releases, one a configuration that still exists, and those of what is live."""
    kept: dict[str, Release] = {}
    for release in releases:
        if release.kind == "teardown" and release.outcome == "torn_down":
            break  # what came before it was deleted then
        config = release.config_after
        if not release.restorable or config is None or config in kept or config not in there:
            continue
        if len(kept) < retention.releases or config in live:
            kept[config] = release
    return list(kept.values())


def _runs(
    retention: RetentionSpec, releases: Sequence[Release], kept: Collection[Release], there: frozenset[str]
) -> tuple[str, ...]:
    """Recorded runs but those of kept releases, and of as many of the newest records, however they ended.

    A run that has no record may be under way: what it has seen stays.
    """
    recorded = {_run_key(release) for release in releases}
    needed = {_run_key(release) for release in (*kept, *releases[: retention.releases])}
    return tuple(sorted(there & recorded - needed))


def _run_key(release: Release) -> str:
    return naming.run_key(release.run.dag_id, release.run.run_id)


def _kept_packages(
    retention: RetentionSpec,
    packages: Sequence[HeldPackage],
    packaged: dict[str, str | None],
    used: set[str | None],
) -> set[str]:
    """The newest packages of ours, those whose archives are used, and those that wait for a decision."""
    newest = sorted((p for p in packages if p.arn in packaged), key=lambda p: p.version, reverse=True)
    return {
        package.arn
        for place, package in enumerate(newest)
        if place < retention.kept_packages
        or package.status == "PendingManualApproval"
        or packaged[package.arn] in used
    }


def _jobs(retrains: Sequence[RetrainRecord], used: set[str | None]) -> tuple[str, ...]:
    """Training jobs whose output is no longer of use: its archive was pinned, and is not kept."""
    made: dict[str, set[str | None]] = {}
    for record in retrains:
        if record.trained and record.trained.job:
            made.setdefault(record.trained.job, set()).add(record.candidate_sha256)
    newest = retrains[0].trained.job if retrains and retrains[0].trained else None
    return tuple(sorted(job for job, shas in made.items() if not shas & used and job != newest))

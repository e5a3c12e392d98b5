"""What housekeeping may delete, over random histories of releases, retrainings and rollbacks."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from endpoint_deploy.core.delivery_spec import RetentionSpec
from endpoint_deploy.core.naming import run_key
from endpoint_deploy.core.record import RunRef
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.retention import Cleanup, HeldConfig, HeldPackage, Holdings, clean_up
from endpoint_deploy.core.retrain import RegisteredPackage, RetrainRecord, TrainedModel

_RUN = RunRef(dag_id="d", run_id="r", run_type="manual")
_AT = "2026-01-01T00:00:00+00:00"
_GROUP = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn"


def release(number: int, content: int | None, outcome: str = "released", kind: str = "deploy") -> Release:
    """A record; `content` names its configuration, model and archive."""
    after = f"c{content}" if content is not None else None
    return Release.model_validate(
        {
            "sequence": number, "kind": kind, "deployment": "churn__prod", "endpoint": "churn-prod",
            "outcome": outcome, "artifact_sha256": f"a{content}" if content is not None else None,
            "config_after": after, "run": _RUN, "started_at": _AT, "finished_at": _AT, "seconds": 1.0,
        }
    )  # fmt: skip


def retrained(number: int, content: int, version: int | None) -> RetrainRecord:
    package = RegisteredPackage(
        arn=f"{_GROUP}/{version}", group="churn", version=version or 0, status="Approved"
    )
    return RetrainRecord(
        sequence=number, deployment="churn__prod", endpoint="churn-prod",
        outcome="registered" if version else "model_refused", reason="", candidate_sha256=f"a{content}",
        trained=TrainedModel(artifact="s3://b/x.tar.gz", image="i", job=f"job{content}"),
        package=package if version else None, run=_RUN, started_at=_AT, finished_at=_AT, seconds=1.0,
    )  # fmt: skip


class Account:
    """What happened to one endpoint, and what there is."""

    def __init__(self) -> None:
        self.releases: list[Release] = []
        self.retrains: list[RetrainRecord] = []
        self.configs: dict[str, HeldConfig] = {}
        self.models: dict[str, str | None] = {}
        self.packages: list[HeldPackage] = []
        self.archives: set[str] = set()
        self.versions = 0
        self.live: str | None = None

    def _made(self, content: int) -> None:
        self.models[f"m{content}"] = f"a{content}"
        self.configs[f"c{content}"] = HeldConfig(name=f"c{content}", models=(f"m{content}",))
        self.archives.add(f"a{content}")

    def deploy(self, content: int, good: bool) -> None:
        if good:
            self._made(content)
            if self.live and self.live in self.configs:
                joint = f"j{content}-{self.live}"
                models = (*self.configs[self.live].models, f"m{content}")
                self.configs[joint] = HeldConfig(name=joint, models=models, leads=(self.live, f"c{content}"))
            self.live = f"c{content}"
        self.archives.add(f"a{content}")
        outcome = "released" if good else "rolled_back"
        self.releases.insert(0, release(len(self.releases) + 1, content, outcome))

    def restore(self, content: int) -> None:
        if f"c{content}" in self.configs:
            self.live = f"c{content}"
            self.releases.insert(0, release(len(self.releases) + 1, content, kind="rollback"))

    def tear_down(self) -> None:
        self.configs, self.models, self.live = {}, {}, None
        self.releases.insert(0, release(len(self.releases) + 1, None, "torn_down", "teardown"))

    def retrain(self, content: int, good: bool, pending: bool) -> None:
        self.versions += good  # a version's number is never given again, also where it was deleted
        version = self.versions if good else None
        self.archives.add(f"a{content}")
        self.retrains.insert(0, retrained(len(self.retrains) + 1, content, version))
        if version:
            status = "PendingManualApproval" if pending else "Approved"
            self.packages.insert(0, HeldPackage(arn=f"{_GROUP}/{version}", version=version, status=status))

    def holdings(self, referred: frozenset[str] = frozenset()) -> Holdings:
        return Holdings(
            configs=tuple(self.configs.values()),
            models=self.models,
            packages=tuple(self.packages),
            live=frozenset({self.live} if self.live else ()),
            referred=referred,
        )

    def apply(self, cleanup: Cleanup) -> None:
        for name in cleanup.configs:
            del self.configs[name]
        for name in cleanup.models:
            del self.models[name]
        self.packages = [p for p in self.packages if p.arn not in cleanup.packages]
        self.archives -= set(cleanup.artifacts)


_STEP = st.one_of(
    st.tuples(st.just("deploy"), st.integers(0, 12), st.booleans()),
    st.tuples(st.just("restore"), st.integers(0, 12)),
    st.tuples(st.just("retrain"), st.integers(0, 12), st.booleans(), st.booleans()),
    st.tuples(st.just("tear_down")),
    st.tuples(st.just("clean_up")),
)


@settings(max_examples=400)
@given(st.lists(_STEP, max_size=40), st.integers(1, 5), st.sampled_from([None, 1, 3]), st.booleans())
def test_what_is_kept_is_whole_and_nothing_else_stays(
    steps: Sequence[tuple[Any, ...]], keep: int, packages: int | None, foreign: bool
) -> None:
    account = Account()
    retention = RetentionSpec(releases=keep, packages=packages)
    for name, *arguments in steps:
        if name == "clean_up":
            account.apply(clean_up(retention, account.releases, account.retrains, account.holdings()))
        else:
            getattr(account, name)(*arguments)
    referred = frozenset(sorted(account.models)[:1]) if foreign else frozenset()
    cleanup = clean_up(retention, account.releases, account.retrains, account.holdings(referred))
    account.apply(cleanup)

    by_number = {record.sequence: record for record in account.releases}
    for number in cleanup.restorable:
        record = by_number[number]
        assert record.outcome == "released"
        config = account.configs[record.config_after or ""]
        for model in config.models:
            assert account.models[model] in account.archives
    if account.live:
        assert account.live in account.configs
        assert account.live in {by_number[n].config_after for n in cleanup.restorable}
    assert referred <= account.models.keys()
    # No more than was asked for: the newest ones, and what is live.
    assert len(cleanup.restorable) <= keep + (1 if account.live else 0)
    assert len(account.configs) <= len(cleanup.restorable)
    needed = {model for config in account.configs.values() for model in config.models} | referred
    assert account.models.keys() == needed
    newest = {p.arn for p in account.packages[: retention.kept_packages]}
    for package in account.packages:
        archive = next(
            r.candidate_sha256 for r in account.retrains if r.package and r.package.arn == package.arn
        )
        assert archive in account.archives
        assert (
            package.arn in newest
            or package.status == "PendingManualApproval"
            or archive in {by_number[n].artifact_sha256 for n in cleanup.restorable}
            or archive in {account.models[model] for model in account.models}
        )
    assert (
        clean_up(retention, account.releases, account.retrains, account.holdings(referred))
        .model_copy(update={"artifacts": (), "jobs": ()})
        .empty
    )


def kept(retention: int, releases: Sequence[Release], live: str, *configs: str) -> Cleanup:
    held = tuple(HeldConfig(name=name, models=(f"m{name[1:]}",)) for name in configs)
    models = {f"m{name[1:]}": f"a{name[1:]}" for name in configs}
    there = Holdings(configs=held, models=models, live=frozenset({live}))
    return clean_up(RetentionSpec(releases=retention), releases, (), there)


def test_the_newest_good_ones_and_the_live_one_stay() -> None:
    records = [release(5, 5, "rolled_back"), *(release(n, n) for n in (4, 3, 2, 1))]
    cleanup = kept(2, records, "c1", "c1", "c2", "c3", "c4")
    assert cleanup.restorable == (4, 3, 1)
    assert cleanup.configs == ("c2",)
    assert cleanup.models == ("m2",)
    assert cleanup.artifacts == ("a2", "a5")


def test_what_runs_have_noted_goes_with_their_releases() -> None:
    def of_run(record: Release, run: str) -> Release:
        return record.model_copy(update={"run": _RUN.model_copy(update={"run_id": run})})

    outcomes = {6: "refused", 5: "rolled_back", 4: "rolled_back", 3: "released", 2: "released", 1: "released"}
    records = [of_run(release(n, n, outcome), str(n)) for n, outcome in outcomes.items()]
    keys = {number: run_key("d", str(number)) for number in range(8)}
    held = (HeldConfig(name="c2", models=("m2",)), HeldConfig(name="c3", models=("m3",)))
    there = Holdings(
        configs=held, live=frozenset({"c3"}), runs=frozenset(keys[n] for n in (1, 2, 3, 4, 5, 7))
    )
    cleanup = clean_up(RetentionSpec(releases=2), records, (), there)
    # Kept: 3 and 2, which can be restored; 6 and 5, which somebody may still ask about; 7, under way.
    assert set(cleanup.runs) == {keys[1], keys[4]}


def test_nothing_from_before_a_teardown_is_restorable() -> None:
    records = [release(3, 3), release(2, None, "torn_down", "teardown"), release(1, 1)]
    cleanup = kept(5, records, "c3", "c3")
    assert cleanup.restorable == (3,)
    assert cleanup.artifacts == ("a1",)


def test_a_joint_configuration_that_is_live_keeps_both_sides() -> None:
    held = (
        HeldConfig(name="c1", models=("m1",)),
        HeldConfig(name="c2", models=("m2",)),
        HeldConfig(name="j", models=("m1", "m2"), leads=("c1", "c2")),
        HeldConfig(name="old", models=("m1",), leads=("c0", "c1")),
    )
    there = Holdings(configs=held, models={"m1": "a1", "m2": "a2"}, live=frozenset({"j"}))
    cleanup = clean_up(RetentionSpec(releases=1), [release(1, 1)], (), there)
    assert cleanup.configs == ("old",)
    assert cleanup.models == ()


def test_outputs_of_jobs_go_with_their_archives() -> None:
    records = [retrained(n, n, n) for n in (4, 3, 2, 1)]
    packages = tuple(HeldPackage(arn=f"{_GROUP}/{n}", version=n, status="Approved") for n in (4, 3, 2, 1))
    cleanup = clean_up(RetentionSpec(releases=2), [release(1, 1)], records, Holdings(
        configs=(HeldConfig(name="c1", models=("m1",)),), models={"m1": "a1"}, packages=packages,
        live=frozenset({"c1"}),
    ))  # fmt: skip
    assert cleanup.packages == (f"{_GROUP}/2",)
    assert cleanup.artifacts == ("a2",)
    assert cleanup.jobs == ("job2",)


def test_what_a_run_in_flight_holds_stays_with_its_package_and_its_job() -> None:
    records = [retrained(n, n, n) for n in (4, 3, 2, 1)]
    packages = tuple(HeldPackage(arn=f"{_GROUP}/{n}", version=n, status="Approved") for n in (4, 3, 2, 1))
    there = Holdings(packages=packages, held=frozenset({"a2"}))
    cleanup = clean_up(RetentionSpec(releases=1), [release(1, 1)], records, there)
    assert cleanup.packages == (f"{_GROUP}/3", f"{_GROUP}/1")
    assert cleanup.artifacts == ("a1", "a3")
    assert cleanup.jobs == ("job1", "job3")

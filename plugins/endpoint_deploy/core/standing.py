"""Where a deployment stands: what the ledger says last, beside what is live."""

from collections.abc import Iterable

from endpoint_deploy.core.findings import Finding
from endpoint_deploy.core.observed import ObservedEndpoint, same_weights
from endpoint_deploy.core.plan import RollBackTo
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.standstill import Standstill
from endpoint_deploy.core.strict import Strict

# How a release ends that has put something behind the endpoint, or has taken it back, and has looked at it.
_SPEAKS = frozenset({"released", "rolled_back", "rollback_failed", "torn_down"})
_GOOD = frozenset({"released", "torn_down"})


class LedgerWord(Strict):
    """What the ledger says of an endpoint.

    `last` is the newest record; `word` the newest that says which configuration is live; `live` the newest
    proved release of the configuration that was asked for. None: there is no such record.
    """

    last: Release | None = None
    word: Release | None = None
    live: Release | None = None

    @property
    def records(self) -> tuple[Release, ...]:
        """Its records, the newest first, each once."""
        found = {each.sequence: each for each in (self.last, self.word, self.live) if each is not None}
        return tuple(found[number] for number in sorted(found, reverse=True))

    @property
    def config(self) -> str | None:
        """The configuration that ought to be live; None: no endpoint."""
        return self.word.config_after if self.word and self.word.outcome != "torn_down" else None

    @property
    def proved(self) -> RollBackTo | None:
        """The variants that ought to be live, as they were proved; None where no record says.

        A release that was taken back has proved none itself: what it went back to has, when it was released.
        """
        live = self.live if self.live and self.live.config_after == self.config else None
        return next((each.live for each in (self.word, live) if each and each.live), None)


class Standing(Strict):
    """One deployment: the endpoint as DescribeEndpoint gave it, the ledger's word, and what is wrong.

    `drift` says in a sentence how what is live differs from the ledger's last word. `changing_by` is the DAG
    run that holds the endpoint's lock, looked up only where the two differ: a change under way is no drift.
    `held` says why a release would be held now; `findings` are the sentinel's that are open.
    `unreachable` lists what AWS did not answer.
    """

    deployment: str
    endpoint: str
    region: str
    seen: ObservedEndpoint | None = None
    ledger: LedgerWord = LedgerWord()
    drift: str | None = None
    changing_by: str | None = None
    held: Standstill | None = None
    findings: tuple[Finding, ...] = ()
    unreachable: tuple[str, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether somebody should look: drift, a release that did not succeed, an endpoint not in service."""
        failed = self.ledger.last is not None and self.ledger.last.outcome not in _GOOD
        down = self.seen is not None and not self.seen.in_progress and self.seen.status != "InService"
        return bool(self.drift or self.unreachable) or failed or down


def last_good(newest_first: Iterable[Release], other_than: str | None = None) -> Release | None:
    """The newest release that was proved, on another configuration than the given one.

    Nothing before a teardown counts: what it ran on was deleted then. Neither does what somebody has
    rolled back from, or a second rollback would lead to the bad release again.
    """
    left: set[str | None] = {other_than}
    for release in newest_first:
        if release.kind == "teardown" and release.outcome == "torn_down":
            return None
        if release.restorable and release.config_after not in left:
            return release
        if release.kind == "rollback" and release.restorable:
            left.add(release.config_before)
    return None


def read_word(newest_first: Iterable[Release], config: str | None) -> LedgerWord:
    """Read as far back as it takes to know what is said last, and which release `config` is of.

    A refused or rejected release, and one that failed before it changed anything, say nothing about what is
    live: what they saw there may have been put there by somebody else. Nothing before a teardown counts.
    """
    last = word = live = None
    for release in newest_first:
        last = last or release
        if word is None and _says_what_is_live(release):
            word = release
        if config is not None and release.restorable and release.config_after == config:
            live = release
        torn_down = release.outcome == "torn_down"
        if torn_down or (word is not None and (live is not None or config is None)):
            break
    return LedgerWord(last=last, word=word, live=live)


def drift_of(seen: ObservedEndpoint | None, ledger: LedgerWord) -> str | None:
    """How what is live differs from the ledger's last word; None where it does not, or is being changed.

    Counts are left out: auto scaling changes them by design.
    """
    if seen is not None and seen.in_progress:
        return None
    if (said := config_drift(seen.config if seen else None, ledger)) is not None or seen is None:
        return said
    return weight_drift(seen, ledger)


def config_drift(found: str | None, ledger: LedgerWord) -> str | None:
    """How the live configuration, None for no endpoint, is another one than the ledger says last."""
    expected = ledger.config
    if found == expected:
        return None
    return f"found {_named(found)}, expected {_named(expected)}{_by(ledger.word)}"


def weight_drift(seen: ObservedEndpoint, ledger: LedgerWord) -> str | None:
    """How the weights differ from those that the ledger's last word has proved."""
    proved = ledger.proved
    if proved is None:
        return None
    wanted = {variant.name: variant.weight for variant in proved.variants}
    if same_weights(seen.weights, wanted):
        return None
    return f"found the weights {_weights(seen.weights)}, expected {_weights(wanted)}{_by(ledger.word)}"


def _says_what_is_live(release: Release) -> bool:
    if release.outcome in _SPEAKS:
        return True
    return release.action is not None and release.config_before != release.config_after


def _named(config: str | None) -> str:
    return f"configuration {config}" if config else "no endpoint"


def _by(word: Release | None) -> str:
    return f" by record {word.sequence}" if word else ": the ledger has no record"


def _weights(weights: dict[str, float]) -> str:
    return ", ".join(f"{name} {weight:g}" for name, weight in sorted(weights.items()))

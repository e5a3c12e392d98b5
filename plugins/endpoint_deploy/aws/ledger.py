"""The ledger: one append-only record per release, in order, safe under several writers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core.release import Release, RunRef

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DIGITS = 8


class Ledger:
    """The releases of one endpoint, `<store>/ledger/<endpoint>/00000001.json` and so on."""

    def __init__(self, client: "S3Client", store: str, endpoint: str) -> None:
        self._documents = JsonStore(client, store)
        self._folder = f"ledger/{endpoint}"

    def append(self, release: Release) -> Release:
        """Write the record as the next one and return it with its number.

        A task that is tried again finds the record it has written, and writes none.
        """
        last = 0
        for known in self.newest_first():
            last = last or known.sequence
            if _same(known, release):
                return known
            if known.finished_at < release.started_at:
                break  # older than this run: its record cannot come further down
        while True:
            last += 1
            numbered = release.model_copy(update={"sequence": last})
            if self._documents.create(self._key(last), numbered.model_dump(mode="json")):
                return numbered
            # Taken: by another writer, or by ourselves, where the answer was lost and botocore tried again.
            if (there := self.get(last)) is not None and _same(there, numbered):
                return there

    def newest_first(self) -> Iterator[Release]:
        """Every record, the newest first."""
        for key in reversed(list(self._documents.keys(self._folder))):
            if (found := self._documents.read(key)) is not None:
                yield Release.model_validate(found[0])

    def get(self, sequence: int) -> Release | None:
        """One record by its number."""
        found = self._documents.read(self._key(sequence))
        return Release.model_validate(found[0]) if found else None

    def last_good(self, *, other_than: str | None = None) -> Release | None:
        """The newest release that was proved, on another configuration than the given one.

        Nothing before a teardown counts: what it ran on was deleted then. Neither does what somebody has
        rolled back from, or a second rollback would lead to the bad release again.
        """
        left: set[str | None] = {other_than}
        for release in self.newest_first():
            if release.kind == "teardown" and release.outcome == "torn_down":
                return None
            if release.restorable and release.config_after not in left:
                return release
            if release.kind == "rollback" and release.restorable:
                left.add(release.config_before)
        return None

    def has_released(self, run: RunRef, started_at: str | None) -> bool:
        """Whether this very run, since it was last planned, has completed its release."""
        for known in self.newest_first():
            if known.run == run and known.outcome == "released" and known.started_at == started_at:
                return True
            if started_at is None or known.finished_at < started_at:
                return False
        return False

    def uri(self, sequence: int) -> str:
        """Where a record lies."""
        return self._documents.uri(self._key(sequence))

    def _key(self, sequence: int) -> str:
        return f"{self._folder}/{sequence:0{_DIGITS}}.json"


def _same(a: Release, b: Release) -> bool:
    return (a.run, a.started_at, a.outcome) == (b.run, b.started_at, b.outcome)

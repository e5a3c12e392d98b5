"""The ledger: one append-only record per release, in order, safe under several writers."""

import logging
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.latest import LatestReleases
from endpoint_deploy.aws.records import Records
from endpoint_deploy.core.record import RunRef
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.standing import LedgerWord, last_good, read_word

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOG = logging.getLogger(__name__)
# Where nobody has released what is live, no record names it, and all would be read.
_LOOK_BACK = 50


class Ledger(Records[Release]):
    """The releases of one endpoint, `<store>/ledger/<endpoint>/00000001.json` and so on."""

    def __init__(self, client: "S3Client", store: str, endpoint: str) -> None:
        super().__init__(client, store, f"ledger/{endpoint}", Release)
        self._endpoint = endpoint
        self._latest = LatestReleases(client, store)

    def append(self, record: Release) -> Release:
        """As `Records.append`; then keep a copy among the latest, as does a record that is tried again."""
        return self.append_and_read(record)[0]

    def append_and_read(self, record: Release) -> tuple[Release, LedgerWord]:
        """As `append`; also what the ledger says with it."""
        kept = super().append(record)
        word = read_word(islice(self.newest_first(), _LOOK_BACK), kept.config_after)
        try:
            self._latest.put(self._endpoint, word)
        except ClientError as error:
            if errors.is_passing(error):
                raise
            # The release is recorded, and nothing but a page reads the copy.
            _LOG.warning("the newest releases of %s could not be written: %s", self._endpoint, error)
        return kept, word

    def is_same(self, known: Release, record: Release) -> bool:
        """Whether both are of one run and end alike: a plan outlives what is cleared and run after it."""
        return super().is_same(known, record) and known.outcome == record.outcome

    def last_good(self, *, other_than: str | None = None) -> Release | None:
        """The newest release that was proved, on another configuration: see `core.standing.last_good`."""
        return last_good(self.newest_first(), other_than)

    def serving(self, config: str | None) -> Release | None:
        """The release that clients meet: the one that ended on this configuration, its archive known.

        While a release is under way, the live configuration is one that no record has; what it goes out
        from, and would come back to, is then the newest that was proved. None after a teardown.
        """
        newest = None
        for release in self.newest_first():
            if release.kind == "teardown" and release.outcome == "torn_down":
                break
            if not release.restorable or release.pinned is None or release.artifact_sha256 is None:
                continue
            if release.config_after == config:
                return release
            newest = newest or release
        return newest

    def has_released(self, run: RunRef, started_at: str | None) -> bool:
        """Whether this very run, since it was last planned, has completed its release."""
        for known in self.newest_first():
            if known.run == run and known.outcome == "released" and known.started_at == started_at:
                return True
            if started_at is None or known.finished_at < started_at:
                return False
        return False

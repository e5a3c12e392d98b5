"""Archives that runs are about to use: nothing that housekeeping looks at names them yet.

`<store>/holds/<endpoint>/<run key>.json` counts for as long as its run lives. A run that waits for a person,
and one that retrains, hold no lock: this keeps what they have pinned.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from endpoint_deploy.aws.lock import Holder
from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core import naming
from endpoint_deploy.core.strict import Strict

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Hold(Strict):
    """What a run keeps: the SHA-256 of its archive."""

    run: Holder
    sha256: str


class Holds:
    """The holds of one endpoint's runs."""

    def __init__(self, client: "S3Client", store: str, endpoint: str) -> None:
        self._documents = JsonStore(client, store)
        self._folder = f"holds/{endpoint}"

    def keep(self, run: Holder, sha256: str) -> None:
        """Say that this run uses the archive, and no other any more; written before it is pinned."""
        key = f"{self._folder}/{naming.run_key(run.dag_id, run.run_id)}.json"
        hold = Hold(run=run, sha256=sha256).model_dump()
        while not self._documents.create(key, hold):
            found = self._documents.read(key)
            if found is not None and (found[0] == hold or self._documents.replace(key, hold, found[1])):
                return

    def of_live(self, is_live: Callable[[Holder], bool]) -> frozenset[str]:
        """SHA-256 of what live runs keep; the holds of runs that have ended are deleted."""
        kept = set()
        for key in self._documents.keys(self._folder):
            found = self._documents.read(key)
            if found is None:
                continue
            hold = Hold.model_validate(found[0])
            if is_live(hold.run):
                kept.add(hold.sha256)
            else:
                self._documents.delete(key)
        return frozenset(kept)

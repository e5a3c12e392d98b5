"""The newest word on every endpoint of a store, in a few objects: what a page of many deployments reads.

A ledger is one object per release, and a listing says only their names: whoever wants the last record of
each of 200 endpoints would need 200 reads. So each record that is appended leaves a copy here, without its
evidence: `<store>/latest/0.json` to `7.json`, an endpoint in one of them by the checksum of its name. They
follow from the ledger and may be deleted: the next record of an endpoint writes its own again.
"""

import random
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.standing import LedgerWord
from endpoint_deploy.errors import TryAgain

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Writers of one object lose races against each other; readers pay for each object. Never to be changed:
# a store's endpoints lie where this number has put them.
_SHARDS = 8
_TRIES = 50
_PAUSE_SECONDS = 0.1


class LatestReleases:
    """The newest records of all endpoints of one store."""

    def __init__(self, client: "S3Client", store: str) -> None:
        self._documents = JsonStore(client, store)

    def put(self, endpoint: str, word: LedgerWord) -> None:
        """Keep the records of this word, unless newer ones are there; raises TryAgain after many races."""
        records = [each.model_dump(mode="json", exclude={"evidence"}) for each in word.records]
        if not records:
            return
        key = _key(zlib.crc32(endpoint.encode()) % _SHARDS)
        for _ in range(_TRIES):
            if self._written(key, endpoint, records):
                return
            time.sleep(random.uniform(0, _PAUSE_SECONDS))  # noqa: S311  parts writers, keeps no secret
        raise TryAgain(f"{self._documents.uri(key)} is being written by others all the time")

    def _written(self, key: str, endpoint: str, records: list[dict[str, Any]]) -> bool:
        found = self._documents.read(key)
        if found is None:
            return self._documents.create(key, {endpoint: records})
        document, etag = found
        if _newest(document.get(endpoint)) > records[0]["sequence"]:
            return True
        return self._documents.replace(key, document | {endpoint: records}, etag)

    def read(self) -> dict[str, tuple[Release, ...]]:
        """Records by endpoint, the newest first, without their evidence: those that `read_word` looks at.

        An endpoint whose record this version cannot read is left out, as one that has none.
        """
        with ThreadPoolExecutor(_SHARDS) as readers:
            found = list(readers.map(self._documents.read, map(_key, range(_SHARDS))))
        merged: dict[str, tuple[Release, ...]] = {}
        for document in found:
            for endpoint, records in (document[0] if document else {}).items():
                try:
                    merged[endpoint] = tuple(Release.model_validate(each) for each in records)
                except ValidationError:
                    continue
        return merged


def _newest(records: list[dict[str, Any]] | None) -> int:
    return int(records[0]["sequence"]) if records else 0


def _key(shard: int) -> str:
    return f"latest/{shard}.json"

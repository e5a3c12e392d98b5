"""Numbered records of one kind: append-only JSON objects in S3, in order, safe under several writers."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, TypeVar

from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core.record import RunRecord
from endpoint_deploy.errors import TryAgain

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DIGITS = 8
# botocore keeps ten connections by default (`max_pool_connections`): more readers would only wait for one.
_READERS = 8
_CONFLICTS = 20
_CONFLICT_SECONDS = 0.1
R = TypeVar("R", bound=RunRecord)


class Records(Generic[R]):
    """The records below one folder of a store: `<store>/<folder>/00000001.json` and so on."""

    def __init__(self, client: "S3Client", store: str, folder: str, kind: type[R]) -> None:
        self._documents = JsonStore(client, store)
        self._folder = folder
        self._kind = kind

    def append(self, record: R) -> R:
        """Write the record as the next one and return it with its number.

        A task that is tried again finds the record it has written, and writes none.
        """
        last = 0
        for known in self.newest_first():
            last = last or known.sequence
            if self.is_same(known, record):
                return known
            if known.finished_at < record.started_at:
                break  # older than this run: its record cannot come further down
        while True:
            last += 1
            there = self._take(last, record)
            if self.is_same(there, record):
                return there

    def _take(self, number: int, record: R) -> R:
        """Write the record under this number, or return what is there already.

        Taken may mean: by another writer, or by ourselves, where an answer was lost and botocore tried again.
        S3 also answers 409 while a write of the same key is under way, and asks to try again (PutObject's
        reference): to go on to the next number then would leave a hole, and could record one run twice.
        """
        numbered = record.model_copy(update={"sequence": number})
        for _ in range(_CONFLICTS):
            if self._documents.create(self._key(number), numbered.model_dump(mode="json")):
                return numbered
            if (there := self.get(number)) is not None:
                return there
            time.sleep(_CONFLICT_SECONDS)
        raise TryAgain(f"{self.uri(number)} is being written by somebody else, and does not appear")

    def is_same(self, known: R, record: R) -> bool:
        """Whether both are of one run. A run that was cleared and started anew is another one."""
        return (known.run, known.started_at) == (record.run, record.started_at)

    def newest_first(self) -> Iterator[R]:
        """Every record, the newest first."""
        for key in reversed(list(self._documents.keys(self._folder))):
            if (found := self._documents.read(key)) is not None:
                yield self._kind.model_validate(found[0])

    def newest_first_at_once(self, limit: int | None = None) -> Iterator[R]:
        """As `newest_first`, several read at a time: for whoever will look at many. At most `limit`."""
        keys = list(reversed(list(self._documents.keys(self._folder))))[:limit]
        with ThreadPoolExecutor(_READERS) as readers:
            for start in range(0, len(keys), 4 * _READERS):
                for found in readers.map(self._documents.read, keys[start : start + 4 * _READERS]):
                    if found is not None:
                        yield self._kind.model_validate(found[0])

    def get(self, sequence: int) -> R | None:
        """One record by its number."""
        found = self._documents.read(self._key(sequence))
        return self._kind.model_validate(found[0]) if found else None

    def uri(self, sequence: int) -> str:
        """Where a record lies."""
        return self._documents.uri(self._key(sequence))

    def _key(self, sequence: int) -> str:
        return f"{self._folder}/{sequence:0{_DIGITS}}.json"

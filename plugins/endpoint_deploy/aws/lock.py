"""One run at a time may change an endpoint, across deploy, rollback and teardown.

An object in S3, made with a conditional put. It names its holder, so that a run that died does not hold it
for ever: whoever wants it asks Airflow whether that run still lives.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.errors import TryAgain

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Holder(Strict):
    """A DAG run."""

    dag_id: str
    run_id: str


class EndpointLock:
    """`<store>/locks/<endpoint>.json`."""

    def __init__(self, client: "S3Client", store: str, endpoint: str) -> None:
        self._documents = JsonStore(client, store)
        self._key = f"locks/{endpoint}.json"
        self._endpoint = endpoint

    def acquire(self, holder: Holder, is_live: Callable[[Holder], bool]) -> None:
        """Take the lock, or keep it; raises TryAgain where a live run holds it."""
        if self._documents.create(self._key, holder.model_dump()):
            return
        found = self._documents.read(self._key)
        if found is None:
            raise TryAgain(f"the lock of endpoint {self._endpoint} was given back this moment; trying again")
        current, etag = Holder.model_validate(found[0]), found[1]
        if current == holder:
            return
        if is_live(current) or not self._documents.replace(self._key, holder.model_dump(), etag):
            raise TryAgain(
                f"endpoint {self._endpoint} is being changed by run {current.run_id} of {current.dag_id}; "
                f"{holder.dag_id} waits for it"
            )

    def holder(self) -> Holder | None:
        """Who holds it now, without asking whether that run still lives; None where nobody does."""
        found = self._documents.read(self._key)
        return Holder.model_validate(found[0]) if found else None

    def release(self, holder: Holder) -> None:
        """Give the lock back where this run holds it."""
        found = self._documents.read(self._key)
        if found is not None and Holder.model_validate(found[0]) == holder:
            self._documents.delete(self._key)

"""What a task has seen of a release's stages, kept in S3: a retry goes on where the try before it stopped."""

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core.stages import StageRecord
from endpoint_deploy.errors import TryAgain

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_STAGES: TypeAdapter[tuple[StageRecord, ...]] = TypeAdapter(tuple[StageRecord, ...])


class StageBook:
    """One task's, `<store>/stages/<endpoint>/<run>/<task>-<round>.json`.

    A round ends when the task is cleared: the walk then starts anew. Its retries go on with it.
    """

    def __init__(self, client: "S3Client", store: str, key: str) -> None:
        self._documents = JsonStore(client, store)
        self.key = key

    @property
    def uri(self) -> str:
        """Its s3:// address."""
        return self._documents.uri(self.key)

    @staticmethod
    def key_of(endpoint: str, run: str, task: str, number: int) -> str:
        """Where a task's round is kept."""
        return f"stages/{endpoint}/{run}/{task}-{number:04}.json"

    def read(self) -> tuple[StageRecord, ...]:
        """The stages so far, the last one perhaps under way."""
        found = self._documents.read(self.key)
        return _STAGES.validate_python(found[0]) if found else ()

    def keep(self, stages: tuple[StageRecord, ...]) -> None:
        """Write them over what was there; raises TryAgain where another try of the task still writes."""
        document = _STAGES.dump_python(stages, mode="json")
        if self._documents.create(self.key, document):
            return
        found = self._documents.read(self.key)
        if found is None or not self._documents.replace(self.key, document, found[1]):
            raise TryAgain(f"{self._documents.uri(self.key)} is written by another try; trying again")

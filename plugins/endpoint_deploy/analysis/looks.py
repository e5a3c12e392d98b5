"""Looks in S3, and the measurements of each replay: written once, so that a look is never taken twice.

`<store>/analysis/<endpoint>/<run key>/<stage>/look-001.json` and, beside it, `replay-001.json`.
"""

from typing import TYPE_CHECKING, TypeVar

from endpoint_deploy.analysis.look import Look, Stage
from endpoint_deploy.analysis.replay import Replayed
from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.errors import TryAgain

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

S = TypeVar("S", bound=Strict)


class Looks:
    """The looks at one stage of one release."""

    def __init__(self, client: "S3Client", store: str, endpoint: str, run_key: str, stage: Stage) -> None:
        self._documents = JsonStore(client, store)
        self._folder = f"analysis/{endpoint}/{run_key}/{stage.key}"

    @property
    def uri(self) -> str:
        """The s3:// address of the folder."""
        return self._documents.uri(self._folder)

    def look(self, number: int) -> Look | None:
        """A look that was taken; None where it was not."""
        return self._read(f"look-{number:03}", Look)

    def keep(self, look: Look) -> Look:
        """Write the look, or return the one of its number that was written before."""
        return self._keep(f"look-{look.number:03}", look)

    def replayed(self, number: int) -> Replayed | None:
        """What was replayed for a look; None where nothing was."""
        return self._read(f"replay-{number:03}", Replayed)

    def keep_replayed(self, number: int, replayed: Replayed) -> Replayed:
        """Write what was replayed, or return what was written before."""
        return self._keep(f"replay-{number:03}", replayed)

    def _read(self, name: str, kind: type[S]) -> S | None:
        found = self._documents.read(f"{self._folder}/{name}.json")
        return kind.model_validate(found[0]) if found else None

    def _keep(self, name: str, document: S) -> S:
        """Of two writers one wins, and both go on with its document."""
        if self._documents.create(f"{self._folder}/{name}.json", document.model_dump(mode="json")):
            return document
        if (there := self._read(name, type(document))) is None:
            raise TryAgain(f"{self.uri}/{name}.json is being written by somebody else, and does not appear")
        return there

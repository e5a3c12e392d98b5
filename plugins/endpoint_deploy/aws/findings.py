"""The sentinel's findings about one endpoint: one object in S3."""

from typing import TYPE_CHECKING

from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core.findings import Findings
from endpoint_deploy.errors import TryAgain

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def ever_looked_at(client: "S3Client", store: str) -> frozenset[str]:
    """The endpoints of a store that the sentinel has looked at, by one list."""
    names = (key.rpartition("/")[2] for key in JsonStore(client, store).keys("findings"))
    return frozenset(name.removesuffix(".json") for name in names)


class FindingsStore:
    """`<store>/findings/<endpoint>.json`; a look that another one has overtaken is not written."""

    def __init__(self, client: "S3Client", store: str, endpoint: str) -> None:
        self._documents = JsonStore(client, store)
        self._key = f"findings/{endpoint}.json"
        self._etag: str | None = None

    def read(self) -> Findings:
        """What is known; empty before the first look."""
        found = self._documents.read(self._key)
        self._etag = found[1] if found else None
        return Findings.model_validate(found[0]) if found else Findings()

    def write(self, findings: Findings) -> None:
        """Write what came of what was read; raises TryAgain where somebody has written since."""
        body = findings.model_dump()
        fresh = self._etag is None
        kept = self._documents.create(self._key, body) if fresh else None
        if kept is None:
            kept = self._documents.replace(self._key, body, self._etag or "")
        if not kept:
            raise TryAgain(f"{self._documents.uri(self._key)} was written by another run; looking again")
        self.read()

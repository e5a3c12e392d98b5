"""Who uses a pinned artifact: a store may serve several endpoints, and the same archive several of them.

`<store>/artifacts/sha256/<digest>/used-by/<endpoint>.json` is written before the archive is pinned, so that
whoever finds no user left may delete it. An archive that has never had one is left alone.
"""

from typing import TYPE_CHECKING

from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core import naming

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class ArtifactUses:
    """The uses of the pinned artifacts of one store."""

    def __init__(self, client: "S3Client", store: str) -> None:
        self._documents = JsonStore(client, store)

    def add(self, sha256: str, endpoint: str) -> None:
        """Say that an endpoint uses an archive; again is as well."""
        self._documents.create(_key(sha256, endpoint), {"endpoint": endpoint})

    def drop(self, sha256: str, endpoint: str) -> bool:
        """Say that it no longer does, and delete the archive where nobody else uses it. Returns whether."""
        own = _key(sha256, endpoint)
        if self._documents.read(own) is None:
            return False
        others = [key for key in self._documents.keys(_folder(sha256)) if key != own]
        if not others:
            self._documents.delete(naming.artifact_key(sha256))
        # Last: a crash in between leaves a use, and with it another try.
        self._documents.delete(own)
        return not others


def _folder(sha256: str) -> str:
    return f"{naming.artifact_key(sha256).rpartition('/')[0]}/used-by"


def _key(sha256: str, endpoint: str) -> str:
    return f"{_folder(sha256)}/{endpoint}.json"

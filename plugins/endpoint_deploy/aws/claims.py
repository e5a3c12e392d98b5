"""Approvals that a retraining gives and announces itself: the watcher of the registry passes them by."""

from typing import TYPE_CHECKING

from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core.package import Approval

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Claims:
    """One object a package: `<store>/announced/<endpoint>/<version>.json`."""

    def __init__(self, client: "S3Client", store: str, endpoint: str) -> None:
        self._documents = JsonStore(client, store)
        self._folder = f"announced/{endpoint}"

    def claim(self, approval: Approval) -> None:
        """Say that this approval is announced by whoever gives it; written before it is given."""
        key = self._key(approval)
        while not self._documents.create(key, approval.model_dump()):
            found = self._documents.read(key)
            if found is not None and self._documents.replace(key, approval.model_dump(), found[1]):
                return

    def covers(self, approval: Approval) -> bool:
        """Whether it was claimed; one that was claimed before it was given covers any."""
        found = self._documents.read(self._key(approval))
        if found is None:
            return False
        claimed = Approval.model_validate(found[0])
        return claimed.model_package == approval.model_package and claimed.given in {None, approval.given}

    def _key(self, approval: Approval) -> str:
        return f"{self._folder}/{approval.model_package.rpartition('/')[2]}.json"

"""What runs have noted in the store on their way: the stages of a release, and the looks at them."""

from typing import TYPE_CHECKING

from endpoint_deploy.aws.store import JsonStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_KINDS = ("analysis", "stages")


class RunNotes:
    """One endpoint's, `<store>/analysis/<endpoint>/<run>/` and `<store>/stages/<endpoint>/<run>/`."""

    def __init__(self, client: "S3Client", store: str, endpoint: str) -> None:
        self._documents = JsonStore(client, store)
        self._endpoint = endpoint

    def runs(self) -> frozenset[str]:
        """Keys of the runs that have noted anything."""
        return frozenset(
            run for kind in _KINDS for run in self._documents.folders(f"{kind}/{self._endpoint}")
        )

    def delete(self, run: str) -> bool:
        """Delete a run's; False where there is nothing."""
        return bool(sum(self._documents.delete_folder(f"{kind}/{self._endpoint}/{run}") for kind in _KINDS))

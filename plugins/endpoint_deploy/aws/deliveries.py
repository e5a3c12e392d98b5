"""What has been delivered of an input version: one object, written last, which says what counts."""

from typing import TYPE_CHECKING

from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core.batch import MARKER, Delivery
from endpoint_deploy.errors import TryAgain

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class DeliveryMarker:
    """`<folder>/_DELIVERED.json`."""

    def __init__(self, client: "S3Client", folder: str) -> None:
        self._documents = JsonStore(client, folder)

    @property
    def uri(self) -> str:
        """Its address."""
        return self._documents.uri(MARKER)

    def read(self) -> tuple[Delivery, str] | None:
        """The delivery and the marker's ETag; None where nothing has been delivered."""
        found = self._documents.read(MARKER)
        return (Delivery.model_validate(found[0]), found[1]) if found else None

    def write(self, delivery: Delivery, *, over: str | None) -> None:
        """Write where nothing is, or over the marker of that ETag; raises TryAgain where that has changed."""
        document = delivery.model_dump(mode="json")
        if over is None:
            written = self._documents.create(MARKER, document)
        else:
            written = self._documents.replace(MARKER, document, over)
        if not written:
            raise TryAgain(f"{self.uri} was written by another run this moment; trying again")

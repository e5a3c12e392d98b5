"""The freeze of an endpoint: one object in S3, changed by conditional writes alone."""

from typing import TYPE_CHECKING

from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core.standstill import Freeze
from endpoint_deploy.errors import TryAgain

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_TRIES = 5


def ever_frozen(client: "S3Client", store: str) -> frozenset[str]:
    """The endpoints of a store that have a freeze, in force or not, by one list."""
    names = (key.rpartition("/")[2] for key in JsonStore(client, store).keys("freezes"))
    return frozenset(name.removesuffix(".json") for name in names)


class Freezes:
    """`<store>/freezes/<endpoint>.json`."""

    def __init__(self, client: "S3Client", store: str, endpoint: str) -> None:
        self._documents = JsonStore(client, store)
        self._endpoint = endpoint
        self._key = f"freezes/{endpoint}.json"

    def read(self) -> Freeze | None:
        """The last freeze, whether or not it is in force; None where there never was one."""
        found = self._documents.read(self._key)
        return Freeze.model_validate(found[0]) if found else None

    def freeze(self, wanted: Freeze) -> Freeze | None:
        """Freeze, in the place of any freeze before, and return that; raises TryAgain where others write."""
        for _ in range(_TRIES):
            found = self._documents.read(self._key)
            before = Freeze.model_validate(found[0]) if found else None
            if before is not None and (before == wanted):
                return before
            body = wanted.model_dump()
            if (
                self._documents.replace(self._key, body, found[1])
                if found
                else self._documents.create(self._key, body)
            ):
                return before
        raise TryAgain(f"the freeze of endpoint {self._endpoint} is being written by somebody else")

    def thaw(self, *, by: str, at: str, because: str) -> Freeze | None:
        """End the freeze that is there, and return it; None where there is none that was not thawed.

        Raises TryAgain where somebody has frozen it anew this moment: that is for them to say.
        """
        found = self._documents.read(self._key)
        if found is None:
            return None
        freeze = Freeze.model_validate(found[0])
        if freeze.thawed_at is not None:
            return None
        thawed = freeze.model_copy(update={"thawed_at": at, "thawed_by": by, "thawed_because": because})
        if not self._documents.replace(self._key, thawed.model_dump(), found[1]):
            raise TryAgain(f"the freeze of endpoint {self._endpoint} was changed this moment; look again")
        return thawed

"""The records of an endpoint's retrainings."""

from typing import TYPE_CHECKING

from endpoint_deploy.aws.records import Records
from endpoint_deploy.core.retrain import RetrainRecord

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Retrains(Records[RetrainRecord]):
    """The retrainings of one endpoint, `<store>/retrains/<endpoint>/00000001.json` and so on."""

    def __init__(self, client: "S3Client", store: str, endpoint: str) -> None:
        super().__init__(client, store, f"retrains/{endpoint}", RetrainRecord)

    def last_accepted(self) -> RetrainRecord | None:
        """The newest retraining whose data passed their gate, whatever became of the model."""
        return next((record for record in self.newest_first() if record.data is not None), None)

    def last_registered(self) -> RetrainRecord | None:
        """The newest retraining that ended with a model package, trained in it or given to it."""
        return next((record for record in self.newest_first() if record.outcome == "registered"), None)

"""What the tasks of a retraining hand to each other, and the record that is kept of it.

Everything lies under the deployment's store, named by content:

    training-sets/<endpoint>/<digest>/manifest.json   what was trained on, in SageMaker's manifest format
    training-sets/<endpoint>/<digest>/profile-<key>.json  statistics by column, to compare the next set with
    code/<sha256>/sourcedir.tar.gz                    training and evaluation code
    jobs/<job>/                                       outputs of training and processing jobs
    evaluations/<endpoint>/<key>/statistics.json      metrics and lineage of a model package
    announced/<endpoint>/<version>.json               approvals that a retraining announces itself
    announced/<endpoint>.json                         approvals that the registry's watcher has announced
    retrains/<endpoint>/00000001.json                 the records, in order
"""

from typing import Any, Literal

from pydantic import Field

from endpoint_deploy.core.record import RunRecord
from endpoint_deploy.core.strict import Strict

NOTHING_NEW = "nothing_new"  # the XCom under which `select_data` says why nothing is to be trained
# How a retraining may end that is recorded; one that has nothing new to train on is not.
RecordedOutcome = Literal["registered", "data_refused", "model_refused", "failed"]
RetrainOutcome = Literal[RecordedOutcome, "nothing_new"]


class DataFile(Strict):
    """One object of a training set. `size` in bytes."""

    key: str
    etag: str
    size: int


class TrainingSet(Strict):
    """Which objects a model is trained on.

    `digest` is that of bucket, keys and ETags; `identity` that of the data, the code and the hyperparameters
    together, by which a run that would make nothing new is known.
    """

    digest: str
    identity: str | None = None
    bucket: str
    manifest: str
    files: tuple[DataFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


class CheckedData(Strict):
    """What the data gate found: `profile` is the s3:// address of the set's statistics."""

    digest: str
    rows: int
    profile: str
    compared_with: str | None = Field(None, description="Digest of the last accepted training set.")
    comparison: str = Field("", description="Whether it was compared, in plain words.")
    suites: tuple[dict[str, Any], ...] = ()
    data_docs: tuple[str, ...] = ()


class TrainedModel(Strict):
    """What a training or tuning job has made, or what the given package holds."""

    artifact: str
    image: str
    job: str | None = None
    kind: Literal["training", "tuning", "package"] = "training"
    hyperparameters: dict[str, str] = Field(default={})
    metrics: dict[str, float] = Field(default={})
    billable_seconds: int = 0
    code_sha256: str | None = None
    model_package: str | None = None


class Champion(Strict):
    """The live release that a candidate is compared with."""

    sha256: str
    pinned: str
    image: str | None = None
    release: int


class Evaluation(Strict):
    """One evaluation: `predictions` is the s3:// address of a CSV file of truth and both models' answers."""

    job: str
    predictions: str
    rows: int
    champion: Champion | None


class MetricResult(Strict):
    """One metric of both models.

    `gain` is how much better the candidate is (positive: better, whichever way the metric runs), with the
    bounds of its confidence interval; None without a champion.
    """

    name: str
    candidate: float
    champion: float | None = None
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    margin: float | None = None


class GatedMetrics(Strict):
    """What the metric gate let through."""

    rows: int
    confidence: float
    metrics: tuple[MetricResult, ...]
    champion: Champion | None = None
    suites: tuple[dict[str, Any], ...] = ()
    data_docs: tuple[str, ...] = ()


class RegisteredPackage(Strict):
    """A version of the model package group. `status` is the service's ModelApprovalStatus."""

    arn: str
    group: str
    version: int
    status: str


class RetrainRecord(RunRecord):
    """One retraining: how it ended, and on which evidence."""

    outcome: RecordedOutcome
    reason: str
    training_set: str | None = Field(None, description="Digest of the TrainingSet.")
    identity: str | None = Field(None, description="That of the TrainingSet.")
    data: CheckedData | None = None
    trained: TrainedModel | None = None
    candidate_sha256: str | None = None
    pinned: str | None = None
    metrics: GatedMetrics | None = None
    package: RegisteredPackage | None = None
    data_docs: dict[str, str] = Field(default={})

"""What the tasks of a batch transform hand to each other, and what is kept of it.

Under the deployment's store, and below `batch_transform.output`:

    batches/<endpoint>/<digest>/manifest.json          the files of one job, in SageMaker's manifest format
    batches/<endpoint>/records/00000001.json           the records, in order
    jobs/<job>/                                        what the transform job has put out, judged or not
    <output>/<input version>/<model>/<job>/<key>.out   predictions that passed
    <output>/<input version>/<model>/_DELIVERED.json   which of them count: written last
"""

from typing import Literal

from pydantic import Field

from endpoint_deploy.core import naming
from endpoint_deploy.core.batch_spec import BatchTransformSpec
from endpoint_deploy.core.record import RunRecord, RunRef
from endpoint_deploy.core.strict import Strict

BatchOutcome = Literal["delivered", "nothing_to_do", "partial", "failed"]
MARKER = "_DELIVERED.json"
_VERSION_DIGITS = 16
_LISTED = 10


class InputFile(Strict):
    """One object to be predicted: `key` below the input prefix, `etag` without quotes, `size` in bytes."""

    key: str
    etag: str
    size: int


class SetAside(Strict):
    """A file that is not delivered, and why. `line` counts from 1; None where it is the whole file."""

    key: str
    task: Literal["check_input", "transform", "check_output"]
    found: str
    expected: str
    line: int | None = None
    data_docs: str | None = None

    def sentence(self) -> str:
        """File, line, what was found and what was expected."""
        where = f"{self.key}, line {self.line}" if self.line else self.key
        return f"{where}: found {self.found}, expected {self.expected} ({self.task})"


class DeliveredFile(Strict):
    """One file's predictions: `rows` in and out, `output` the s3:// address.

    release: whose they are, all of the same model; None in what was delivered before that was kept.
    """

    key: str
    etag: str
    rows: int
    output: str
    release: int | None = None


class Delivery(Strict):
    """What `_DELIVERED.json` holds: the predictions of one input version by one model that count.

    `whole`: every file of the input version is among `files`; one of them may be in `set_aside` as well, and
    be delivered by an earlier run, and of another release with the same model. `release` is the last run's.
    `accept` is the predictions' content type.
    """

    schema_version: Literal[1] = 1
    endpoint: str
    input: str
    input_version: str
    model: str
    release: int
    accept: str
    whole: bool
    files: tuple[DeliveredFile, ...]
    set_aside: tuple[SetAside, ...] = ()
    run: RunRef


class BatchRequest(Strict):
    """What a run is asked to predict, by which model.

    `prefix` is where the keys of `files` begin, an s3:// address that ends in a slash; `files` are those that
    are still to be predicted, `known` how many the input version has. `folder` is where they are delivered.
    `forced` tells the run, where everything is to be done anew.
    """

    prefix: str
    input_version: str
    files: tuple[InputFile, ...]
    known: int
    model: str
    variant: str
    release: int
    folder: str
    forced: str | None = None

    @property
    def already(self) -> int:
        """How many files have been delivered before this run."""
        return self.known - len(self.files)

    @property
    def nothing_to_do(self) -> bool:
        """Whether every file has been delivered before this run."""
        return not self.files


class FitFile(Strict):
    """An input file that may be predicted, with the number of its rows."""

    key: str
    etag: str
    rows: int


class CheckedInput(Strict):
    """What the input gate let through. `manifest` is the s3:// address of SageMaker's list of it."""

    manifest: str | None
    files: tuple[FitFile, ...]
    set_aside: tuple[SetAside, ...] = ()
    data_docs: tuple[str, ...] = ()


class Transformed(Strict):
    """What a transform job has put out: `files` have an output each, below `output`."""

    job: str
    output: str
    files: tuple[FitFile, ...]
    set_aside: tuple[SetAside, ...] = ()


class CheckedOutput(Strict):
    """What the output gate let through, of one job."""

    job: str
    output: str
    files: tuple[FitFile, ...]
    set_aside: tuple[SetAside, ...] = ()
    data_docs: tuple[str, ...] = ()


class BatchRecord(RunRecord):
    """One batch transform: how it ended, which files it delivered and which it set aside."""

    outcome: BatchOutcome
    reason: str
    input: str | None = None
    input_version: str | None = None
    model: str | None = None
    release: int | None = None
    job: str | None = None
    delivered: str | None = Field(None, description="Address of `_DELIVERED.json`.")
    files: int = 0
    rows: int = 0
    set_aside: tuple[SetAside, ...] = ()
    data_docs: dict[str, tuple[str, ...]] = Field(default={})


def input_version(prefix: str, files: tuple[InputFile, ...]) -> str:
    """The digest that names these objects as they are: another ETag, another version."""
    content = [prefix, sorted((file.key, file.etag) for file in files)]
    return naming.digest(content)[:_VERSION_DIGITS]


def slashed(prefix: str) -> str:
    """An s3:// prefix as a folder: with one slash at its end."""
    return f"{prefix.rstrip('/')}/"


def manifest_of(prefix: str, keys: tuple[str, ...]) -> list[dict[str, str] | str]:
    """SageMaker's manifest of these keys below a prefix (TransformS3DataSource's reference)."""
    return [{"prefix": prefix}, *keys]


def delivery_folder(batch: BatchTransformSpec, version: str, model: str) -> str:
    """Where the predictions of an input version by a model are delivered."""
    return f"{slashed(batch.output)}{version}/{model}"


def listed(files: tuple[SetAside, ...]) -> str:
    """The files and their reasons in one line, the first ten of them."""
    said = "; ".join(file.sentence() for file in files[:_LISTED])
    more = len(files) - _LISTED
    return f"{said}; and {more} more" if more > 0 else said

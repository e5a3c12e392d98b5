"""Which objects a training set is made of, and what it is known by."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from endpoint_deploy.core import naming
from endpoint_deploy.core.retrain import DataFile
from endpoint_deploy.core.retrain_spec import RetrainSpec

SUFFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "csv": (".csv", ".csv.gz"),
    "jsonlines": (".jsonl", ".jsonl.gz"),
    "parquet": (".parquet",),
}
_FEEDBACK: Final = re.compile(r"feedback/\d{4}-\d\d-\d\d-\d\d\.[a-z]+")  # as merge_feedback names an hour's


def data_files(listed: Iterable[DataFile], *, below: str, format_: str) -> tuple[DataFile, ...]:
    """The data among what is listed, in the order of their keys.

    below: the prefix that the listing was made under. Left out is what has another suffix, and what lies in
    a folder hidden as Spark and Hadoop hide it: its name starts with `.` or `_`.
    """
    found = [
        file
        for file in listed
        if file.key.endswith(SUFFIXES[format_])
        and not any(part.startswith((".", "_")) for part in file.key[len(below) :].split("/"))
    ]
    return tuple(sorted(found, key=lambda file: file.key))


def last(files: tuple[DataFile, ...], window: int | None, *, below: str) -> tuple[DataFile, ...]:
    """The last so many files and all of feedback, in the order of their keys; all of them without a window.

    Files of feedback are an hour's each, and their folder may sort before the others or after them: counted
    in the window, they would push the others out of it, or never be in it themselves.
    """
    if window is None:
        return files
    counted = [file for file in files if not is_feedback(file, below=below)]
    chosen = frozenset(file.key for file in counted[-window:])
    return tuple(file for file in files if file.key in chosen or is_feedback(file, below=below))


def is_feedback(file: DataFile, *, below: str) -> bool:
    """Whether merge_feedback wrote this file. below: key of `retrain.data.source`, which it lies under."""
    return _FEEDBACK.fullmatch(file.key.removeprefix(below).lstrip("/")) is not None


def set_digest(bucket: str, files: Iterable[DataFile]) -> str:
    """Hex sha256 of what the set holds: the bucket, and each file's key and ETag in their order."""
    return naming.digest([bucket, [[file.key, file.etag] for file in files]])


def manifest(bucket: str, files: Iterable[DataFile]) -> list[Any]:
    """SageMaker's ManifestFile: a common prefix, then what follows it (S3DataSource in the API reference)."""
    return [{"prefix": f"s3://{bucket}/"}, *(file.key for file in files)]


def training_identity(
    data: str, code: str, retrain: RetrainSpec, image: Any, hyperparameters: Mapping[str, Any]
) -> str:
    """Hex sha256 of all that a model comes from: where it is the same, training again makes nothing new.

    data: digest of the training set; code: that of the script's directory; image: the training image, as the
    spec has it; hyperparameters: those of the run's form, which go before those of the spec.
    """
    tuning = retrain.tuning.model_dump(mode="json") if retrain.tuning else None
    asked = {**retrain.training.hyperparameters, **hyperparameters}
    return naming.digest([data, code, retrain.training.script, asked, tuning, image])

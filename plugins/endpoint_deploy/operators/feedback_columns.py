"""Feedback in CSV goes beside training files whose columns have an order: is it the same?"""

import csv
import gzip
import io
from contextlib import closing
from typing import IO, TYPE_CHECKING, cast

from endpoint_deploy.aws.data_files import files_below
from endpoint_deploy.core.retrain import DataFile
from endpoint_deploy.core.retrain_spec import RetrainSpec
from endpoint_deploy.core.training_set import data_files, is_feedback
from endpoint_deploy.errors import Refused

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def check_order(client: "S3Client", retrain: RetrainSpec, columns: list[str]) -> None:
    """Raise Refused where feedback would have other columns than the training files, or another order.

    columns: of the feedback, the target last. A base file stands for all of them: the data gate holds them to
    one another. Formats that name each value's column have no order.
    """
    data = retrain.data
    if data.format != "csv" or (base := _base_file(client, retrain)) is None:
        return
    bucket = data.source.removeprefix("s3://").partition("/")[0]
    name = f"s3://{bucket}/{base.key}"
    header = _header(client, bucket, base, name)
    if header == columns:
        return
    if not header or header[-1] != data.target:
        raise Refused(
            f"retrain.feedback: found the columns {', '.join(header) or 'none'} in {name}; expected the "
            f"target {data.target} last there, as feedback in CSV has it: put it last in the training files, "
            "or use data.format jsonlines or parquet"
        )
    raise Refused(
        f"retrain.feedback: features must be {', '.join(header[:-1])}, as in the header of {name}; found "
        f"{', '.join(columns[:-1])}"
    )


def _base_file(client: "S3Client", retrain: RetrainSpec) -> DataFile | None:
    """The last training file that is no feedback; None where there is none yet."""
    below = retrain.data.source.removeprefix("s3://").partition("/")[2]
    found = data_files(files_below(client, retrain.data.source), below=below, format_=retrain.data.format)
    return next((file for file in reversed(found) if not is_feedback(file, below=below)), None)


def _header(client: "S3Client", bucket: str, file: DataFile, name: str) -> list[str]:
    body = client.get_object(Bucket=bucket, Key=file.key)["Body"]
    with closing(body):
        raw = cast("IO[bytes]", body)
        opened = gzip.GzipFile(fileobj=raw) if file.key.endswith(".gz") else raw
        try:
            # As many lines as a quoted name goes on over, and no more of what may be gigabytes.
            return next(
                csv.reader(io.TextIOWrapper(cast("IO[bytes]", opened), encoding="utf-8", newline="")), []
            )
        except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
            raise Refused(f"{name}: found no header ({error}); expected one of CSV in UTF-8") from error

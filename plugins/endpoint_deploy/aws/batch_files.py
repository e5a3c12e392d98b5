"""The files of a batch transform: listed, read, copied; never written over while they are read."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.data_files import files_below
from endpoint_deploy.core.batch import InputFile
from endpoint_deploy.errors import EndpointDeployError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_READ = 1 << 20  # botocore's default of 1 KiB halves the throughput


class FileChanged(EndpointDeployError):
    """An object is no longer the one that was listed."""


def place(uri: str) -> tuple[str, str]:
    """Bucket and key of an s3:// address."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def relative_files(client: "S3Client", prefix: str) -> Iterator[InputFile]:
    """The files below `s3://bucket/some/`, with their keys as they go on from there."""
    _, head = place(prefix)
    for file in files_below(client, prefix):
        yield InputFile(key=file.key.removeprefix(head), etag=file.etag, size=file.size)


@contextmanager
def opened(client: "S3Client", uri: str, *, etag: str | None = None) -> Iterator[IO[bytes]]:
    """An object as a temporary file at its beginning; raises FileChanged where it has another `etag`."""
    bucket, key = place(uri)
    condition: Any = {"IfMatch": f'"{etag}"'} if etag else {}
    try:
        body = client.get_object(Bucket=bucket, Key=key, **condition)["Body"]
    except ClientError as error:
        if etag and (errors.is_lost_race(error) or errors.is_absent_object(error)):
            raise _changed(uri) from error
        raise
    with TemporaryFile() as file, closing(body):
        shutil.copyfileobj(body, file, _READ)
        file.seek(0)
        yield file


def copy(client: "S3Client", source: str, target: str) -> None:
    """Copy an object of any size; what is there already is the same and is written over."""
    (bucket, key), to = place(source), place(target)
    client.copy({"Bucket": bucket, "Key": key}, *to)


def _changed(uri: str) -> FileChanged:
    return FileChanged(f"{uri} has been replaced or deleted since it was listed")

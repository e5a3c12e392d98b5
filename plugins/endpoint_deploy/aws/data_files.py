"""The data files below an S3 prefix, and the very bytes that were listed."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.core.retrain import DataFile
from endpoint_deploy.errors import ReleaseFailed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_READ: Final = 1024 * 1024  # botocore's default of 1 KiB halves the throughput


def files_below(client: "S3Client", prefix: str) -> Iterator[DataFile]:
    """The objects below `s3://bucket/some/where`, in the order of their keys.

    Folders, which consoles make as empty objects, and markers such as Spark's `_SUCCESS`, whose names begin
    with `_` or `.`, are no files.
    """
    bucket, _, head = prefix.removeprefix("s3://").partition("/")
    below = f"{head.rstrip('/')}/" if head.strip("/") else ""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=below):
        for item in page.get("Contents", []):
            name = item["Key"].rpartition("/")[2]
            if name and not name.startswith(("_", ".")):
                yield DataFile(key=item["Key"], etag=item["ETag"].strip('"'), size=item["Size"])


def fetch(client: "S3Client", bucket: str, file: DataFile, to: Path) -> None:
    """Download a file as it was when it was listed.

    Raises ReleaseFailed where it is gone or another one by now: GetObject's `IfMatch` answers 412.
    """
    try:
        answer = client.get_object(Bucket=bucket, Key=file.key, IfMatch=f'"{file.etag}"')
    except ClientError as error:
        if errors.is_lost_race(error) or errors.is_absent_object(error):
            what = "is gone" if errors.is_absent_object(error) else "has changed"
            raise ReleaseFailed(
                f"s3://{bucket}/{file.key} {what} since it was selected; clear from `select_data` to take "
                "the data as they are now"
            ) from error
        raise
    with to.open("wb") as target:
        for chunk in answer["Body"].iter_chunks(_READ):
            target.write(chunk)

"""Packed code in S3, named by its content and uploaded once."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def code_uri(store: str, digest: str) -> str:
    """Where the code of that digest lies below a store."""
    return f"{store.rstrip('/')}/code/{digest}/sourcedir.tar.gz"


def upload(s3: "S3Client", uri: str, content: bytes) -> None:
    """Put the archive there, unless it is there: the place is its content's."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=content, IfNoneMatch="*")
    except ClientError as error:
        if not errors.is_lost_race(error):
            raise

"""Programs for a job's container, in S3 under the digest of their content."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from endpoint_deploy.core import naming

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def place_of(store: str, files: Mapping[str, bytes]) -> str:
    """The s3:// prefix of these files, which are named by their paths."""
    digest = naming.digest([[name, hashlib.sha256(files[name]).hexdigest()] for name in sorted(files)])
    return f"{store.rstrip('/')}/code/{digest}"


def upload(client: "S3Client", place: str, files: Mapping[str, bytes]) -> None:
    """Put the files there. What is there already is the same: the place is its content's."""
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    for name, content in files.items():
        client.put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=content)

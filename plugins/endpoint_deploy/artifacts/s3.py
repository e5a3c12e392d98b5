"""Artifacts in S3: read once, judged, and copied to where nobody changes them.

Error codes of S3 are those of its API reference ("Error responses"); HeadObject and HeadBucket answer without
a body, so that there the code is the HTTP status.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from endpoint_deploy.artifacts.errors import ArtifactChanged, ArtifactUnreadable, BadUri
from endpoint_deploy.artifacts.inspect import inspect_archive
from endpoint_deploy.artifacts.model import GIB, MIB, ArtifactReport, Finding, Limits
from endpoint_deploy.core import naming
from endpoint_deploy.errors import Conflict

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

_URI: Final = re.compile(r"^s3://([a-z0-9][a-z0-9.\-]{1,61}[a-z0-9])/(.+)$")
_READ: Final = MIB  # botocore's default of 1 KiB halves the throughput
# CopyObject takes up to 5 GiB, in one step that either happens or does not; beyond that, parts.
_ONE_CALL: Final = TransferConfig(multipart_threshold=5 * GIB, multipart_chunksize=GIB)
_ABSENT: Final = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound", "NoSuchVersion"})
_FORBIDDEN: Final = frozenset({"403", "AccessDenied", "Forbidden"})
_CHANGED: Final = frozenset({"412", "PreconditionFailed"})


def parse_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of `s3://bucket/key`; raises BadUri where it is none."""
    match = _URI.match(uri)
    if not match:
        raise BadUri(f"{uri!r} is not the URI of an S3 object, expected s3://bucket/key")
    return match[1], match[2]


def inspect_object(
    client: "S3Client",
    uri: str,
    *,
    region: str,
    script_mode: bool,
    expected_sha256: str | None = None,
    accept_unknown: bool = False,
    limits: Limits | None = None,
) -> tuple[ArtifactReport, str]:
    """Return the report on an object and the ETag of the very bytes it is about, from one GetObject.

    An object that does not exist, or lies in another region than the endpoint will (SageMaker reads model
    artifacts in its own region only), is a finding of a report on nothing, with an empty ETag. Raises
    ArtifactUnreadable where access is denied; what may pass (throttling, a broken connection) is raised as
    botocore has it.
    """
    bucket, key = parse_uri(uri)
    try:
        where = _region_of(client, bucket)
        if where and where != region:
            return _nothing(
                "wrong-region",
                f"{uri}: the bucket lies in {where}, expected {region}: SageMaker reads a model only from "
                "its own region; copy it to a bucket there",
            ), ""
        response = client.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if _code(error) in _ABSENT:
            return _nothing("absent", f"{uri}: there is no such object ({_code(error)})"), ""
        raise _denied(error, f"read {uri}", "s3:GetObject and s3:ListBucket") from error
    report = inspect_archive(
        _chunks(response["Body"]),
        script_mode=script_mode,
        expected_sha256=expected_sha256,
        accept_unknown=accept_unknown,
        limits=limits,
    )
    return report, response["ETag"]


def sha256_of(client: "S3Client", uri: str) -> str:
    """Return the checksum of an object's bytes; raises ArtifactUnreadable where there are none to read."""
    bucket, key = parse_uri(uri)
    try:
        body = client.get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as error:
        if _code(error) in _ABSENT:
            raise ArtifactUnreadable(f"{uri}: there is no such object ({_code(error)})") from error
        raise _denied(error, f"read {uri}", "s3:GetObject and s3:ListBucket") from error
    digest = hashlib.sha256()
    for chunk in _chunks(body):
        digest.update(chunk)
    return digest.hexdigest()


def pinned_uri(store: str, sha256: str) -> str:
    """Where an artifact is pinned under a deployment's store (`s3://bucket/path`)."""
    return f"{store.rstrip('/')}/{naming.artifact_key(sha256)}"


def is_there(client: "S3Client", uri: str) -> bool:
    """Whether an object exists; what boto3 raises for another reason than absence is raised."""
    bucket, key = parse_uri(uri)
    try:
        client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if _code(error) in _ABSENT:
            return False
        raise
    return True


def pin(
    client: "S3Client",
    uri: str,
    *,
    etag: str,
    sha256: str,
    store: str,
    source_client: "S3Client | None" = None,
) -> str:
    """Copy the inspected object to its `pinned_uri` and return that.

    With a client of its own for the object, as where it lies in another account, its bytes pass through
    here, since neither side can read and write both.

    `etag` is the one `inspect_object` returned: where the object has been replaced since, ArtifactChanged
    is raised and nothing is kept. Pinning again, or from two runs at once, finds what is there and returns
    the same URI. Raises ArtifactUnreadable where access is denied.
    """
    bucket, key = parse_uri(uri)
    pinned = pinned_uri(store, sha256)
    to_bucket, to_key = parse_uri(pinned)
    reader = source_client or client
    try:
        source = reader.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if _code(error) in _ABSENT:
            raise _changed(uri, "it is gone") from error
        raise _denied(error, f"read {uri}", "s3:GetObject") from error
    if source["ETag"] != etag:
        raise _changed(uri, f"its ETag is {source['ETag']}, expected {etag}")
    if _is_pinned(client, to_bucket, to_key, source["ContentLength"], sha256):
        return pinned
    try:
        copy = partial(_copy, client) if reader is client else partial(_carry, reader, client)
        copy((bucket, key, etag), (to_bucket, to_key), sha256)
    except ClientError as error:
        if _code(error) in _CHANGED:
            raise _changed(uri, "it was replaced while it was copied") from error
        raise _denied(error, f"copy {uri} to {pinned}", "s3:GetObject and s3:PutObject") from error
    return pinned


def _copy(client: "S3Client", source: tuple[str, str, str], target: tuple[str, str], sha256: str) -> None:
    bucket, key, etag = source
    client.copy(
        {"Bucket": bucket, "Key": key},
        *target,
        ExtraArgs={
            "CopySourceIfMatch": etag,
            "MetadataDirective": "REPLACE",
            "TaggingDirective": "REPLACE",  # copying tags would need two more rights
            **_pinned_with(sha256, bucket, key),
        },
        Config=_ONE_CALL,
    )


def _carry(
    reader: "S3Client",
    writer: "S3Client",
    source: tuple[str, str, str],
    target: tuple[str, str],
    sha256: str,
) -> None:
    bucket, key, etag = source
    with closing(reader.get_object(Bucket=bucket, Key=key, IfMatch=etag)["Body"]) as body:
        writer.upload_fileobj(body, *target, ExtraArgs=_pinned_with(sha256, bucket, key))


def _pinned_with(sha256: str, bucket: str, key: str) -> dict[str, Any]:
    metadata = {"sha256": sha256, "source": f"s3://{bucket}/{key}"}
    return {"Metadata": metadata, "ContentType": "application/gzip"}


def _is_pinned(client: "S3Client", bucket: str, key: str, size: int, sha256: str) -> bool:
    try:
        there = client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if _code(error) in _ABSENT:
            return False
        raise _denied(error, f"read s3://{bucket}/{key}", "s3:GetObject and s3:ListBucket") from error
    if there["ContentLength"] == size and there["Metadata"].get("sha256") == sha256:
        return True
    raise Conflict(
        f"s3://{bucket}/{key}: found {there['ContentLength']:,} bytes marked with sha256 "
        f"{there['Metadata'].get('sha256')}, expected {size:,} bytes with {sha256}; "
        "it is not overwritten, since a model may be using it: look at who wrote it, and delete it"
    )


def _region_of(client: "S3Client", bucket: str) -> str | None:
    """Return the bucket's region; S3 tells it even where it refuses the request for being elsewhere."""
    try:
        headers = client.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
    except ClientError as error:
        headers = error.response["ResponseMetadata"].get("HTTPHeaders", {})
        if _code(error) in _ABSENT:
            raise
    return headers.get("x-amz-bucket-region")


def _chunks(body: "StreamingBody") -> Iterator[bytes]:
    with closing(body):
        yield from body.iter_chunks(_READ)


def _nothing(code: str, message: str) -> ArtifactReport:
    return ArtifactReport("", 0, 0, (), (Finding(code, None, message, "refuse"),))


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def _denied(error: ClientError, what: str, rights: str) -> Exception:
    """Return what to raise for a failed call: ours where access is denied, S3's own otherwise."""
    if _code(error) not in _FORBIDDEN:
        return error
    return ArtifactUnreadable(f"S3 refuses to {what} ({_code(error)}): the role needs {rights}")


def _changed(uri: str, how: str) -> ArtifactChanged:
    return ArtifactChanged(
        f"{uri} is no longer the object that was inspected: {how}; inspect it again (clear from "
        "validate_artifact)"
    )

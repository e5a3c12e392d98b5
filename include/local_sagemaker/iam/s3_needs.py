"""What S3's operations need (Service Authorization Reference, Actions for Amazon S3)."""

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from local_sagemaker.iam.policies import Need

# The actions that are not called as the operation is.
_ACTIONS = {
    "HeadObject": "GetObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListBuckets": "ListAllMyBuckets",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteBucketCors": "PutBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
}
# Which have an action of their own for a version that is named.
_OF_VERSIONS = (
    "GetObject",
    "DeleteObject",
    "GetObjectTagging",
    "PutObjectTagging",
    "DeleteObjectTagging",
    "GetObjectAcl",
    "PutObjectAcl",
)
_QUERY_KEYS = {"prefix": "s3:prefix", "delimiter": "s3:delimiter", "max-keys": "s3:max-keys"}


def s3_needs(
    operation: str, place: str, query: Mapping[str, str], headers: Mapping[str, str]
) -> Iterator[Need]:
    """Every action that the operation must be allowed; `place` is `bucket/key`, `bucket` or empty."""
    context = {key: [query[name]] for name, key in _QUERY_KEYS.items() if name in query}
    if "versionId" in query:
        context["s3:VersionId"] = [query["versionId"]]
    for header in ("x-amz-acl", "x-amz-server-side-encryption", "x-amz-storage-class"):
        if header in headers:
            context[f"s3:{header}"] = [headers[header]]
    yield Need(_action(operation, "versionId" in query), _arn(place), context)
    source = headers.get("x-amz-copy-source")
    if source:
        path, _, version = unquote(source).lstrip("/").partition("?versionId=")
        yield Need("s3:GetObjectVersion" if version else "s3:GetObject", _arn(path), {})
    if headers.get("x-amz-tagging"):
        yield Need("s3:PutObjectTagging", _arn(place), {})


def deletion_needs(place: str, version: str | None) -> Iterator[Need]:
    """What DeleteObjects needs for one of its objects."""
    yield Need("s3:DeleteObjectVersion" if version else "s3:DeleteObject", _arn(place), {})


def to_know_of(bucket: str, key: str) -> Need:
    """What one must be allowed to be told that an object is not there (GetObject's reference)."""
    return Need("s3:ListBucket", _arn(bucket), {"s3:prefix": [key]})


def _action(operation: str, of_version: bool) -> str:
    name = _ACTIONS.get(operation, operation)
    if of_version and name in _OF_VERSIONS:
        name = name.replace("Object", "ObjectVersion", 1)
    return f"s3:{name}"


def _arn(place: str) -> str:
    return f"arn:aws:s3:::{place}" if place else "*"

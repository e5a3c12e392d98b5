"""Artifacts read from and pinned in a real S3 API."""

import hashlib
import uuid

import pytest
from botocore.exceptions import ClientError

from endpoint_deploy.artifacts import ArtifactChanged, BadUri, inspect_object, parse_uri, pin
from endpoint_deploy.errors import Conflict
from tests.artifacts.archives import CODE, codes, pack

REGION = "eu-west-1"
GOOD = pack(CODE, ("weights.bin", bytes(range(256)) * 8000))
DIGEST = hashlib.sha256(GOOD).hexdigest()


@pytest.fixture(scope="module")
def s3(local_sagemaker):
    return local_sagemaker.client("s3")


@pytest.fixture
def bucket(s3):
    name = f"artifacts-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


@pytest.fixture
def artifact(s3, bucket):
    s3.put_object(Bucket=bucket, Key="churn/1/model.tar.gz", Body=GOOD, Tagging="team=a")
    return f"s3://{bucket}/churn/1/model.tar.gz"


def inspect(s3, uri, **options):
    return inspect_object(s3, uri, **{"region": REGION, "script_mode": True, **options})


@pytest.mark.parametrize(
    "uri", ["", "churn/model.tar.gz", "s3://bucket", "s3://bucket/", "s3://B/x", "https://b/x"]
)
def test_a_uri_that_is_none(uri):
    with pytest.raises(BadUri, match="expected s3://bucket/key"):
        parse_uri(uri)


def test_a_uri_in_two():
    assert parse_uri("s3://my-bucket/a b/c.tar.gz") == ("my-bucket", "a b/c.tar.gz")


def test_a_good_artifact(s3, artifact):
    report, etag = inspect(s3, artifact, expected_sha256=DIGEST)
    assert report.findings == ()
    assert (report.sha256, report.size) == (DIGEST, len(GOOD))
    bucket, key = parse_uri(artifact)
    assert etag == s3.head_object(Bucket=bucket, Key=key)["ETag"]


def test_what_is_wrong_is_found_in_s3_as_well(s3, artifact):
    report, _ = inspect(s3, artifact, expected_sha256="1" * 64)
    assert codes(report) == {"checksum"}


def test_an_object_that_is_not_there(s3, bucket):
    for uri in (f"s3://{bucket}/nothing.tar.gz", "s3://no-such-bucket-anywhere/model.tar.gz"):
        report, etag = inspect(s3, uri)
        assert report.refused
        assert codes(report) == {"absent"}
        assert uri in report.findings[0].message
        assert etag == ""


def test_a_bucket_in_another_region(s3, artifact):
    report, _ = inspect(s3, artifact, region="us-west-2")
    assert codes(report) == {"wrong-region"}
    assert "lies in eu-west-1, expected us-west-2" in report.findings[0].message


def test_pinned_under_its_digest(s3, bucket, artifact):
    report, etag = inspect(s3, artifact)
    pinned = pin(s3, artifact, etag=etag, sha256=report.sha256, store=f"s3://{bucket}/store/")
    assert pinned == f"s3://{bucket}/store/artifacts/sha256/{DIGEST}/model.tar.gz"
    found = s3.get_object(Bucket=bucket, Key=parse_uri(pinned)[1])
    assert found["Body"].read() == GOOD
    assert found["Metadata"] == {"sha256": DIGEST, "source": artifact}
    assert inspect(s3, pinned, expected_sha256=DIGEST)[0].findings == ()


def test_pinned_twice_is_pinned_once(s3, bucket, artifact):
    report, etag = inspect(s3, artifact)
    store = f"s3://{bucket}/store"
    first = pin(s3, artifact, etag=etag, sha256=report.sha256, store=store)
    written = s3.head_object(Bucket=bucket, Key=parse_uri(first)[1])["LastModified"]
    assert pin(s3, artifact, etag=etag, sha256=report.sha256, store=store) == first
    assert s3.head_object(Bucket=bucket, Key=parse_uri(first)[1])["LastModified"] == written


def test_an_object_replaced_after_it_was_inspected(s3, bucket, artifact):
    report, etag = inspect(s3, artifact)
    s3.put_object(Bucket=bucket, Key=parse_uri(artifact)[1], Body=pack(("evil", b"")))
    with pytest.raises(ArtifactChanged, match=r"no longer the object that was inspected.*expected"):
        pin(s3, artifact, etag=etag, sha256=report.sha256, store=f"s3://{bucket}/store")
    with pytest.raises(ClientError):
        s3.head_object(Bucket=bucket, Key=f"store/artifacts/sha256/{DIGEST}/model.tar.gz")


def test_an_object_deleted_after_it_was_inspected(s3, bucket, artifact):
    report, etag = inspect(s3, artifact)
    s3.delete_object(Bucket=bucket, Key=parse_uri(artifact)[1])
    with pytest.raises(ArtifactChanged, match="it is gone"):
        pin(s3, artifact, etag=etag, sha256=report.sha256, store=f"s3://{bucket}/store")


def test_something_else_in_the_pinned_place(s3, bucket, artifact):
    report, etag = inspect(s3, artifact)
    s3.put_object(Bucket=bucket, Key=f"store/artifacts/sha256/{DIGEST}/model.tar.gz", Body=b"something else")
    with pytest.raises(Conflict, match="not overwritten"):
        pin(s3, artifact, etag=etag, sha256=report.sha256, store=f"s3://{bucket}/store")

"""S3 refuses what is not what its checksums say, and keeps nothing of it."""

import base64
import contextlib
import hashlib
import http.client
import io
import json
import sqlite3
import zlib
from urllib.parse import urlsplit

import anycrc
import pytest
from botocore.exceptions import ClientError

CONTENT = bytes(range(256)) * 20_000  # more than one piece, more than is kept in memory


def b64(raw):
    return base64.b64encode(raw).decode()


CHECKSUMS = {
    "CRC32": lambda data: b64(zlib.crc32(data).to_bytes(4, "big")),
    "CRC32C": lambda data: b64(anycrc.Model("CRC32C").calc(data).to_bytes(4, "big")),
    "CRC64NVME": lambda data: b64(anycrc.Model("CRC64-NVME").calc(data).to_bytes(8, "big")),
    "SHA1": lambda data: b64(hashlib.sha1(data).digest()),  # noqa: S324 - as S3 has it
    "SHA256": lambda data: b64(hashlib.sha256(data).digest()),
}


@pytest.fixture(scope="module")
def bucket(shared_world):
    name = shared_world.name("sums").lower()
    shared_world.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return name


@pytest.fixture
def key(world, bucket):
    """An object that a refused write must leave as it is."""
    name = world.name("key")
    world.s3.put_object(Bucket=bucket, Key=name, Body=b"as it was")
    yield name
    assert world.s3.get_object(Bucket=bucket, Key=name)["Body"].read() == b"as it was"


def test_the_vectors_of_the_algorithms():
    """The checks that the catalogue of CRCs lists for "123456789"."""
    assert anycrc.Model("CRC32C").calc(b"123456789") == 0xE3069283
    assert anycrc.Model("CRC64-NVME").calc(b"123456789") == 0xAE8B14860A799888


@pytest.mark.parametrize("algorithm", CHECKSUMS)
def test_a_right_checksum_is_kept_and_a_wrong_one_refused(world, bucket, key, refusal, algorithm):
    member = {f"Checksum{algorithm}": CHECKSUMS[algorithm](CONTENT)}
    world.s3.put_object(Bucket=bucket, Key=key + "-right", Body=CONTENT, **member)
    found = world.s3.head_object(Bucket=bucket, Key=key + "-right", ChecksumMode="ENABLED")
    assert found[f"Checksum{algorithm}"] == member[f"Checksum{algorithm}"]
    damaged = CONTENT[:-1] + b"!"
    code, message = refusal(world.s3.put_object, Bucket=bucket, Key=key, Body=damaged, **member)
    assert code == "BadDigest"
    assert message == f"The {algorithm} you specified did not match the calculated checksum."


@pytest.mark.parametrize("algorithm", CHECKSUMS)
def test_what_is_no_checksum_is_refused(world, bucket, key, refusal, algorithm):
    code, message = refusal(
        world.s3.put_object, Bucket=bucket, Key=key, Body=b"x", **{f"Checksum{algorithm}": "bm9uZQ"}
    )
    assert code == "InvalidRequest"
    assert message == f"Value for x-amz-checksum-{algorithm.lower()} header is invalid."


def test_content_md5(world, bucket, key, refusal):
    right = b64(hashlib.md5(CONTENT).digest())  # noqa: S324 - as S3 has it
    world.s3.put_object(Bucket=bucket, Key=key + "-right", Body=CONTENT, ContentMD5=right)
    put = {"Bucket": bucket, "Key": key, "Body": b"damaged"}
    assert refusal(world.s3.put_object, ContentMD5=right, **put) == (
        "BadDigest",
        "The Content-MD5 you specified did not match what we received.",
    )
    assert refusal(world.s3.put_object, ContentMD5="nonsense", **put) == (
        "InvalidDigest",
        "The Content-MD5 you specified was invalid.",
    )


def test_what_boto3_sends_by_itself_is_held_to(server, bucket, key, refusal):
    """The checksum that boto3 adds to every upload, after one byte of the content has changed."""
    client = server.client("s3")
    sent = []

    def damage(request, **_):
        sent.append({name.lower() for name in request.headers})
        body = request.body if isinstance(request.body, bytes) else request.body.read()
        request.body = body.replace(b"precious", b"specious")

    client.meta.events.register("before-send.s3", damage)
    code, _message = refusal(client.put_object, Bucket=bucket, Key=key, Body=io.BytesIO(b"precious"))
    assert "x-amz-checksum-crc32" in sent[0]
    assert code == "BadDigest"


def chunked(server, path, body, headers):
    """A PUT in the aws-chunked form, as SDKs stream over https."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    signature = (
        "AWS4-HMAC-SHA256 Credential=test/20300101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=x"
    )
    connection.request(
        "PUT",
        path,
        body,
        {
            "Authorization": signature,
            "Content-Encoding": "aws-chunked",
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            **headers,
        },
    )
    response = connection.getresponse()
    answer = response.status, response.read().decode()
    connection.close()
    return answer


def framed(content, trailer, size=65_536):
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return chunks + b"0\r\n" + trailer + b"\r\n\r\n"


@pytest.mark.parametrize("algorithm", CHECKSUMS)
def test_a_trailer_is_held_to(server, world, bucket, key, algorithm):
    name = f"x-amz-checksum-{algorithm.lower()}"
    headers = {"x-amz-trailer": name, "x-amz-decoded-content-length": str(len(CONTENT))}
    trailer = f"{name}:{CHECKSUMS[algorithm](CONTENT)}".encode()
    status, answer = chunked(server, f"/{bucket}/{key}-right", framed(CONTENT, trailer), headers)
    assert (status, answer) == (200, "")
    found = world.s3.get_object(Bucket=bucket, Key=key + "-right", ChecksumMode="ENABLED")
    assert found[f"Checksum{algorithm}"] == CHECKSUMS[algorithm](CONTENT)
    assert "aws-chunked" not in found.get("ContentEncoding", "")
    assert found["Body"].read() == CONTENT
    wrong = f"{name}:{CHECKSUMS[algorithm](b'other')}".encode()
    status, answer = chunked(server, f"/{bucket}/{key}", framed(CONTENT, wrong), headers)
    assert status == 400
    assert "<Code>BadDigest</Code>" in answer


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (framed(b"content", b"x-amz-checksum-crc32:AAAAAA=="), "BadDigest"),
        (framed(b"content", b""), "MalformedTrailerError"),
        (b"7\r\ncontent\r\n", "IncompleteBody"),
        (b"3\r\ncontent\r\n0\r\n\r\n", "InvalidRequest"),
        (
            framed(b"conten", f"x-amz-checksum-crc32:{CHECKSUMS['CRC32'](b'conten')}".encode()),
            "IncompleteBody",
        ),
    ],
)
def test_a_body_that_is_not_what_it_claims(server, bucket, key, body, code):
    headers = {"x-amz-trailer": "x-amz-checksum-crc32", "x-amz-decoded-content-length": "7"}
    status, answer = chunked(server, f"/{bucket}/{key}", body, headers)
    assert status == 400
    assert f"<Code>{code}</Code>" in answer


def test_a_signed_hash_of_the_content(server, bucket, key):
    claimed = hashlib.sha256(b"something else").hexdigest()
    status, answer = chunked(
        server, f"/{bucket}/{key}", b"content", {"x-amz-content-sha256": claimed, "Content-Encoding": ""}
    )
    assert status == 400
    assert "<Code>XAmzContentSHA256Mismatch</Code>" in answer
    assert f"<ClientComputedContentSHA256>{claimed}</ClientComputedContentSHA256>" in answer


def test_a_damaged_part_is_refused_and_the_upload_goes_on(world, bucket, refusal):
    key = world.name("parts")
    upload = world.s3.create_multipart_upload(Bucket=bucket, Key=key, ChecksumAlgorithm="CRC32")["UploadId"]
    part = {"Bucket": bucket, "Key": key, "UploadId": upload, "PartNumber": 1}
    code, _message = refusal(
        world.s3.upload_part, Body=b"damaged", ChecksumCRC32=CHECKSUMS["CRC32"](b"right"), **part
    )
    assert code == "BadDigest"
    assert "Parts" not in world.s3.list_parts(Bucket=bucket, Key=key, UploadId=upload)
    etag = world.s3.upload_part(Body=b"right", ChecksumCRC32=CHECKSUMS["CRC32"](b"right"), **part)["ETag"]
    world.s3.complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]}
    )
    assert world.s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"right"


def test_versions_keep_their_ids_over_a_restart(start_server, make_world):
    """Pinned versions, delete markers, ETags of uploads in parts: as they were."""
    server = start_server()
    s3 = make_world(server).s3
    s3.create_bucket(Bucket="pinned", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="pinned", Key="early", Body=b"before versioning")
    s3.put_bucket_versioning(Bucket="pinned", VersioningConfiguration={"Status": "Enabled"})
    for number in range(3):
        s3.put_object(Bucket="pinned", Key="model", Body=b"release %d" % number, Tagging=f"release={number}")
    s3.put_object(Bucket="pinned", Key="early", Body=b"after")
    s3.put_object(Bucket="pinned", Key="gone", Body=b"to be deleted")
    gone = s3.put_object(Bucket="pinned", Key="gone", Body=b"and for good")["VersionId"]
    s3.delete_object(Bucket="pinned", Key="gone")
    s3.delete_object(Bucket="pinned", Key="gone", VersionId=gone)
    s3.put_object(Bucket="pinned", Key="marked", Body=b"x")
    s3.delete_objects(Bucket="pinned", Delete={"Objects": [{"Key": "marked"}]})
    upload = s3.create_multipart_upload(Bucket="pinned", Key="parts", ChecksumAlgorithm="SHA256")["UploadId"]
    given = {"Bucket": "pinned", "Key": "parts", "UploadId": upload}
    parts = []
    for number, piece in ((1, b"x" * 5 * 1024 * 1024), (2, b"end")):
        answer = s3.upload_part(PartNumber=number, Body=piece, ChecksumAlgorithm="SHA256", **given)
        parts.append(
            {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": answer["ChecksumSHA256"]}
        )
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **given)

    def seen(s3):
        listed = s3.list_object_versions(Bucket="pinned")
        versions = [
            (one["Key"], one["VersionId"], one["ETag"], one["LastModified"].replace(microsecond=0))
            for one in listed["Versions"]
        ]
        markers = [(one["Key"], one["VersionId"]) for one in listed["DeleteMarkers"]]
        bodies = [
            s3.get_object(Bucket="pinned", Key=key, VersionId=version)["Body"].read()
            for key, version, _etag, _modified in versions
        ]
        tags = [
            s3.get_object_tagging(Bucket="pinned", Key=key, VersionId=version)["TagSet"]
            for key, version, _etag, _modified in versions
        ]
        head = s3.head_object(Bucket="pinned", Key="parts", ChecksumMode="ENABLED")
        return sorted(versions), sorted(markers), sorted(bodies), tags, head["ETag"], head["ChecksumSHA256"]

    before = seen(s3)
    assert before[4].endswith('-2"')
    assert ("early", "null") in [found[:2] for found in before[0]]
    for _ in range(2):
        server.end()
        server.start()
        s3 = server.client("s3")
        assert seen(s3) == before
        assert s3.get_object(Bucket="pinned", Key="model")["Body"].read() == b"release 2"
        for key in ("gone", "marked"):
            with pytest.raises(ClientError, match="NoSuchKey"):
                s3.get_object(Bucket="pinned", Key=key)
    server.end()


def test_an_object_kept_by_an_older_server_is_taken_over(start_server, make_world):
    """Its document named the file and headers of the current version only."""
    server = start_server()
    world = make_world(server)
    world.s3.put_object(Bucket="models", Key="old", Body=b"kept", Metadata={"by": "me"})
    server.end()
    with contextlib.closing(sqlite3.connect(server.state_dir / "state.sqlite")) as store:
        body = store.execute("SELECT body FROM document WHERE kind = 's3-versions'").fetchone()[0]
        version = json.loads(body)["versions"][0]
        old = {name: version[name] for name in ("file", "headers", "tagging")}
        with store:
            store.execute("DELETE FROM document WHERE kind = 's3-versions'")
            store.execute("UPDATE document SET body = ? WHERE kind = 's3-object'", [json.dumps(old)])
    server.start()
    found = server.client("s3").get_object(Bucket="models", Key="old")
    assert (found["Body"].read(), found["Metadata"]) == (b"kept", {"by": "me"})
    assert found["ETag"] == f'"{hashlib.md5(b"kept").hexdigest()}"'  # noqa: S324 - as S3 has it
    server.end()

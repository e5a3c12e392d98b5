"""S3 behind the front: moto's behaviour, kept on disk."""

import re
import threading
from pathlib import Path

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def bucket(shared_world):
    name = shared_world.name("bucket").lower()
    shared_world.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return name


def body(s3, bucket, key):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


@pytest.mark.parametrize("key", ["plain", "a b+c/ü%20&.txt", "dots/../and//slashes", "endpoints/x/y"])
def test_any_key(world, bucket, key):
    world.s3.put_object(Bucket=bucket, Key=key, Body=b"content", Metadata={"made_by": "test"})
    found = world.s3.get_object(Bucket=bucket, Key=key)
    assert (found["Body"].read(), found["Metadata"]) == (b"content", {"made_by": "test"})
    assert key in [entry["Key"] for entry in world.s3.list_objects_v2(Bucket=bucket)["Contents"]]
    world.s3.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(ClientError, match="NoSuchKey"):
        body(world.s3, bucket, key)


def test_a_bucket_named_as_the_runtimes_path(world):
    world.s3.create_bucket(Bucket="endpoints", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    world.s3.put_object(Bucket="endpoints", Key="x/invocations", Body=b"an object")
    assert body(world.s3, "endpoints", "x/invocations") == b"an object"


def test_ranges_heads_and_streams(world, bucket):
    content = bytes(range(256)) * 40_000
    world.s3.put_object(Bucket=bucket, Key="large", Body=content)
    assert world.s3.head_object(Bucket=bucket, Key="large")["ContentLength"] == len(content)
    assert body(world.s3, bucket, "large") == content
    part = world.s3.get_object(Bucket=bucket, Key="large", Range="bytes=256-511")
    assert part["Body"].read() == bytes(range(256))


def test_parts_of_every_version(world):
    name = world.name("parts").lower()
    s3 = world.s3
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def got(**members):
        found = s3.get_object(Bucket=name, Key="a b/c", **members)
        assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert found["ContentType"] == "text/x-mine"
        return found["Body"].read(), found["ContentRange"]

    def put(body):
        answer = s3.put_object(
            Bucket=name, Key="a b/c", Body=body, ContentType="text/x-mine", ChecksumAlgorithm="SHA256"
        )
        return answer.get("VersionId")

    put(b"0123456789")
    assert got(Range="bytes=2-4") == (b"234", "bytes 2-4/10")
    assert got(Range="bytes=8-") == (b"89", "bytes 8-9/10")
    assert got(Range="bytes=-3") == (b"789", "bytes 7-9/10")
    assert got(Range="bytes=0-99") == (b"0123456789", "bytes 0-9/10")
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    first, second = put(b"first one"), put(b"second one")
    assert got(Range="bytes=0-5")[0] == b"second"
    assert got(Range="bytes=0-4", VersionId=first)[0] == b"first"
    assert got(Range="bytes=0-5", VersionId=second)[0] == b"second"
    assert got(Range="bytes=0-1", VersionId="null")[0] == b"01"
    put(b"")
    for refused in ({"Range": "bytes=99-"}, {"Range": "bytes=0-1", "VersionId": "unknown"}):
        with pytest.raises(ClientError):
            s3.get_object(Bucket=name, Key="a b/c", **refused)
    with pytest.raises(ClientError, match="Precondition"):
        s3.get_object(Bucket=name, Key="a b/c", VersionId=first, Range="bytes=0-1", IfMatch='"x"')
    s3.delete_object(Bucket=name, Key="a b/c")
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=name, Key="a b/c", Range="bytes=0-1")


def test_virtual_host_style(world, bucket, server):
    world.s3.put_object(Bucket=bucket, Key="by host", Body=b"found")
    url = world.s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "by host"})
    path = url.removeprefix(f"{server.url}/{bucket}")
    for host in (f"{bucket}.localhost", f"{bucket}.s3.eu-west-1.amazonaws.com"):
        assert server.page(path, host) == "found"


def test_conditional_writes_have_one_winner(world, bucket):
    won, lost = [], []

    def write(number):
        try:
            world.s3.put_object(Bucket=bucket, Key="ledger", Body=str(number).encode(), IfNoneMatch="*")
            won.append(number)
        except ClientError as error:
            lost.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert set(lost) == {"PreconditionFailed"}
    assert body(world.s3, bucket, "ledger") == str(won[0]).encode()


def test_everything_comes_back_after_a_restart(start_server, make_world):
    server = start_server()
    s3 = make_world(server).s3
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_tagging(Bucket="kept", Tagging={"TagSet": [{"Key": "team", "Value": "a"}]})
    server.client("s3", "us-west-2").create_bucket(
        Bucket="far", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    s3.create_bucket(Bucket="dropped", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.delete_bucket(Bucket="dropped")
    for key in ("written", "overwritten", "deleted", "deleted among & others"):
        s3.put_object(Bucket="kept", Key=key, Body=b"first")
    s3.put_object(
        Bucket="kept",
        Key="overwritten",
        Body=b"second",
        ContentType="text/x-mine",
        Metadata={"release": "2"},
        Tagging="stage=live",
        ChecksumAlgorithm="SHA256",
    )
    etag = s3.head_object(Bucket="kept", Key="overwritten")["ETag"]
    s3.copy_object(Bucket="kept", Key="copied", CopySource={"Bucket": "kept", "Key": "overwritten"})
    upload = s3.create_multipart_upload(Bucket="kept", Key="in parts")["UploadId"]
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(
                Bucket="kept", Key="in parts", UploadId=upload, PartNumber=number, Body=piece
            )["ETag"],
        }
        for number, piece in ((1, b"x" * 5 * 1024 * 1024), (2, b"end"))
    ]
    s3.complete_multipart_upload(
        Bucket="kept", Key="in parts", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    s3.delete_object(Bucket="kept", Key="deleted")
    s3.delete_objects(Bucket="kept", Delete={"Objects": [{"Key": "deleted among & others"}]})

    server.end()
    server.start()
    s3 = server.client("s3")

    assert {found["Name"] for found in s3.list_buckets()["Buckets"]} == {"kept", "far", "models"}
    assert s3.get_bucket_location(Bucket="far")["LocationConstraint"] == "us-west-2"
    assert s3.get_bucket_versioning(Bucket="kept")["Status"] == "Enabled"
    assert s3.get_bucket_tagging(Bucket="kept")["TagSet"] == [{"Key": "team", "Value": "a"}]
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="kept")["Contents"]]
    assert keys == ["copied", "in parts", "overwritten", "written"]
    found = s3.get_object(Bucket="kept", Key="overwritten", ChecksumMode="ENABLED")
    assert found["Body"].read() == b"second"
    assert (found["ContentType"], found["Metadata"], found["ETag"]) == (
        "text/x-mine",
        {"release": "2"},
        etag,
    )
    assert found["ChecksumSHA256"]
    tags = s3.get_object_tagging(Bucket="kept", Key="overwritten")["TagSet"]
    assert tags == [{"Key": "stage", "Value": "live"}]
    assert body(s3, "kept", "in parts") == b"x" * 5 * 1024 * 1024 + b"end"
    # As many files as versions; deleting for good takes them away.
    listed = s3.list_object_versions(Bucket="kept")["Versions"]
    files = server.state_dir / "s3"
    assert len(list(files.iterdir())) == len(listed) > len(keys)
    for version in listed:
        s3.delete_object(Bucket="kept", Key=version["Key"], VersionId=version["VersionId"])
    assert list(files.iterdir()) == []
    server.end()


def test_no_object_is_ever_whole_in_the_servers_memory(start_server, tmp_path):
    size = 200 << 20
    content = tmp_path / "content"
    with content.open("wb") as file:
        file.truncate(size)
    server = start_server()
    s3 = server.client("s3")
    s3.create_bucket(Bucket="large", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def most_memory():
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) << 10

    idle = most_memory()
    with content.open("rb") as file:
        s3.put_object(Bucket="large", Key="one", Body=file)
    assert most_memory() - idle < size // 2
    server.end()
    server.start()
    assert most_memory() - idle < size // 2
    assert server.client("s3").head_object(Bucket="large", Key="one")["ContentLength"] == size
    server.end()


def test_other_services_are_motos(server):
    role = server.ready["execution_role_arn"]
    assert server.client("sts").get_caller_identity()["Account"] == server.ready["account"]
    assert server.client("iam").get_role(RoleName=role.rpartition("/")[2])["Role"]["Arn"] == role
    session = server.client("sts").assume_role(RoleArn=role, RoleSessionName="test")
    assert session["Credentials"]["SessionToken"]
    sagemaker = server.client("sagemaker")
    arn = sagemaker.create_experiment(ExperimentName="proxied")["ExperimentArn"]
    experiments = sagemaker.list_experiments()["ExperimentSummaries"]
    assert [experiment["ExperimentArn"] for experiment in experiments] == [arn]

"""Batch transform jobs: every row through the model once, in order, and what becomes of jobs that fail."""

import gzip
import json

import pytest

from tests.local_sagemaker.transform_jobs import Transforms


@pytest.fixture(scope="module")
def transforms(shared_world, wait_until):
    return Transforms(shared_world, wait_until)


@pytest.fixture(scope="module")
def rows(transforms):
    """A model that answers each row with its sum."""
    return transforms.world.model("rows")


@pytest.fixture(scope="module", autouse=True)
def unanswered(transforms, rows):
    """A job whose model never answers: begun early, since the limit of an answer takes its time."""
    return transforms.begin(
        rows,
        {"a.csv": b"wait\n"},
        ModelClientConfig={"InvocationsMaxRetries": 0, "InvocationsTimeoutInSeconds": 1},
    )


def table(start, count):
    return b"".join(b"%d,1\n" % number for number in range(start, start + count))


def sums(start, count):
    return [str(number + 1) for number in range(start, start + count)]


@pytest.mark.parametrize(
    ("members", "counts"),
    [
        (
            {"BatchStrategy": "MultiRecord", "MaxPayloadInMB": 1, "MaxConcurrentTransforms": 4},
            (7000, 2500, 500),
        ),
        ({"BatchStrategy": "MultiRecord", "count": 2}, (6000, 2000, 1999, 1)),
        ({"BatchStrategy": "SingleRecord", "MaxConcurrentTransforms": 8, "count": 2}, (600, 300, 99, 1)),
        ({"MaxPayloadInMB": 0}, (9000, 1000)),
        ({"Input": {"SplitType": "None"}, "MaxConcurrentTransforms": 4}, (5000, 3000, 1500, 499, 1)),
    ],
)
def test_every_row_has_one_prediction_in_its_place(transforms, rows, members, counts):
    starts = [sum(counts[:number]) for number in range(len(counts))]
    files = {
        f"part/{number}.csv": table(*span) for number, span in enumerate(zip(starts, counts, strict=True))
    }
    job = transforms.run(rows, files, **members)
    assert job["TransformJobStatus"] == "Completed", transforms.log(job)
    found = transforms.outputs(job)
    assert list(found) == [f"part/{number}.csv.out" for number in range(len(counts))]
    for number, span in enumerate(zip(starts, counts, strict=True)):
        assert found[f"part/{number}.csv.out"].decode().splitlines() == sums(*span)
    assert job["TransformStartTime"] <= job["TransformEndTime"]


def test_an_id_is_kept_from_the_model_and_joined_to_its_answer(transforms, rows):
    job = transforms.run(
        rows,
        {"a.csv": b"100,1,2\n200,3,4\n", "b.csv": b"300,5,6"},
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
    )
    assert transforms.outputs(job) == {"a.csv.out": b"100,3\n200,7\n", "b.csv.out": b"300,11\n"}


def test_json_lines_with_their_answers(transforms):
    job = transforms.run(
        transforms.world.model("echo", RELEASE="7"),
        {"in.jsonl": b'{"id": 1, "features": [1]}\n{"id": 2, "features": [2]}\n'},
        BatchStrategy="SingleRecord",
        Input={"ContentType": "application/jsonlines"},
        Output={"Accept": "application/jsonlines"},
        DataProcessing={
            "InputFilter": "$.features",
            "JoinSource": "Input",
            "OutputFilter": "$['id','SageMakerOutput']",
        },
    )
    assert job["TransformJobStatus"] == "Completed", transforms.log(job)
    lines = [json.loads(line) for line in transforms.outputs(job)["in.jsonl.out"].splitlines()]
    assert [(line["id"], line["SageMakerOutput"]["body"]) for line in lines] == [(1, "[1]"), (2, "[2]")]


def test_gzip_input(transforms, rows):
    job = transforms.run(rows, {"in.csv.gz": gzip.compress(table(0, 100))}, Input={"CompressionType": "Gzip"})
    assert transforms.outputs(job)["in.csv.gz.out"].decode().split() == sums(0, 100)


def test_a_manifest_names_the_input(transforms, rows):
    prefix = transforms.put({"deep/a.csv": b"1,1\n", "b.csv": b"2,2\n", "not-named.csv": b"3,3\n"})
    manifest = [{"prefix": f"s3://{transforms.bucket}/{prefix}/"}, "deep/a.csv", "b.csv"]
    transforms.world.s3.put_object(
        Bucket=transforms.bucket, Key=f"{prefix}.manifest", Body=json.dumps(manifest)
    )
    job = transforms.run(rows, f"{prefix}.manifest", Source={"S3DataType": "ManifestFile"})
    assert transforms.outputs(job) == {"deep/a.csv.out": b"2\n", "b.csv.out": b"4\n"}


@pytest.mark.parametrize(
    ("row", "kind", "said"),
    [
        (b"refuse", "ClientError", ["ClientError: 400", "", "Message:", "bad row"]),
        (
            b"fail",
            "AlgorithmError",
            ["Bad HTTP status received from algorithm: 500", "", "Message:", "no such row"],
        ),
    ],
)
def test_a_bad_record_fails_its_file_and_the_job_but_not_the_other_files(transforms, rows, row, kind, said):
    files = {"good-1.csv": table(0, 10), "bad.csv": table(0, 10) + row + b"\n", "good-2.csv": table(5, 5)}
    job = transforms.run(
        rows, files, BatchStrategy="SingleRecord", ModelClientConfig={"InvocationsMaxRetries": 1}
    )
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == f"{kind}: See job logs for more information"
    assert set(transforms.outputs(job)) == {"good-1.csv.out", "good-2.csv.out"}
    key = job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"].removeprefix("s3://") + "/bad.csv"
    log = [line.partition(":[sagemaker logs]: ")[2] for line in transforms.log(job)]
    assert log[0] == "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=SINGLE_RECORD"
    assert log[1 : len(said) + 1] == [f"{key}: {line}" for line in said]


def test_a_container_that_dies_fails_the_job(transforms, rows):
    job = transforms.run(rows, {"a.csv": b"1,1\ndie\n", "b.csv": b"2,2\n"}, BatchStrategy="SingleRecord")
    assert (job["TransformJobStatus"], job["FailureReason"]) == (
        "Failed",
        "AlgorithmError: See job logs for more information",
    )
    assert transforms.outputs(job) == {}
    assert "Unable to get response from algorithm" in transforms.log(job)[1]


def test_a_model_that_cannot_load_fails_the_job_and_says_why_in_its_log(transforms):
    job = transforms.run(transforms.world.model("cannot_load"), {"a.csv": b"1\n"})
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert any("weights are missing" in line for line in transforms.log(job, data=False))


def test_an_answer_that_never_comes_is_given_up(transforms, unanswered):
    job = transforms.ended(unanswered)
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError")


@pytest.mark.parametrize(
    ("files", "members", "said"),
    [
        ({"a.csv": b"1,2\n"}, {"DataProcessing": {"InputFilter": "$[0:1,2:]"}}, "only single range filters"),
        (
            {"a.csv": b"1,2\n"},
            {"DataProcessing": {"OutputFilter": "$[5]"}},
            "index out of range: len: 1, idx: 5",
        ),
        ({"a.csv": b"1,2\n"}, {"Input": {"CompressionType": "Gzip"}}, "not in gzip format"),
        ({"a.csv": b"1,2\n3,4\n"}, {"Input": {"SplitType": "RecordIO"}}, "not in RecordIO format"),
        ({"a.csv": b"1" * (1 << 20) + b"\n"}, {"MaxPayloadInMB": 1}, "longer than MaxPayloadInMB"),
        (
            {"a.csv": b"1\n"},
            {"Input": {"ContentType": "image/png"}, "DataProcessing": {"JoinSource": "Input"}},
            "png",
        ),
    ],
)
def test_what_is_wrong_with_the_data_is_in_the_data_log(transforms, rows, files, members, said):
    job = transforms.run(rows, files, **members)
    assert (job["TransformJobStatus"], job["FailureReason"]) == (
        "Failed",
        "ClientError: See job logs for more information",
    )
    assert any(said in line for line in transforms.log(job))
    assert transforms.outputs(job) == {}


def test_no_input_fails_the_job(transforms, rows):
    job = transforms.run(rows, "nothing-here")
    assert job["TransformJobStatus"] == "Failed"
    assert f's3://{transforms.bucket}/nothing-here"' in job["FailureReason"]
    assert transforms.world.role in job["FailureReason"]


def test_containers_know_what_they_are_in(transforms):
    job = transforms.run(
        transforms.world.model("tells_environment", OWN="model", KEPT="1"),
        {"a": b"x\n"},
        Environment={"OWN": "job"},
        MaxConcurrentTransforms=2,
        BatchStrategy="MultiRecord",
    )
    told = json.loads(transforms.outputs(job)["a.out"])["environment"]
    assert (told["OWN"], told["KEPT"]) == ("job", "1")
    assert {
        name: value for name, value in told.items() if name.startswith("SAGEMAKER_") and "DIR" not in name
    } == {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_BATCH_STRATEGY": "MULTI_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "2",
    }
    assert "SECRET_OF_THE_SERVER" not in told


def test_a_pipeline_passes_each_record_through_its_containers(transforms, make_archive):
    world = transforms.world
    step = """
import os
def model_fn(model_dir): return os.environ["LETTER"]
def transform_fn(letter, body, content_type, accept):
    print("step", letter)
    return "".join(line + letter + "\\n" for line in body.splitlines()), "text/csv"
"""
    containers = [
        {
            "Image": "python:3",
            "ModelDataUrl": world.upload(make_archive(step)),
            "Environment": {"LETTER": letter},
        }
        for letter in "ab"
    ]
    name = world.name("Pipeline")
    world.sagemaker.create_model(ModelName=name, ExecutionRoleArn=world.role, Containers=containers)
    job = transforms.run(name, {"in.csv": b"1\n2\n"})
    assert transforms.outputs(job) == {"in.csv.out": b"1ab\n2ab\n"}, transforms.log(job)
    said = transforms.log(job, data=False)
    assert {"step a", "step b"} <= set(said)


def test_captured_data_are_manifests_and_records_get_ids(transforms, rows):
    uri = f"s3://{transforms.bucket}/{transforms.world.name('captured')}"
    job = transforms.run(
        rows,
        {"a.csv": b"1,1\n2,2\n", "deep/b.csv": b"3,3\n"},
        DataCaptureConfig={"DestinationS3Uri": uri, "GenerateInferenceId": True},
    )
    hour = job["TransformStartTime"].strftime("%Y/%m/%d/%H")
    source = job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    manifests = {
        key.partition("/")[0]: (key, json.loads(body)) for key, body in transforms.below(uri).items()
    }
    assert manifests["input"][1] == [{"prefix": f"{source}/"}, "a.csv", "deep/b.csv"]
    assert manifests["output"][1] == [
        {"prefix": f"{job['TransformOutput']['S3OutputPath']}/"},
        "a.csv.out",
        "deep/b.csv.out",
    ]
    for kind, (key, _) in manifests.items():
        assert key.startswith(f"{kind}/{hour}/")
    records = [line.split(",") for line in transforms.outputs(job)["a.csv.out"].decode().split()]
    assert [record[0] for record in records] == ["2", "4"]
    assert len({record[1] for record in records}) == 2
    assert {record[2] for record in records} == {f"{job['TransformStartTime']:%Y-%m-%dT%H:%M:%SZ}"}


def test_a_stopped_job_stores_nothing(transforms, rows):
    name = transforms.begin(rows, {"a.csv": table(0, 5), "b.csv": b"wait\n"})
    transforms.until(lambda: transforms.describe(name).get("TransformStartTime"), "the instances are up")
    transforms.client.stop_transform_job(TransformJobName=name)
    assert transforms.describe(name)["TransformJobStatus"] in ("Stopping", "Stopped")
    job = transforms.ended(name)
    assert job["TransformJobStatus"] == "Stopped"
    assert "FailureReason" not in job
    assert transforms.outputs(job) == {}


def test_what_cannot_be_transformed_is_refused(transforms, rows, refusal):
    request = transforms.request(rows, {"a.csv": b"1,1\n"})
    for members, said in (
        ({"ModelName": "missing"}, f'Could not find model "{transforms.world.arn("model", "missing")}"'),
        ({"MaxPayloadInMB": 101}, "MaxPayloadInMB"),
        ({"TransformOutput": {"S3OutputPath": "https://s3.amazonaws.com/out"}}, "Invalid S3 URI"),
        ({"MaxPayloadInMB": 30, "MaxConcurrentTransforms": 4}, "MaxConcurrentTransforms * MaxPayloadInMB"),
    ):
        code, message = refusal(transforms.client.create_transform_job, **{**request, **members})
        assert (code, said in message) == ("ValidationException", True)


def test_what_was_asked_for_is_shown(transforms):
    request = transforms.plain_request()
    job = transforms.describe_created(request)
    shown = {member: job[member] for member in request}
    assert shown == request
    assert job["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}

"""Processing jobs: a script over files from S3, as the stock entrypoint runs it."""

import json

import pytest

from tests.local_sagemaker.processing_jobs import Processing


@pytest.fixture(scope="module")
def jobs(shared_world, wait_until):
    return Processing(shared_world, wait_until)


def test_a_script_reads_its_input_and_writes_metrics(jobs):
    data = jobs.put({"a/one.csv": "1\n2\n", "two.csv": "3\n"})
    job = jobs.run(
        """
        import argparse, json, os, pathlib, sys
        parser = argparse.ArgumentParser()
        parser.add_argument("--metric")
        name = parser.parse_args().metric
        found = sorted(pathlib.Path("/opt/ml/processing/input/data").rglob("*.csv"))
        values = [int(line) for path in found for line in path.read_text().split()]
        out = pathlib.Path("/opt/ml/processing/output/deep")
        out.mkdir()
        (out / "metrics.json").write_text(json.dumps({name: sum(values), "files": [*map(str, found)]}))
        (out / "link.json").symlink_to(out / "metrics.json")
        print("summed", len(values), "rows as", os.environ["WHO"])
        print("on standard error", file=sys.stderr)
        pathlib.Path("/opt/ml/output/message").write_text("all well")
        """,
        [jobs.source("data", data)],
        arguments=["--metric", "sum"],
        Environment={"WHO": "me"},
    )
    assert job["ProcessingJobStatus"] == "Completed", jobs.log(job["ProcessingJobName"])
    assert job["ExitMessage"] == "all well"
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    ((key, body),) = jobs.outputs(job["ProcessingJobName"]).items()
    assert key == "deep/metrics.json"
    assert json.loads(body) == {
        "sum": 6,
        "files": ["/opt/ml/processing/input/data/a/one.csv", "/opt/ml/processing/input/data/two.csv"],
    }
    assert jobs.log(job["ProcessingJobName"]) == {"algo-1": ["summed 3 rows as me", "on standard error"]}


def test_two_instances_share_what_is_sharded(jobs):
    sharded = jobs.put({f"{number}.txt": str(number) for number in range(5)})
    whole = jobs.put({"all.txt": "x"})
    job = jobs.run(
        """
        import json, pathlib
        config = json.loads(pathlib.Path("/opt/ml/config/resourceconfig.json").read_text())
        job = json.loads(pathlib.Path("/opt/ml/config/processingjobconfig.json").read_text())
        inputs = pathlib.Path("/opt/ml/processing/input")
        told = {
            "hosts": config["hosts"],
            "sharded": sorted(path.name for path in (inputs / "sharded").iterdir()),
            "whole": sorted(path.name for path in (inputs / "whole").iterdir()),
            "job": [job["ProcessingJobName"], job["ProcessingJobArn"], job["Environment"]],
            "outputs": job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["LocalPath"],
        }
        host = config["current_host"]
        pathlib.Path(f"/opt/ml/processing/output/{host}.json").write_text(json.dumps(told))
        pathlib.Path("/opt/ml/output/message").write_text(f"{host};")
        """,
        [
            jobs.source("sharded", sharded, S3DataDistributionType="ShardedByS3Key"),
            jobs.source("whole", whole, S3DataDistributionType="FullyReplicated"),
        ],
        count=2,
        Environment={"A": "1"},
    )
    name = job["ProcessingJobName"]
    assert job["ProcessingJobStatus"] == "Completed", jobs.log(name)
    told = {key: json.loads(body) for key, body in jobs.outputs(name).items()}
    assert set(told) == {"algo-1.json", "algo-2.json"}
    assert sorted(told["algo-1.json"]["sharded"] + told["algo-2.json"]["sharded"]) == [
        f"{number}.txt" for number in range(5)
    ]
    assert all(each["sharded"] for each in told.values())
    for each in told.values():
        assert each["hosts"] == ["algo-1", "algo-2"]
        assert each["whole"] == ["all.txt"]
        assert each["job"] == [name, job["ProcessingJobArn"], {"A": "1"}]
        assert each["outputs"] == "/opt/ml/processing/output"
    assert job["ExitMessage"] == "algo-1;algo-2;"


def test_a_failing_script_fails_the_job_and_stores_only_what_is_continuous(jobs):
    script = """
        import pathlib, sys
        pathlib.Path("/opt/ml/processing/output/partial.txt").write_text("partial")
        pathlib.Path("/opt/ml/output/message").write_text("disk full " + "x" * 2000)
        sys.exit(3)
        """
    first, second = jobs.begin(script), jobs.begin(script, mode="Continuous")
    for name in (first, second):
        job = jobs.ended(name)
        assert (job["ProcessingJobStatus"], job["FailureReason"]) == (
            "Failed",
            "AlgorithmError: , exit code: 3",
        )
        assert job["ExitMessage"] == ("disk full " + "x" * 2000)[:1024]
    assert jobs.outputs(first) == {}
    assert jobs.outputs(second) == {"partial.txt": "partial"}


def test_continuous_output_appears_while_the_job_runs_and_stop_ends_it(jobs):
    name = jobs.begin(
        """
        import pathlib, signal, sys, time
        def stop(*_):
            pathlib.Path("/opt/ml/processing/output/last.txt").write_text("on SIGTERM")
            sys.exit(0)
        signal.signal(signal.SIGTERM, stop)
        pathlib.Path("/opt/ml/processing/output/first.txt").write_text("early")
        time.sleep(3600)
        """,
        mode="Continuous",
    )
    jobs.until(lambda: jobs.outputs(name) == {"first.txt": "early"}, "the first file is stored")
    assert jobs.describe(name)["ProcessingJobStatus"] == "InProgress"
    jobs.client.stop_processing_job(ProcessingJobName=name)
    job = jobs.ended(name)
    assert job["ProcessingJobStatus"] == "Stopped"
    assert "FailureReason" not in job
    assert jobs.outputs(name) == {"first.txt": "early", "last.txt": "on SIGTERM"}


def test_a_job_over_its_time_is_stopped(jobs):
    job = jobs.run(
        "import time; time.sleep(3600)", StoppingCondition={"MaxRuntimeInSeconds": 1}, mode="EndOfJob"
    )
    assert job["ProcessingJobStatus"] == "Stopped"


def test_a_script_calls_aws_as_its_role_and_knows_no_secret_of_the_server(jobs):
    job = jobs.run(
        """
        import os, boto3
        print(boto3.client("sts").get_caller_identity()["Arn"])
        print("SECRET_OF_THE_SERVER" in os.environ)
        """
    )
    identity, secret = jobs.log(job["ProcessingJobName"])["algo-1"]
    assert "assumed-role/sagemaker-execution" in identity
    assert secret == "False"


def test_a_job_without_a_network_has_no_way_to_aws(jobs):
    job = jobs.run(
        'import os; print(sorted(name for name in os.environ if name.startswith("AWS_")))',
        NetworkConfig={"EnableNetworkIsolation": True},
    )
    assert jobs.log(job["ProcessingJobName"])["algo-1"] == ["[]"]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ('open("/opt/ml/output/message", "wb").write(b"\\xff\\xfe")', "ClientError: "),
        ("import os; os.kill(os.getpid(), 9)", "AlgorithmError: , exit code: 137"),
    ],
)
def test_other_ways_to_fail(jobs, script, reason):
    job = jobs.run(script)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(reason)


def test_no_input_fails_the_job(jobs):
    missing = f"s3://{jobs.bucket}/nothing-here"
    job = jobs.run("pass", [jobs.source("data", missing)])
    assert job["ProcessingJobStatus"] == "Failed"
    assert f'"{missing}"' in job["FailureReason"]


def test_an_output_that_cannot_be_stored_fails_the_job(jobs):
    request = jobs.request('open("/opt/ml/processing/output/x", "w").write("x")')
    request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] = "s3://no-such-bucket-here/x"
    jobs.client.create_processing_job(**request)
    job = jobs.ended(request["ProcessingJobName"])
    assert job["FailureReason"].startswith("ClientError: ")
    assert "no-such-bucket-here" in job["FailureReason"]


def test_a_job_that_is_over_can_be_deleted_and_its_name_taken_again(jobs, refusal):
    client = jobs.client
    request = jobs.plain_request()
    name = request["ProcessingJobName"]
    client.create_processing_job(**request)
    code, _ = refusal(client.delete_processing_job, ProcessingJobName=name)
    assert code == "ResourceInUse"
    jobs.ended(name)
    client.delete_processing_job(ProcessingJobName=name)
    told = ("ValidationException", f"Could not find requested job with name: {name}")
    assert refusal(client.describe_processing_job, ProcessingJobName=name) == told
    assert refusal(client.delete_processing_job, ProcessingJobName=name) == told
    client.create_processing_job(**request)
    assert jobs.ended(name)["ProcessingJobStatus"] == "Completed"


def test_what_cannot_be_processed_is_refused(jobs, refusal):
    uri = f"s3://{jobs.bucket}/x"
    for inputs, said in (
        ([jobs.source("a", uri, LocalPath="/tmp/a")], "/opt/ml/processing/"),
        ([jobs.source("a", uri, LocalPath="/opt/ml/processing/../../a")], "/opt/ml/processing/"),
        ([jobs.source("a", uri, S3CompressionType="Gzip")], "Pipe"),
        ([jobs.source("a", uri, S3InputMode="Pipe")], "Pipe"),
        ([jobs.source("a", uri), jobs.source("a", uri, LocalPath="/opt/ml/processing/b")], "unique"),
        ([jobs.source("a", uri), jobs.source("b", uri, LocalPath="/opt/ml/processing/input/a/")], "unique"),
        ([{"InputName": "a"}], "S3Input"),
    ):
        code, message = refusal(jobs.client.create_processing_job, **jobs.request("pass", inputs))
        assert (code, said in message) == ("ValidationException", True), message


def test_what_was_asked_for_is_shown(jobs):
    request = jobs.plain_request()
    job = jobs.describe_created(request)
    shown = {member: job[member] for member in request}
    assert shown == request
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}

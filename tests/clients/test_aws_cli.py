"""The AWS CLI from PyPI, as people type it."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local_stack.paths import REPO_ROOT
from tests.clients.installs import installed, run
from tests.local_sagemaker.server_process import archive, until
from tests.local_sagemaker.world import MODELS

_LOCK = REPO_ROOT / "requirements" / "awscli-lock.txt"


def _install(place: Path) -> None:
    run([sys.executable, "-m", "venv", "env"], place)
    pip = [place / "env/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "-r", _LOCK], place)


@pytest.fixture(scope="session")
def aws(environment, tmp_path_factory):
    """Run `aws` with arguments: exit status, output and errors."""
    # Not its script in bin/, which names the directory it was installed in before that got its name.
    command = [installed("awscli", _LOCK, _install) / "env/bin/python", "-m", "awscli"]
    directory = tmp_path_factory.mktemp("aws-cli")

    def call(*arguments):
        return subprocess.run(
            [*command, *arguments],
            env=environment,
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    call.directory = directory
    return call


@pytest.fixture(scope="session")
def answer(aws):
    """Run `aws` where it must succeed: what it prints, read as JSON if it prints anything."""

    def call(*arguments):
        done = aws(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout

    return call


@pytest.fixture(scope="module")
def uploaded(aws, answer):
    """A model that the CLI has put into a bucket of its own making."""
    (aws.directory / "model.tar.gz").write_bytes(archive((MODELS / "echo.py").read_text()))
    answer("s3", "mb", "s3://by-cli")
    answer("s3", "cp", "model.tar.gz", "s3://by-cli/models/model.tar.gz")
    return "s3://by-cli/models/model.tar.gz"


def test_s3_copies_lists_and_syncs(aws, answer, uploaded):
    assert "model.tar.gz" in answer("s3", "ls", "s3://by-cli/models/")
    answer("s3", "cp", uploaded, "back.tar.gz")
    assert (aws.directory / "back.tar.gz").read_bytes() == (aws.directory / "model.tar.gz").read_bytes()
    # Large enough to go up and come down in parts.
    large = bytes(range(256)) * (80 * 1024)
    (aws.directory / "large").mkdir()
    (aws.directory / "large" / "weights.bin").write_bytes(large)
    answer("s3", "sync", "large", "s3://by-cli/large")
    answer("s3", "sync", "s3://by-cli/large", "again")
    assert (aws.directory / "again" / "weights.bin").read_bytes() == large
    answer("s3", "rm", "--recursive", "s3://by-cli/large")
    left = answer("s3api", "list-objects-v2", "--bucket", "by-cli", "--query", "Contents[].Key")
    assert left == ["models/model.tar.gz"]


def test_the_life_of_an_endpoint(aws, answer, uploaded, world):
    role = world.role
    answer(
        *("sagemaker", "create-model", "--model-name", "By-Cli", "--execution-role-arn", role),
        *("--primary-container", f"Image=image:1,ModelDataUrl={uploaded},Environment={{RELEASE=cli}}"),
    )
    variant = "VariantName=main,ModelName=By-Cli,InstanceType=ml.m5.large,InitialInstanceCount=1"
    answer(
        *("sagemaker", "create-endpoint-config", "--endpoint-config-name", "By-Cli"),
        *("--production-variants", variant),
    )
    names = ("--endpoint-name", "By-Cli")
    created = answer("sagemaker", "create-endpoint", *names, "--endpoint-config-name", "By-Cli")
    assert created["EndpointArn"] == world.arn("endpoint", "By-Cli")
    # The CLI's waiters look every 30 s.
    world.settled("By-Cli")
    answer("sagemaker", "wait", "endpoint-in-service", *names)
    assert answer("sagemaker", "describe-endpoint", *names)["EndpointStatus"] == "InService"

    (aws.directory / "request.csv").write_text("1,2")
    invoked = answer(
        *("sagemaker-runtime", "invoke-endpoint", *names, "--content-type", "text/csv"),
        *("--body", "file://request.csv", "reply.json"),
    )
    assert invoked["InvokedProductionVariant"] == "main"
    reply = json.loads((aws.directory / "reply.json").read_text())
    assert (reply["release"], reply["body"]) == ("cli", "1,2")

    answer("sagemaker", "delete-endpoint", *names)
    answer("sagemaker", "wait", "endpoint-deleted", *names)
    refused = aws("sagemaker", "describe-endpoint", *names)
    assert refused.returncode in (254, 255)
    assert (
        "(ValidationException) when calling the DescribeEndpoint operation: Could not find" in refused.stderr
    )


def test_lists_come_page_by_page_and_filtered(answer, world):
    names = [world.model() for _ in range(3)]
    listed = answer("sagemaker", "list-models", "--page-size", "2", "--query", "Models[].ModelName")
    assert set(names) <= set(listed)
    text = answer("sagemaker", "list-models", "--name-contains", names[0], "--output", "text")
    assert names[0] in text


def test_cloudwatch_takes_metrics_and_alarms(answer):
    answer(
        *("cloudwatch", "put-metric-data", "--namespace", "Cli", "--metric-name", "Rows"),
        *("--value", "3", "--dimensions", "Team=a"),
    )
    (metric,) = answer("cloudwatch", "list-metrics", "--namespace", "Cli")["Metrics"]
    assert metric["Dimensions"] == [{"Name": "Team", "Value": "a"}]
    now = datetime.now(UTC)
    (point,) = answer(
        *("cloudwatch", "get-metric-statistics", "--namespace", "Cli", "--metric-name", "Rows"),
        *("--dimensions", "Name=Team,Value=a", "--period", "3600", "--statistics", "Sum"),
        *("--start-time", (now - timedelta(hours=2)).isoformat()),
        *("--end-time", (now + timedelta(hours=2)).isoformat()),
    )["Datapoints"]
    assert point["Sum"] == 3
    answer(
        *("cloudwatch", "put-metric-alarm", "--alarm-name", "by-cli", "--namespace", "Cli"),
        *("--metric-name", "Rows", "--statistic", "Sum", "--period", "60", "--threshold", "1"),
        *("--comparison-operator", "GreaterThanThreshold", "--evaluation-periods", "1"),
    )
    (alarm,) = answer("cloudwatch", "describe-alarms", "--alarm-names", "by-cli")["MetricAlarms"]
    assert (alarm["Threshold"], alarm["MetricName"]) == (1, "Rows")
    answer("cloudwatch", "delete-alarms", "--alarm-names", "by-cli")
    assert answer("cloudwatch", "describe-alarms", "--alarm-names", "by-cli")["MetricAlarms"] == []


def test_a_jobs_log_is_read(aws, answer, world, uploaded):
    job = {
        "TrainingJobName": "by-cli",
        "RoleArn": world.role,
        "AlgorithmSpecification": {
            "TrainingImage": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/python:1",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["echo", "seen", "by", "tail"],
        },
        "OutputDataConfig": {"S3OutputPath": "s3://by-cli/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    answer("sagemaker", "create-training-job", "--cli-input-json", json.dumps(job))

    def ended():
        found = world.sagemaker.describe_training_job(TrainingJobName="by-cli")
        return found["TrainingJobStatus"] == "Completed"

    until(ended, "the job is over")
    answer("sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", "by-cli")
    # Version 2's `logs tail` makes this call, page after page.
    group = ("--log-group-name", "/aws/sagemaker/TrainingJobs", "--log-stream-name-prefix", "by-cli/")
    events = answer("logs", "filter-log-events", *group)["events"]
    assert [event["message"] for event in events] == ["seen by tail"]
    assert events[0]["logStreamName"].startswith("by-cli/algo-1-")

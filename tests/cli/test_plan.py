"""`plan` against the local SageMaker: what is not there, what is changing, what is as it should be."""

import io
import json
import os
import subprocess
import sys
import tarfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from endpoint_deploy.artifacts.s3 import inspect_object, pin
from endpoint_deploy.cli import app
from endpoint_deploy.core import requests
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.dag_builders.specs import load_file
from endpoint_deploy.preview import connect

BUCKET = "plan-tests"
REGION = "eu-west-1"
CODE = """
import json
import subprocess
import sys
def model_fn(model_dir): return 1
def input_fn(body, content_type): return json.loads(body)
def predict_fn(numbers, bias): return [n + bias for n in numbers]
def output_fn(prediction, accept): return json.dumps(prediction), accept
"""


def archive(**members: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name.replace("__", "/").replace("_py", ".py"))
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content.encode()))
    return buffer.getvalue()


@pytest.fixture
def s3(local_sagemaker: Any) -> Any:
    client = local_sagemaker.client("s3")
    if BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return client


@pytest.fixture
def spec(specs: Path, s3: Any) -> Path:
    """A spec whose artifact lies in S3 and whose endpoint does not exist."""
    name = f"p{uuid.uuid4().hex[:8]}"
    path = specs / "churn.yaml"
    text = path.read_text().replace("name: churn", f"name: {name}")
    text = text.replace("s3://ml-platform/models/churn", f"s3://{BUCKET}/{name}")
    path.write_text(text.replace("s3://ml-platform/", f"s3://{BUCKET}/{name}/"))
    s3.put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=archive(code__inference_py=CODE))
    return path


def run(path: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["plan", str(path), *options])


def planned(path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    result = run(path, "--json", *options)
    assert result.exit_code != 1, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return result.exit_code, found


def carry_out(path: Path, body: dict[str, Any]) -> str:
    """Do what a plan for a new endpoint says, as the tasks of a release do; returns the endpoint's name."""
    spec, plan = load_file(path).spec, Plan.model_validate(body)
    hook = connect(spec)
    report, etag = inspect_object(hook.s3, spec.model.artifact, region=REGION, script_mode=True)
    pinned = pin(
        hook.s3,
        spec.model.artifact,
        etag=etag,
        sha256=report.sha256,
        store=spec.aws.store,
    )
    assert plan.config
    image = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    candidate = Candidate(artifact=spec.model.artifact, image=image, sha256=report.sha256, pinned=pinned)
    for model in requests.model_bodies(spec, candidate).values():
        hook.ensure_model(model, requests.base_tags(spec))
    hook.ensure_config(plan.config.body, plan.config.tags)
    hook.create_on(plan.endpoint, plan.config.name, requests.base_tags(spec))
    return plan.endpoint


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_from_nothing_to_nothing_to_do(spec: Path, local_sagemaker: Any) -> None:
    code, plan = planned(spec)
    assert code == 2
    assert plan["action"] == "create"
    assert plan["plan_only"]
    assert [model["exists"] for model in plan["models"]] == [False]
    sagemaker = local_sagemaker.client("sagemaker")
    assert plan["endpoint"] not in {e["EndpointName"] for e in sagemaker.list_endpoints()["Endpoints"]}

    endpoint = carry_out(spec, plan)
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService")
    code, plan = planned(spec)
    assert (code, plan["action"]) == (0, "nothing")

    spec.write_text(spec.read_text().replace("ml.m5.large", "ml.m5.xlarge"))
    result = run(spec)
    assert result.exit_code == 2
    assert "ml.m5.large -> ml.m5.xlarge" in result.stdout
    sagemaker.delete_endpoint(EndpointName=endpoint)


def test_the_alarms_as_they_are(spec: Path, local_sagemaker: Any) -> None:
    cloudwatch, name = local_sagemaker.client("cloudwatch"), f"{spec.parent.name}-errors"
    cloudwatch.put_metric_alarm(
        AlarmName=name, Namespace="plan-tests", MetricName="errors", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    spec.write_text(spec.read_text() + f"alarms: [{name}, {name}-typo]\n")
    code, plan = planned(spec)
    assert code == 2
    assert (
        f"a release would be refused now: {name} is in ALARM before the release; expected OK"
        in (plan["warnings"])
    )
    assert f"alarm {name}-typo does not exist and guards nothing" in plan["warnings"]


def test_another_artifact(spec: Path, s3: Any) -> None:
    _, own = planned(spec)
    s3.put_object(Bucket=BUCKET, Key="other/model.tar.gz", Body=archive(code__inference_py=CODE + "#"))
    code, other = planned(spec, "--artifact", f"s3://{BUCKET}/other/model.tar.gz")
    assert code == 2
    assert other["artifact_sha256"] != own["artifact_sha256"]


def test_an_artifact_that_would_be_refused(spec: Path, s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="bad/model.tar.gz", Body=archive(readme="no code"))
    result = run(spec, "--artifact", f"s3://{BUCKET}/bad/model.tar.gz")
    assert result.exit_code == 1
    assert "would be refused" in result.stderr
    assert "code/inference.py" in result.stderr


def test_an_artifact_that_is_not_there(spec: Path) -> None:
    result = run(spec, "--artifact", f"s3://{BUCKET}/nothing/model.tar.gz")
    assert result.exit_code == 1
    assert "there is no such object" in result.stderr
    assert "Traceback" not in result.output


def test_an_invalid_spec(spec: Path) -> None:
    spec.write_text(spec.read_text().replace("environment: prod", "environment: Prod"))
    result = run(spec)
    assert result.exit_code == 1
    assert f"{spec}:2: environment: found 'Prod'" in result.stderr


def test_an_unknown_framework_version(spec: Path) -> None:
    spec.write_text(spec.read_text().replace("1.2-1", "9-9"))
    result = run(spec)
    assert result.exit_code == 1
    assert "found sklearn 9-9 in eu-west-1" in result.stderr


def test_as_a_process_its_json_stands_alone_and_its_exit_code_tells(spec: Path) -> None:
    command = [sys.executable, "-m", "endpoint_deploy", "plan", str(spec), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert json.loads(done.stdout)["action"] == "create"


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        (None, "found no credentials where boto3 looks, and no AIRFLOW_CONN_AWS_DEFAULT"),
        (
            "aws://x:y@?endpoint_url=foo",
            "AIRFLOW_CONN_AWS_DEFAULT makes no connection to AWS: Invalid endpoint",
        ),
    ],
)
def test_no_connection(
    specs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connection: str | None, said: str
) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "AIRFLOW_CONN_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    if connection:
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", connection)
    result = run(specs / "churn.yaml")
    assert result.exit_code == 1
    assert said in result.stderr

"""Nothing secret leaves: canaries are planted wherever a secret may lie, and looked for where people look."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from airflow.models.xcom import XComModel
from airflow.sdk.log import redact
from airflow.utils.session import create_session

from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, REGION, Rig, Run
from tests.deploy.topic import Topic
from tests.ui.conftest import Client

pytestmark = AS_IN_PRODUCTION

MODEL, VARIANT, SIGNATURE, TOKEN, PASSWORD, HOOK = CANARIES = tuple(
    f"canary{number}f9c1d77{what}"
    for number, what in enumerate(("model", "variant", "signature", "token", "password", "hook"))
)
_PRESIGNED = (
    f"https://bucket.s3.amazonaws.com/model.tar.gz?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Security-Token={TOKEN}"
    f"&X-Amz-Signature={SIGNATURE}"
)
_WEBHOOK = f"https://hooks.slack.com/services/T0/B0/{HOOK}"
# Whatever it knows, it tells, as soon as it is sent a negative number.
_TELLING = f"""
import json, os
def model_fn(model_dir):
    with open(os.path.join(model_dir, "model.json")) as file: return json.load(file)["bias"]
def input_fn(body, content_type): return json.loads(body)
def predict_fn(numbers, bias):
    if min(numbers) < 0:
        known = os.environ["API_TOKEN"], os.environ["KEY"], "{_PRESIGNED}", "{_WEBHOOK}"
        raise ValueError("it tells " + " and ".join(known))
    return [n + bias for n in numbers]
def output_fn(prediction, accept): return json.dumps(prediction), accept
"""


@pytest.fixture
def planted(rig: Rig, monkeypatch: pytest.MonkeyPatch, local_sagemaker: Any) -> Iterator[Topic]:
    """Canaries in the spec and in the connections; the topic that is told everything."""
    connection = {
        "conn_type": "aws",
        "login": "local",
        "password": PASSWORD,
        "extra": {"endpoint_url": local_sagemaker.url, "region_name": REGION, "aws_session_token": TOKEN},
    }
    monkeypatch.setenv("AIRFLOW_CONN_SECRETIVE", json.dumps(connection))
    hook = {"conn_type": "slackwebhook", "host": "http://127.0.0.1:9", "password": f"T0/B0/{HOOK}"}
    monkeypatch.setenv("AIRFLOW_CONN_HOOK", json.dumps(hook))
    topic = Topic(rig)
    rig.spec(
        aws={"conn_id": "secretive"},
        model={"environment": {"API_TOKEN": MODEL}},
        endpoint={"variants": [{"instance_type": "ml.m5.large", "environment": {"KEY": VARIANT}}]},
        notifications=[{"sns_topic_arn": topic.arn}, {"slack": {"conn_id": "hook"}}],
        sentinel={},
    )
    yield topic
    httpx.delete(f"{local_sagemaker.url}/_local/faults")


def test_no_canary_comes_out(
    rig: Rig,
    planted: Topic,
    client: Client,
    local_sagemaker: Any,
    capfd: pytest.CaptureFixture[str],
) -> None:
    telling = rig.artifact("good", 1, **{"code/inference.py": _TELLING.encode()})
    first = rig.run("deploy", artifact=telling, reason=f"as {_PRESIGNED} shows")
    assert first.outcome == "released", first
    (model,) = rig.made()[1]
    environment = rig.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]["Environment"]
    assert (environment["API_TOKEN"], environment["KEY"]) == (MODEL, VARIANT), "the canaries are there"

    (rig.specs / "numbers.json").write_text("[-1.0]")
    sentinel = rig.run("sentinel")
    assert sentinel.state == "failed"
    second = rig.artifact("good", 2, **{"code/inference.py": _TELLING.encode()})
    failed = rig.run("deploy", artifact=second)
    assert "it tells *** and *** and https://" in failed.result["reason"], failed.result

    refused = rig.run("deploy", artifact=_refused(rig, local_sagemaker))
    assert "failed to satisfy constraint" in refused.result["reason"], refused.result
    logs = capfd.readouterr()
    runs = {"sentinel": sentinel, "deploy": first}
    said = {
        # A task's process has Airflow mask what connections hold; `dag.test()` prints it as it is.
        "logs": redact(logs.out + logs.err),
        "store": _store(rig),
        "XComs": _xcoms(rig),
        "notifications": json.dumps(planted.messages()),
        **_pages(rig, client("admin")),
        **_airflow(rig, client("admin"), runs),
        **_command_line(rig),
    }
    found = {where: _around(text) for where, text in said.items()}
    assert {where: each for where, each in found.items() if each} == {}
    for where in ("logs", "store", "XComs", "notifications", f"endpoints/{rig.key}", "history"):
        assert "***" in said[where], f"what has been told is told in {where}, without the canaries"


def _around(text: str) -> list[str]:
    """The canaries in a text, each with what is said before it."""
    places = ((text.find(each), each) for each in CANARIES)
    return [text[max(0, at - 160) : at + len(each)] for at, each in places if at >= 0]


def _refused(rig: Rig, local_sagemaker: Any) -> str:
    """A model that SageMaker refuses, once in passing and then for good, repeating its environment."""
    environment = f"{{API_TOKEN={MODEL}, KEY={VARIANT}}}"
    words = f"Value '{environment}' at 'primaryContainer.environment' failed to satisfy constraint"
    for fault in (
        {"code": "ThrottlingException", "status": 400, "count": 1, "id": "passing"},
        {"code": "ValidationException", "status": 400, "id": "final"},
    ):
        body = {
            "fault": "error",
            "operation": "CreateModel",
            "message": words,
            "resource": f"{rig.endpoint}*",
        }
        httpx.post(f"{local_sagemaker.url}/_local/faults", json=body | fault).raise_for_status()
    return rig.artifact("good", 3, **{"code/inference.py": _TELLING.encode()})


def _store(rig: Rig) -> str:
    """Every object of the store but the pinned archives, whose bytes are the team's own."""
    s3 = rig.clients("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=rig.store)
    keys = [each["Key"] for page in pages for each in page["Contents"]]
    assert {f"{rig.store}/{kind}" for kind in ("ledger", "latest", "findings", "data-docs")} <= {
        "/".join(key.split("/")[:2]) for key in keys
    }
    bodies = (s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys if ".tar." not in key)
    return "\n".join([*keys, *(body.decode(errors="replace") for body in bodies)])


def _xcoms(rig: Rig) -> str:
    with create_session() as session:
        found = session.query(XComModel.value).filter(XComModel.dag_id.contains(rig.key)).all()
    assert found
    return str(found)


def _pages(rig: Rig, admin: httpx.Client) -> dict[str, str]:
    numbers = [record["sequence"] for record in rig.ledger()]
    paths = ["endpoints?limit=100", f"endpoints/{rig.key}", *(f"releases/{rig.key}/{n}" for n in numbers)]
    paths.append(f"releases/{rig.key}/{numbers[-1]}?compared_with={numbers[0]}")
    return {path: _text(admin, f"/endpoint-deploy/{path}") for path in paths}


def _airflow(rig: Rig, admin: httpx.Client, runs: dict[str, Run]) -> dict[str, str]:
    """What Airflow's own API says of the DAGs: documentation, forms, tasks, links, XComs."""
    said = {}
    for kind, run in runs.items():
        dag = f"/api/v2/dags/{kind}__{rig.key}"
        instances = f"{dag}/dagRuns/{run.run_id}/taskInstances"
        for path in (f"{dag}/details", f"{dag}/tasks", instances):
            said[path] = _text(admin, path)
        for task in run.tasks:
            for what in ("links", "xcomEntries"):
                path = f"{instances}/{task}/{what}"
                said[path] = _text(admin, path)
    return said


def _command_line(rig: Rig) -> dict[str, str]:
    said = {}
    commands: dict[str, tuple[list[str], int]] = {
        "status": (["status"], 0),
        "status as JSON": (["status", "--json"], 0),
        "history": (["history", rig.key], 0),
        "history as JSON": (["history", rig.key, "--json"], 0),
        "show": (["show", rig.key, "2"], 0),
        "show two": (["show", rig.key, "1", "2", "--json"], 0),
        "validate": (["validate", str(rig.file)], 0),
        "plan": (["plan", str(rig.file), "--artifact", rig.artifact("good", 4)], 2),
    }
    for name, (arguments, code) in commands.items():
        command = [sys.executable, "-m", "endpoint_deploy", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == code, (done.stdout, done.stderr)
        said[name] = done.stdout + done.stderr
    return said


def _text(admin: httpx.Client, path: str) -> str:
    answer = admin.get(path)
    assert answer.status_code == 200, (path, answer.text)
    return answer.text

"""`status`, `history` and `show` as processes, over a ledger that real releases have written."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, Rig

pytestmark = AS_IN_PRODUCTION


def cli(*arguments: str, code: int = 0, **changed: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "endpoint_deploy", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **changed}, timeout=120
    )
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done


def table(text: str) -> list[dict[str, str]]:
    head, *rows = (line.split("\t") for line in text.splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_what_releases_have_written_is_read(rig: Rig) -> None:
    # Before anything is released: no endpoint, no ledger, and nothing wrong.
    (nothing,) = table(cli("status", "--exit-code").stdout)
    assert (nothing["state"], nothing["release"], nothing["drift"]) == ("none", "", "no")
    assert "no releases" in cli("history", rig.name).stderr

    assert rig.deploy(bias=1, reason="the first\none").outcome == "released"
    assert rig.deploy(bias=2, reason="[bold]the second").outcome == "released"
    assert rig.deploy("wrong", 3).outcome == "rolled_back"
    first, second, third = rig.ledger()

    # The last release has failed, which is told only where it is asked for; what is live is the second one.
    (row,) = table(cli("status").stdout)
    assert row["deployment"] == rig.key
    assert (row["state"], row["release"], row["drift"]) == ("InService", "#2", "no")
    assert row["artifact"] == second["artifact_sha256"][:12]
    assert row["since"] == second["finished_at"][:19]
    assert row["last"] == "#3 deploy rolled_back"
    assert "weight 1 x1" in row["variants"]
    cli("status", rig.endpoint, "--exit-code", code=1)

    listed = table(cli("history", rig.name).stdout)
    assert [(each["release"], each["outcome"]) for each in listed] == [
        ("#3", "rolled_back"),
        ("#2", "released"),
        ("#1", "released"),
    ]
    assert [each["strategy"] for each in listed] == [third["action"], "stage", "create"]
    assert listed[0]["reason"].startswith("smoke_test: ")
    assert [each["reason"] for each in listed[1:]] == ["[bold]the second", "the first one"]
    limited = json.loads(cli("history", rig.key, "--limit", "2", "--json").stdout)
    assert limited == [third, second]
    since = json.loads(cli("history", rig.key, "--since", second["finished_at"], "--json").stdout)
    assert since == [third, second]

    shown = cli("show", rig.name, "2").stdout
    assert shown.startswith(f"{rig.endpoint} #2: deploy released\n")
    assert f"  artifact_sha256: {second['artifact_sha256']}\n" in shown
    assert f"  config_before: {first['config_after']}\n" in shown
    assert json.loads(cli("show", rig.name, "2", "--json").stdout) == second
    compared = cli("show", rig.name, "1", "2").stdout
    assert f"~ artifact_sha256: {first['artifact_sha256']} -> {second['artifact_sha256']}" in compared
    assert "environment" not in compared
    differing = json.loads(cli("show", rig.name, "1", "2", "--json").stdout)
    assert differing["config_after"] == [first["config_after"], second["config_after"]]
    assert "the ledger has no release 9" in cli("show", rig.name, "9", code=1).stderr

    drifts(rig, first, second)


def drifts(rig: Rig, first: dict[str, str], second: dict[str, str]) -> None:
    """Somebody puts the first configuration back by hand, then a record becomes unreadable."""
    rig.sagemaker.update_endpoint(EndpointName=rig.endpoint, EndpointConfigName=first["config_after"])
    rig.sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName=rig.endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 90}
    )
    said = cli("status", "--exit-code", code=1)
    (row,) = table(said.stdout)
    assert (row["release"], row["drift"]) == ("#1", "yes")
    assert (
        f"found configuration {first['config_after']}, expected configuration {second['config_after']}"
        in (said.stderr)
    )
    (as_json,) = json.loads(cli("status", "--json").stdout)["deployments"]
    assert as_json["wrong"]
    assert as_json["ledger"]["last"]["sequence"] == 3

    key = f"{rig.store}/ledger/{rig.endpoint}/00000004.json"
    rig.clients("s3").put_object(Bucket=BUCKET, Key=key, Body=b'{"schema_version": 2}')
    assert "cannot read" in cli("history", rig.name, code=1).stderr
    said = cli("status", code=1)
    assert "cannot be told: the ledger" in said.stderr
    assert table(said.stdout)[0]["state"] == "InService"


def test_what_cannot_be_reached_is_said(rig: Rig, tmp_path: Path) -> None:
    rig.spec(aws={"store": "s3://no-such-bucket-anywhere/store"})
    assert "NoSuchBucket" in cli("history", rig.name, code=1).stderr
    said = cli("status", code=1)
    assert "NoSuchBucket" in said.stderr
    assert table(said.stdout)[0]["drift"] == "unknown"

    dead = json.dumps(
        {
            "conn_type": "aws",
            "login": "test",
            "password": "test",
            "extra": {
                "endpoint_url": "http://127.0.0.1:9",
                "region_name": "eu-west-1",
                "config_kwargs": {"retries": {"total_max_attempts": 1}},
            },
        }
    )
    said = cli("status", code=1, AIRFLOW_CONN_AWS_DEFAULT=dead)
    assert "cannot be told: the endpoint" in said.stderr
    assert table(said.stdout)[0]["state"] == "unknown"
    assert "Could not connect" in cli("show", rig.name, "1", code=1, AIRFLOW_CONN_AWS_DEFAULT=dead).stderr


def test_what_is_typed_wrongly_ends_with_2(rig: Rig) -> None:
    cli("history", code=2)
    cli("history", rig.name, "--since", "yesterday", code=2)
    cli("show", rig.name, "one", code=2)
    assert "found 0 deployments called nobody" in cli("status", "nobody", code=1).stderr

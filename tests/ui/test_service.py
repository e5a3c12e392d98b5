"""What the pages cost AWS, and what they say while it cannot be reached."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import yaml
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.utils.session import create_session

from endpoint_deploy.aws.latest import LatestReleases
from endpoint_deploy.core.standing import read_word
from tests.aws.test_latest import release
from tests.deploy.fault_proxy import fault_proxy
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, REGION, Rig
from tests.ui.conftest import Client

pytestmark = AS_IN_PRODUCTION

_PATIENCE = 60.0


def connect(monkeypatch: pytest.MonkeyPatch, url: str) -> str:
    """A connection of its own, through a proxy: the server has remembered nothing of it."""
    conn_id = f"proxied_{time.monotonic_ns()}"
    extra = {"endpoint_url": url, "region_name": REGION}
    body = {"conn_type": "aws", "login": "test", "password": "test", "extra": extra}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(body))
    return conn_id


def many(rig: Rig, count: int, conn_id: str) -> None:
    """So many deployments of one store, each with a release, that Airflow lists."""
    rig.spec(aws={"conn_id": conn_id})
    body = yaml.safe_load(rig.file.read_text())
    latest = LatestReleases(rig.clients("s3"), f"s3://{BUCKET}/{rig.store}")
    with create_session() as session:
        session.merge(DagBundleModel(name="dags-folder"))
        session.flush()  # the DAGs refer to it, which Airflow's models do not tell SQLAlchemy
        for number in range(count):
            name = f"{rig.name}-{number}"
            body["name"] = name
            (rig.specs / f"{name}.yaml").write_text(yaml.safe_dump(body))
            latest.put(f"{name}-test", read_word([release(f"{name}-test", 1, sequence=1)], f"{name}-test-1"))
            dag = {"dag_id": f"deploy__{name}__test", "bundle_name": "dags-folder", "fileloc": "deploy.py"}
            session.merge(DagModel(**dag, is_stale=False))


def test_calls_do_not_grow_with_the_deployments(
    rig: Rig, client: Client, local_sagemaker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = {}
    for count in (2, 60):
        with fault_proxy(local_sagemaker.url) as proxy:
            many(rig, count, connect(monkeypatch, proxy.url))
            found = page(client(), search=rig.name)
            assert found["matching"] == count
            assert found["problems"] == []
            assert {row["last"]["outcome"] for row in found["deployments"]} == {"released"}
            calls[count] = proxy.requests
    assert calls[2] == calls[60]
    assert calls[60] < 20


def page(client: httpx.Client, **query: Any) -> dict[str, Any]:
    answer = client.get("/endpoint-deploy/endpoints", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def until(look: Callable[[], dict[str, Any]], done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + _PATIENCE
    while not done(found := look()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def test_the_last_word_is_shown_with_its_age_while_aws_cannot_be_reached(
    rig: Rig, client: Client, local_sagemaker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = client()
    with fault_proxy(local_sagemaker.url) as proxy:
        rig.spec(aws={"conn_id": connect(monkeypatch, proxy.url)})
        assert rig.deploy(bias=1).outcome == "released"
        before = until(lambda: page(admin, search=rig.name), lambda found: not found["problems"])
        assert before["deployments"][0]["state"] == "InService"
    after = until(lambda: page(admin, search=rig.name), lambda found: len(found["problems"]) > 1)
    assert {each.partition(":")[0] for each in after["problems"]} == {"SageMaker", "the ledger"}
    assert after["age_seconds"] > 0
    assert after["deployments"][0]["live"]["sequence"] == 1
    one = admin.get(f"/endpoint-deploy/endpoints/{rig.key}").json()
    assert one["timeline"][0]["sequence"] == 1
    assert one["problems"]
    assert one["left_by_runs"] is False
    # Charts of a day were never asked for: nothing is remembered of them, and the page has all but these.
    charts = admin.get(f"/endpoint-deploy/endpoints/{rig.key}/traffic", params={"span": "day"}).json()
    assert charts["traffic"] is None
    assert any(each.startswith("CloudWatch: ") for each in charts["problems"])


def test_after_a_restart_the_last_word_is_what_runs_have_left_in_airflow(
    rig: Rig, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = client()
    assert rig.deploy(bias=1).outcome == "released"
    assert rig.deploy("raises", bias=2).outcome == "rolled_back"
    # Nobody answers there, and nothing is remembered of it, as of nothing after a restart.
    rig.spec(aws={"conn_id": connect(monkeypatch, "http://127.0.0.1:9")})
    found = page(admin, search=rig.name)
    assert {each.partition(":")[0] for each in found["problems"]} == {"SageMaker", "the ledger"}
    assert found["left_by_runs"] is True
    assert found["age_seconds"] > 0
    (row,) = found["deployments"]
    assert (row["state"], row["live"]["sequence"], row["last"]["outcome"]) == ("unknown", 1, "rolled_back")
    assert [(each["share"], each["count"]) for each in row["variants"]] == [(1.0, 1)]

    one = admin.get(f"/endpoint-deploy/endpoints/{rig.key}").json()
    assert [each["sequence"] for each in one["timeline"]] == [2, 1]
    assert (one["ledger_known"], one["left_by_runs"]) == (False, True)
    release_page = admin.get(f"/endpoint-deploy/releases/{rig.key}/2").json()
    assert release_page["release"]["outcome"] == "rolled_back"
    assert release_page["problems"]
    charts = admin.get(f"/endpoint-deploy/endpoints/{rig.key}/traffic").json()
    assert any(each.startswith("SageMaker: ") for each in charts["problems"])


def test_where_nobody_has_ever_answered_the_page_says_so(
    rig: Rig, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(rig, 1, connect(monkeypatch, "http://127.0.0.1:9"))
    found = page(client(), search=rig.name)
    (row,) = found["deployments"]
    assert (row["state"], row["live"], row["last"]) == ("unknown", None, None)
    assert found["problems"]

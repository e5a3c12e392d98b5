"""The data behind the pages, from Airflow's API server, for users of different rights."""

from typing import Any

import httpx
import pytest

from endpoint_deploy.aws.ledger import Ledger
from endpoint_deploy.core.stages import StageRecord
from tests.aws.test_latest import release
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, Rig, Run
from tests.ui.conftest import Client

pytestmark = AS_IN_PRODUCTION

CANARY = "canary-3f9c1d77"


def found(client: httpx.Client, path: str, **query: Any) -> dict[str, Any]:
    answer = client.get(f"/endpoint-deploy/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_deployment_s_page_through_its_life(rig: Rig, client: Client) -> None:
    rig.spec(model={"environment": {"API_TOKEN": CANARY}})
    good = rig.deploy(bias=1)
    assert good.outcome == "released"
    admin = client("admin")
    (row,) = found(admin, "endpoints", search=rig.name)["deployments"]
    assert (row["key"], row["state"], row["endpoint"]) == (rig.key, "InService", rig.endpoint)
    assert (row["live"]["sequence"], row["last"]["outcome"], row["attention"]) == (1, "released", [])
    (variant,) = row["variants"]
    assert (variant["share"], variant["count"]) == (1.0, 1)
    assert row["dags"]["deploy"]["dag_id"] == f"deploy__{rig.key}"
    assert row["running"] == []

    bad = rig.deploy("tells", bias=2)
    assert bad.outcome == "rolled_back"
    one = found(admin, f"endpoints/{rig.key}")
    assert [each["outcome"] for each in one["timeline"]] == ["rolled_back", "released"]
    assert "ended rolled back" in one["attention"][0]
    assert one["live"]["sequence"] == 1
    assert one["rolls_back_to"] is None, "there is no other good release"
    assert f"{rig.name}/good-1/model.tar.gz" in one["releases_by_default"]

    assert rig.predict() == [2.0, 3.0, 4.0]
    recent = found(admin, "traffic", deployment=[rig.key, "none__here"])
    assert (list(recent["traffic"]), recent["problems"]) == ([rig.key], [])
    of_all = found(admin, f"endpoints/{rig.key}/traffic", span="day")["traffic"]
    for said in (recent["traffic"][rig.key], of_all):
        periods = len(said["requests"])
        assert periods == len(said["errors"]) == len(said["p50_ms"]) == len(said["p95_ms"])
        assert said["complete"] < periods, "CloudWatch may know more of the last minutes later"
        answered = [number for number, asked in enumerate(said["requests"]) if asked]
        assert all(0 < said["p50_ms"][number] <= said["p95_ms"][number] for number in answered)
    # The release that was taken back had variants of its own, which failed.
    assert sum(recent["traffic"][rig.key]["errors"]) == 0
    assert sum(recent["traffic"][rig.key]["requests"]) > 0

    first = found(admin, f"releases/{rig.key}/1")
    facts = {fact["path"]: fact for fact in first["facts"]}
    assert facts["outcome"]["value"] == "released"
    assert facts["pinned"]["href"].startswith("http")
    assert first["plan"]["action"] == "create"
    second = found(admin, f"releases/{rig.key}/2", compared_with=1)
    differs = {each["path"]: (each["before"], each["after"]) for each in second["compared"]}
    assert differs["outcome"] == ("released", "rolled_back")
    said = [
        admin.get(f"/endpoint-deploy/{path}").text
        for path in (
            "endpoints?limit=100",
            f"endpoints/{rig.key}",
            f"releases/{rig.key}/1",
            f"releases/{rig.key}/2",
        )
    ]
    assert not [each for each in said if CANARY in each]
    assert any("the token is ***" in each for each in said)
    links_lead_to_where_a_person_looks(rig, admin, good, bad)


def links_lead_to_where_a_person_looks(rig: Rig, admin: httpx.Client, good: Run, bad: Run) -> None:
    """The tasks' links, as Airflow's API gives them to its UI: those of a release, and of one that failed."""
    server = rig.sagemaker.meta.endpoint_url
    page = f"/plugin/endpoints/{rig.key}"

    def links(run: Run, task: str) -> dict[str, str | None]:
        path = f"/api/v2/dags/deploy__{rig.key}/dagRuns/{run.run_id}/taskInstances/{task}/links"
        answer = admin.get(path)
        assert answer.status_code == 200, answer.text
        there: dict[str, str | None] = answer.json()["extra_links"]
        # Without a host, the browser takes that of the page where the link is.
        assert (there.pop("Endpoint") or "").endswith(page), task
        return there

    (first, _) = rig.ledger()
    archive = links(good, "validate_artifact")
    assert archive == {"Data Docs": None, "S3 object": f"{server}/{first['pinned'].removeprefix('s3://')}"}
    for run, task in ((good, "wait_for_endpoint"), (bad, "smoke_test"), (bad, "roll_back")):
        there = links(run, task)
        assert (there["SageMaker"], there["CloudWatch alarms"]) == (f"{server}/", None), task
        assert httpx.get(str(there["CloudWatch logs"])).status_code == 200
    docs = str(links(good, "smoke_test")["Data Docs"])
    assert docs == f"{server}/{first['evidence']['smoke_test']['data_docs'][0].removeprefix('s3://')}"
    for run, number in ((good, 1), (bad, 2)):
        for task in ("record_release", "outcome"):
            assert str(links(run, task)["Release"]).endswith(f"{page}/{number}"), task
    assert links(good, "resolve_release") == {"Data Docs": None}


def test_what_a_release_was_judged_by(rig: Rig, client: Client) -> None:
    rig.spec(model={"environment": {"API_TOKEN": CANARY}})
    assert rig.run("deploy", plan_only=True, artifact=rig.artifact()).outcome == "planned"
    numbers = {"effect": 3.0, "low": 1.5, "high": 6.0, "tolerated": 1.25, "unacceptable": 2.0}
    kept = f"s3://{BUCKET}/{rig.store}/analysis/run/10-percent-1"
    spread = {"levels": [0.5], "candidate": [2.0], "champion": [1.0]}
    metric = {
        "metric": "error_rate",
        "verdict": "fail",
        "reason": f"found {CANARY}",
        "numbers": numbers,
        "spread": spread,
    }
    look = {"stage": "10-percent-1", "looks": 2, "verdict": "fail", "way": "roll_back", "metrics": [metric]}
    step = StageRecord(
        name="10-percent",
        percent=10,
        weights={"primary-1": 0.9, "primary-2": 0.1},
        outcome="failed",
        reason=f"said {CANARY}",
        analysis={**look, "kept": kept},
    )
    evidence = {
        "smoke_test": {"data_docs": [f"s3://{BUCKET}/{rig.store}/docs/index.html"]},
        "shift_traffic": {"stages": [step.model_dump(mode="json")]},
    }
    record = release(rig.endpoint, 1, deployment=rig.key, outcome="rolled_back", evidence=evidence)
    Ledger(rig.clients("s3"), f"s3://{BUCKET}/{rig.store}", rig.endpoint).append(record)

    shown = found(client(), f"releases/{rig.key}/1")
    (stage,) = shown["stages"]
    assert (stage["task"], stage["percent"], stage["outcome"]) == ("shift_traffic", 10, "failed")
    (verdict,) = shown["verdicts"]
    assert (verdict["looks"], verdict["way"]) == (2, "roll_back")
    assert verdict["metrics"][0]["numbers"] == numbers
    assert verdict["metrics"][0]["spread"] == spread
    assert not [fact for fact in shown["facts"] if "spread" in fact["path"]]
    assert verdict["metrics"][0]["reason"] == "found ***"
    assert stage["reason"] == "said ***"
    hrefs = [verdict["href"], *(docs["href"] for docs in shown["data_docs"])]
    assert len(hrefs) == 2
    assert all(href.startswith("http") for href in hrefs)


def test_who_may_see_and_start(rig: Rig, client: Client) -> None:
    assert rig.run("deploy", plan_only=True, artifact=rig.artifact()).outcome == "planned"
    paths = ("endpoints", f"endpoints/{rig.key}", f"endpoints/{rig.key}/traffic", f"releases/{rig.key}/1")
    for path in (*paths, f"traffic?deployment={rig.key}"):
        assert client(None).get(f"/endpoint-deploy/{path}").status_code == 401, path
        forged = client(None).get(f"/endpoint-deploy/{path}", headers={"Authorization": "Bearer forged"})
        assert forged.status_code in {401, 403}, path
    for user, allowed in (("admin", True), ("viewer", False)):
        row = found(client(user), f"endpoints/{rig.key}")
        assert row["dags"]["deploy"]["may_trigger"] is allowed, user
        assert (row["state"], row["live"], row["timeline"]) == ("none", None, [])
    run = client("viewer").post(f"/api/v2/dags/deploy__{rig.key}/dagRuns", json={"logical_date": None})
    assert run.status_code == 403


@pytest.mark.parametrize("path", ["endpoints/none__here", "releases/none__here/1"])
def test_what_there_is_not(client: Client, path: str) -> None:
    assert client().get(f"/endpoint-deploy/{path}").status_code == 404


def test_the_modules_are_served_and_nothing_else_of_the_package(client: Client) -> None:
    module = client(None).get("/endpoint-deploy/pages/endpoints.js")
    assert module.status_code == 200
    assert "javascript" in module.headers["content-type"]
    assert module.headers["cache-control"] == "no-cache"
    assert client(None).get("/endpoint-deploy/pages/../app.py").status_code == 404
    assert client(None).get("/endpoint-deploy/openapi.json").status_code == 404
    assert BUCKET not in module.text


def test_a_freeze_is_shown_with_its_reason(rig: Rig, client: Client) -> None:
    rig.run("freeze", action="freeze", reason="stocktaking")
    assert rig.run("deploy", plan_only=True, artifact=rig.artifact()).outcome == "planned"
    row = found(client(), f"endpoints/{rig.key}")
    assert row["frozen"] is True
    assert "stocktaking" in row["held"]
    assert row["dags"]["freeze"]["may_trigger"] is True

"""The pages in Airflow's own UI, in a real browser, with real releases behind them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from local_stack.stack import Stack
from tests.browser.conftest import NARROW, Open
from tests.browser.pictures import ask_for_a_while, take
from tests.deploy.rig import BUCKET
from tests.e2e.conftest import deployments
from tests.e2e.live import LiveRig

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

SERIOUS = {"serious", "critical"}
# What is Airflow's own around our pages is not ours to mend.
OURS = "main[aria-label=Endpoints]"


# A dialog fades in: until it has, its colours are mixed with those behind it.
AT_REST = """() => document.getAnimations().every(
    each => each.playState !== "running" || each.effect.getComputedTiming().endTime === Infinity
)"""


def faults(page: Page, where: str = OURS) -> list[str]:
    """What axe-core finds serious within a part of the page, once nothing on it moves."""
    page.wait_for_function(AT_REST)
    found = Axe().run(page, context=where).response["violations"]
    return [
        f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes']]}"
        for each in found
        if each["impact"] in SERIOUS
    ]


@pytest.fixture(scope="module")
def released(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRig]:
    """A deployment with two good releases."""
    with deployments(stack, tmp_path_factory.mktemp("gates")) as make:
        rig = make(name="churn")
        for bias in (1, 2):
            assert rig.deploy(bias=bias).outcome == "released"
            ask_for_a_while(rig)
        yield rig


def test_a_release_is_seen_and_undone(released: LiveRig, opened: Open) -> None:
    page = opened("/")
    page.get_by_role("link", name="Endpoints").first.click()
    expect(page.locator(f"li[data-key='{released.key}']").get_by_role("img").first).to_be_visible()
    take(page, "endpoints")
    page.get_by_label("Filter").fill(released.name)
    row = page.locator(f"li[data-key='{released.key}']")
    expect(row.get_by_text("InService")).to_be_visible()
    expect(row.get_by_text("#2 deploy")).to_be_visible()
    expect(row.get_by_text("100 %")).to_be_visible()
    expect(page.get_by_text("1 of ")).to_be_visible()
    expect(row.get_by_role("img", name=re.compile("^Requests in the last hour: [1-9]"))).to_be_visible()
    expect(
        row.get_by_role("img", name=re.compile("^Model latency in the last hour: p50 .+ ms"))
    ).to_be_visible()
    assert faults(page) == []
    row.get_by_role("link", name=f"{released.name} (test)").click()
    expect(page.locator("[data-release='1']")).to_be_visible()
    traffic = page.get_by_role("region", name="Traffic")
    drawn = traffic.get_by_role("img", name=re.compile("^Requests in the last hour: .*release 2 released"))
    expect(drawn).to_be_visible()
    expect(traffic.get_by_role("list", name="Marked releases").get_by_role("link")).to_have_count(2)
    traffic.get_by_label("Time").select_option("week")
    expect(traffic.get_by_role("img", name=re.compile("^Errors in the last week: 0 %"))).to_be_visible()
    traffic.get_by_label("Time").select_option("hour")
    expect(drawn).to_be_visible()

    # By the keyboard alone, and seen to its end without loading the page again.
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("brings back release #1")
    assert faults(page, "[role=alertdialog]") == []
    dialog.get_by_label("Reason").fill("complaints from the shops")
    take(page, "undo")
    dialog.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Started:")).to_be_visible()
    third = page.locator("[data-release='3']")
    expect(third).to_contain_text("rollback", timeout=240_000)
    expect(third).to_contain_text("complaints from the shops")
    expect(page.get_by_text("release #3 · ")).to_be_visible()
    assert faults(page) == []
    take(page, "endpoint")

    third.get_by_role("link").first.click()
    page.get_by_label("Compare with release").fill("1")
    expect(page.get_by_role("region", name="Differences from #1")).to_contain_text("kind")
    expect(page.get_by_role("region", name="Record")).to_contain_text("config_after")
    assert faults(page) == []
    take(page, "release")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_in_both_schemes(released: LiveRig, opened: Open, scheme: str) -> None:
    page = opened("/plugin/endpoints", size=NARROW, scheme=scheme)
    for path in ("", f"/{released.key}", f"/{released.key}/1"):
        page.goto(f"/plugin/endpoints{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(OURS).get_by_text("released").first).to_be_visible()
        wide = page.locator(OURS).evaluate("each => each.scrollWidth - each.clientWidth")
        assert wide <= 1, f"{path} is {wide} px wider than the screen"
        assert faults(page) == []


def test_a_viewer_has_nothing_to_press(released: LiveRig, opened: Open) -> None:
    page = opened(f"/plugin/endpoints/{released.key}", user="viewer")
    expect(page.locator("[data-release='1']")).to_be_visible()
    expect(page.get_by_role("button", name="Deploy")).to_have_count(0)
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    answer = page.request.post(
        f"/api/v2/dags/{released.dag_id()}/dagRuns", data={"logical_date": None, "conf": {}}
    )
    assert answer.status == httpx.codes.FORBIDDEN


def test_a_release_is_promoted_from_either_page(
    released: LiveRig, stack: Stack, tmp_path: Path, opened: Open
) -> None:
    other = {"name": released.name, "environment": "prod"}
    promotes = {"from_environment": "test", "automatic": False}
    model = {"artifact": None, "image": {"framework": "sklearn", "version": "1.2-1"}}
    with deployments(stack, tmp_path) as make:
        prod = make(**other, promotion=promotes, model=model)
        page = opened(f"/plugin/endpoints/{released.key}")
        page.get_by_role("button", name="Promote to prod").click()
        dialog = page.get_by_role("alertdialog")
        expect(dialog).to_contain_text(
            re.compile(rf"takes release #\d+ .*of {released.key} over to {prod.endpoint}")
        )
        assert faults(page, "[role=alertdialog]") == []
        dialog.get_by_role("button", name="Cancel").click()
        page.goto(f"/plugin/endpoints/{prod.key}")
        page.get_by_role("button", name="Promote").click()
        page.get_by_role("alertdialog").get_by_role("button", name="Promote").click()
        run_id = page.get_by_role("status").get_by_role("link").inner_text()
        assert prod.end(run_id).outcome == "released"
        expect(page.locator("[data-release='1']")).to_contain_text("released")
        page.close()  # it would go on asking for a deployment that is gone


def test_the_tab_of_a_dag(released: LiveRig, opened: Open) -> None:
    page = opened(f"/dags/{released.dag_id('rollback')}/plugin/endpoint")
    expect(page.locator(f"[data-key='{released.key}']")).to_be_visible()
    expect(page.get_by_role("button", name="Deploy")).to_be_visible()


def judged(metric: str, **drawn: Any) -> dict[str, Any]:
    """A metric of a look, as a record of the ledger keeps it."""
    numbers = {"effect": 1.4, "low": 1.1, "high": 1.8, "tolerated": 1.1, "unacceptable": 1.5}
    said = {"metric": metric, "verdict": "inconclusive", "reason": "more is needed"}
    return {**said, "numbers": numbers, **drawn}


@pytest.fixture
def judged_release(released: LiveRig) -> Iterator[int]:
    """A record beside the ledger's own, with what a release was judged by, which would take minutes."""
    levels = {"levels": [0.05, 0.25, 0.5, 0.75, 0.95]}
    metrics = [
        judged("latency_p95", spread={**levels, "candidate": [2, 3, 4, 5, 9], "champion": [1, 2, 3, 4, 6]}),
        judged("drift", spread={"labels": ["no", "yes"], "candidate": [0.7, 0.3], "champion": [0.6, 0.4]}),
    ]
    look = {"looks": 3, "verdict": "inconclusive", "way": "look_again", "metrics": metrics}
    step = {"name": "25-percent", "percent": 25, "analysis": {"stage": "25-percent", **look}}
    record = released.ledger()[0] | {"sequence": 99, "evidence": {"shift_traffic": {"stages": [step]}}}
    key = f"{released.store}/ledger/{released.endpoint}/00000099.json"
    s3 = released.clients("s3")
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(record).encode())
    yield 99
    s3.delete_object(Bucket=BUCKET, Key=key)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_a_release_was_judged_by_is_drawn(
    released: LiveRig, judged_release: int, opened: Open, scheme: str
) -> None:
    page = opened(f"/plugin/endpoints/{released.key}/{judged_release}", size=NARROW, scheme=scheme)
    drawn = page.get_by_role("region", name="Verdicts").get_by_role("img")
    expect(drawn).to_have_count(4)
    mine, theirs = "p5 2, p25 3, p50 4, p75 5, p95 9", "p5 1, p25 2, p50 3, p75 4, p95 6"
    expect(drawn.nth(1)).to_have_accessible_name(f"latency p95, spread: candidate {mine}; champion {theirs}")
    expect(drawn.nth(3)).to_have_accessible_name(
        "drift, shares: candidate no 70 %, yes 30 %; champion no 60 %, yes 40 %"
    )
    assert faults(page) == []
    page.close()


def test_a_release_is_started_by_the_form_and_approved(stack: Stack, tmp_path: Path, opened: Open) -> None:
    with deployments(stack, tmp_path) as make:
        rig = make(approval={"timeout_seconds": 600})
        page = opened(f"/dags/{rig.dag_id()}")
        page.get_by_role("button", name="Trigger").first.click()
        form = page.get_by_role("dialog")
        form.locator("[name=element_artifact]").fill(rig.artifact(bias=1))
        form.get_by_role("button", name="Trigger").click()
        expect(form).to_have_count(0)

        page.goto(f"/plugin/endpoints/{rig.key}")
        expect(page.get_by_role("region", name="Now and next")).to_contain_text("deploy running")
        page.get_by_role("link", name="approve asks a person: decide").click()
        page.get_by_role("link", name="approve").first.click()
        page.get_by_role("button", name="Approve").click()

        page.goto(f"/plugin/endpoints/{rig.key}")
        first = page.locator("[data-release='1']")
        expect(first).to_contain_text("released")
        expect(first).to_contain_text("admin")
        page.goto(f"/dags/{rig.dag_id()}/runs/{quote(rig.ledger()[-1]['run']['run_id'])}")
        page.get_by_role("link", name="Release", exact=True).click()
        expect(page.get_by_role("region", name="Record")).to_contain_text("config_after")

"""The server's page, in a real browser, and the calls beneath it."""

import json
import os
import re
import shutil

import httpx
import pytest

from tests.local_sagemaker.fault_calls import FaultCalls
from tests.local_sagemaker.trainer import Trainer

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def shown(start_server, make_world):
    return make_world(start_server())


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install one, or name it in CHROMIUM")
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with sync_playwright() as driver:
        # Chromium's sandbox needs more than a container grants; the page is our own.
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def page(browser, shown):
    """The page, just opened; whatever the browser complains about fails the test."""
    opened = browser.new_page()
    complaints = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    outside = []
    opened.on("request", lambda request: outside.append(request.url))
    opened.goto(shown.server.url)
    opened.get_by_text("live", exact=True).wait_for()
    yield opened
    assert complaints == []
    assert [url for url in outside if not url.startswith((shown.server.url, "data:"))] == []
    opened.close()


def card(page, name):
    return page.locator(f"[data-name='{name}']")


def test_an_endpoint_goes_in_service_before_ones_eyes(page, shown, gate):
    config = shown.release("gated", GATE=str(gate))
    name = shown.begin(config)
    card(page, name).get_by_text("Creating").wait_for()
    gate.touch()
    card(page, name).get_by_text("InService").wait_for()
    card(page, name).get_by_text("100 % of requests").wait_for()
    (pid,) = shown.server.replica_pids(name)
    assert f"pid {pid}" in card(page, name).inner_text()
    for _ in range(5):
        shown.invoke(name)
    card(page, name).locator("svg[aria-label^='requests']").wait_for()
    page.locator("#changes").get_by_text("InService").first.wait_for()
    shown.delete([name])
    card(page, name).wait_for(state="detached")


def test_a_log_is_followed(page, shown):
    name = shown.endpoint(shown.release("raises"))
    card(page, name).get_by_role("button", name=re.compile("pid")).click()
    page.locator("#log-text").get_by_text("Model loaded").wait_for()
    with pytest.raises(Exception, match="ModelError"):
        shown.invoke(name)
    page.locator("#log-text").get_by_text("Traceback").wait_for()
    page.get_by_role("button", name="Close").click()
    page.locator("#log").wait_for(state="hidden")
    shown.delete([name])


def test_what_fails_says_why_and_faults_can_be_removed(page, shown):
    faults = FaultCalls(shown.server)
    fault = faults.add("insufficient_capacity", name="Failing-*")
    name = shown.name("Failing")
    shown.begun.append(name)
    shown.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=shown.release())
    card(page, name).get_by_text("InsufficientInstanceCapacity").wait_for()
    row = page.locator("#faults tr", has_text=fault)
    assert "name Failing-*" in row.inner_text()
    row.get_by_role("button", name="Remove").click()
    row.wait_for(state="detached")
    assert httpx.get(f"{shown.server.url}/_local/faults").json()["faults"] == []


def test_both_fleets_and_their_shares_during_a_canary(page, shown):
    config = shown.config(shown.variant(shown.model(), count=2))
    name = shown.endpoint(config)
    canary = {
        "Type": "CANARY",
        "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1},
        "WaitIntervalInSeconds": 600,
    }
    following = shown.config(shown.variant(shown.model(), count=2))
    shown.sagemaker.update_endpoint(
        EndpointName=name,
        EndpointConfigName=following,
        DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": canary}},
    )
    card(page, name).get_by_text("50 % of requests").nth(1).wait_for()
    text = card(page, name).inner_text()
    assert text.index("main, old fleet") < text.index("main, new fleet")
    assert all(f"configuration {each}" in text for each in (config, following))
    assert all(f"pid {pid}" in text for pid in shown.server.replica_pids(name))


def test_alarms_targets_and_jobs(page, shown):
    alarm, endpoint = shown.name("Alarm"), shown.endpoint()
    shown.server.client("cloudwatch").put_metric_alarm(
        AlarmName=alarm,
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=-1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="breaching",
    )
    row = page.locator("#alarms tr", has_text=alarm)
    row.get_by_text("ALARM", exact=True).wait_for()
    variant = f"endpoint/{endpoint}/variant/main"
    shown.server.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId=variant,
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MinCapacity=1,
        MaxCapacity=3,
    )
    page.locator("#targets tr", has_text=variant).wait_for()
    trainer = Trainer(shown)
    job = trainer.begin("print('trained', flush=True)")
    row = page.locator("#jobs tr", has_text=job)
    row.get_by_text("Completed").first.wait_for()
    row.get_by_role("button").first.click()
    page.locator("#log-text").get_by_text("trained").first.wait_for()
    page.get_by_role("button", name="Close").click()


def luminance(page, selector, color):
    """0 for black to 1 for white, of the colour that the browser drew."""
    found = page.locator(selector).evaluate(f"each => getComputedStyle(each).{color}")
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", found)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_readable_in_light_and_dark_and_on_a_phone(page, shown, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    back, text = (luminance(page, "body", color) for color in ("backgroundColor", "color"))
    assert (back > 0.9, text < 0.2) == ((True, True) if scheme == "light" else (False, False))
    assert (max(back, text) + 0.05) / (min(back, text) + 0.05) > 4
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_what_models_write_is_text_and_never_markup(page, shown):
    """The first view comes in the page itself, later ones in the stream."""
    faults = FaultCalls(shown.server)
    faults.add("throttle", operation="</script><img src=x onerror=alert(1)>")
    page.locator("#faults").get_by_text("onerror=alert(1)").wait_for()
    page.reload()
    page.locator("#faults").get_by_text("onerror=alert(1)").wait_for()
    assert page.locator("img").count() == 0
    faults.clear()


def test_nothing_given_in_confidence_is_shown(shown):
    name = shown.endpoint(shown.release(PASSWORD="hunter2-of-the-model"))
    for path in ("/", "/_local/overview", "/_local/endpoints", "/_local/events", "/_local/jobs"):
        assert "hunter2" not in httpx.get(f"{shown.server.url}{path}").text
    assert name in shown.server.page("/")
    shown.delete([name])


def test_the_stream_says_what_changes(shown):
    fault = "seen-in-the-stream"
    with httpx.stream("GET", f"{shown.server.url}/_local/stream", timeout=30) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        views = (json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))
        assert next(views)["faults"] == []
        FaultCalls(shown.server).add("throttle", id=fault, service="none")
        assert any([each["id"] for each in view["faults"]] == [fault] for view in views)
    FaultCalls(shown.server).clear()


def test_a_log_by_name_and_nothing_else(shown):
    name = shown.endpoint()
    get = lambda path: httpx.get(f"{shown.server.url}/_local/logs/{path}")  # noqa: E731 - one line is enough
    (endpoint,) = [each for each in shown.server.local("/endpoints")["endpoints"] if each["name"] == name]
    (log,) = endpoint["logs"]
    assert "Model loaded" in get(log).text
    assert len(get(f"{log}?bytes=5").content) == 5
    assert get(f"{log}?bytes=x").status_code == 400
    for other in (
        "endpoints/../state.sqlite",
        "endpoints/%2e%2e/state.sqlite",
        "endpoints//etc/passwd",
        "jobs/../../etc/passwd",
        "state.sqlite",
        "endpoints/missing/x.log",
    ):
        assert get(other).status_code == 404, other
    shown.delete([name])


def test_the_page_may_load_nothing_from_elsewhere_and_is_shown_to_nobody_else(shown):
    url = shown.server.url
    policy = httpx.get(url).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    for headers in (
        {"Host": "rebound.example"},
        {"Origin": "https://stranger.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ):
        for path in ("/", "/_local/overview", "/_local/stream"):
            assert httpx.get(f"{url}{path}", headers=headers).status_code == 403
    for origin, taken in (
        ("https://stranger.example", False),
        ("null", False),
        ("http://localhost:3000", True),
    ):
        put = httpx.put(f"{url}/models/from-a-page", content=b"x", headers={"Origin": origin})
        assert (put.status_code == 200) is taken, origin
    # A browser sends no Origin with a page's requests to where it comes from.
    signed = {"AWSAccessKeyId": "local", "Signature": "x", "Expires": "9999999999"}
    for host, status in (("rebound.example", 403), ("s3.eu-west-1.amazonaws.com", 200), ("localhost", 200)):
        got = httpx.get(f"{url}/models/from-a-page", params=signed, headers={"Host": host})
        assert got.status_code == status, host
    visit = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert httpx.get(url, headers=visit).status_code == 200

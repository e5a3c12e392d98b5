"""A frozen deployment, and one out of its change window: releases wait, the way back does not."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.deploy.packages import Group
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, Rig
from tests.deploy.test_around_a_release import other_config, wait_in_service
from tests.deploy.test_ledger_commands import cli, table
from tests.deploy.topic import Topic
from tests.soak import some_of

pytestmark = AS_IN_PRODUCTION
QUICK = {"poll_seconds": 0.2}


def freeze(rig: Rig, **form: Any) -> None:
    ended = rig.run("freeze", reason="audit", **form)
    assert ended.state == "success", ended


def document(rig: Rig) -> dict[str, Any]:
    key = f"{rig.store}/freezes/{rig.endpoint}.json"
    return json.loads(rig.clients("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())


def shut(now: datetime | None = None) -> dict[str, Any]:
    """A section by which it is closed now, and opens in two hours."""
    opens = (now or datetime.now(UTC)) + timedelta(hours=2)
    closes = opens + timedelta(hours=1)
    return {**QUICK, "windows": [{"opens": f"{opens:%H:%M}", "closes": f"{closes:%H:%M}"}]}


@contextmanager
def once_held(rig: Rig, topic: Topic, act: Callable[[], None]) -> Iterator[list[str]]:
    """While the body runs a release: act once it is held and holds no lock; yields what was told."""
    told: list[str] = []
    failed: list[BaseException] = []

    def wait_and_act() -> None:
        try:
            deadline = time.monotonic() + 120
            while not told or rig.locks():
                assert time.monotonic() < deadline, "the release was not held"
                told.extend(topic.subjects())
                time.sleep(0.1)
            act()
        except BaseException as error:
            failed.append(error)
            rig.clients("s3").delete_object(Bucket=BUCKET, Key=f"{rig.store}/freezes/{rig.endpoint}.json")

    waiting = threading.Thread(target=wait_and_act)
    waiting.start()
    try:
        yield told
    finally:
        waiting.join(150)
    assert not failed, failed


def test_a_frozen_deployment_holds_its_release_until_it_is_thawed(rig: Rig) -> None:
    topic = Topic(rig)
    rig.spec(changes=QUICK, notifications=topic.notifications("held"))
    assert rig.deploy(bias=1).outcome == "released"
    freeze(rig)
    made = rig.made()
    (row,) = table(cli("status").stdout)
    assert row["held"] == "frozen"
    assert cli("status").stderr.count("frozen by") == 1

    def thaw() -> None:
        assert rig.made() == made
        assert "was frozen by" in cli("thaw", rig.name, "--reason", "done", "--by", "bob").stdout

    with once_held(rig, topic, thaw) as told:
        run = rig.deploy(bias=2)
    assert (run.state, run.outcome) == ("success", "released"), run
    assert told == [f"{rig.endpoint}: a release is held"]
    assert run.plan is not None
    (warning,) = [w for w in run.plan["warnings"] if "held" in w]
    assert "frozen by" in warning
    assert warning.endswith(": audit")
    assert rig.predict() == [3.0, 4.0, 5.0]
    assert document(rig)["thawed_by"] == "bob"
    assert topic.subjects() == []
    assert rig.locks() == []


def test_what_was_overtaken_while_it_was_held_is_stale(rig: Rig) -> None:
    topic = Topic(rig)
    rig.spec(changes=QUICK, notifications=topic.notifications("held"))
    assert rig.deploy(bias=1).outcome == "released"
    name = other_config(rig)
    freeze(rig)

    def overtake() -> None:
        rig.sagemaker.update_endpoint(EndpointName=rig.endpoint, EndpointConfigName=name)
        wait_in_service(rig)
        cli("thaw", rig.name)

    with once_held(rig, topic, overtake):
        run = rig.deploy(bias=2)
    assert (run.state, run.outcome) == ("failed", "failed"), run
    assert "hold: the plan is stale: expected" in run.result["reason"]
    assert "start a new run" in run.result["reason"]
    assert rig.describe()["EndpointConfigName"] == name
    assert rig.locks() == []


@pytest.mark.parametrize("status", some_of(("Rejected", "PendingManualApproval"), always=("Rejected",)))
def test_a_package_that_lost_its_approval_while_it_was_held_is_not_released(rig: Rig, status: str) -> None:
    topic, group = Topic(rig), Group(rig)
    rig.spec(
        changes=QUICK,
        notifications=topic.notifications("held"),
        registry={"group": group.name},
        model={"artifact": None, "image": {"framework": "sklearn", "version": "1.2-1"}},
    )
    arn = group.register(rig.artifact(bias=1))
    freeze(rig)

    def take_back() -> None:
        group.set_status(arn, status, "it was trained on the wrong year")
        cli("thaw", rig.name)

    with once_held(rig, topic, take_back):
        run = rig.run()
    assert (run.state, run.outcome) == ("failed", "failed"), run
    assert f"model package {arn} is {status} (it was trained on the wrong year)" in run.result["reason"]
    assert run.tasks["hold"] == "failed"
    assert run.tasks["create_model"] == "upstream_failed"
    assert rig.made() == (set(), set())
    assert rig.locks() == []


def test_out_of_its_window_a_release_waits_no_longer_than_the_spec_says(rig: Rig) -> None:
    assert rig.deploy(bias=1).outcome == "released"
    rig.spec(changes={**shut(), "hold_timeout_seconds": 10})
    made = rig.made()
    run = rig.deploy(bias=2)
    assert (run.state, run.outcome) == ("failed", "failed"), run
    assert "the release was held for 10 s" in run.result["reason"]
    assert "out of its change window: it opens" in run.result["reason"]
    assert run.tasks["create_model"] == "upstream_failed"
    assert rig.made() == made
    (row,) = table(cli("status").stdout)
    assert row["held"] == "closed"


def test_what_changes_nothing_is_not_held(rig: Rig) -> None:
    assert rig.deploy(bias=1).outcome == "released"
    rig.spec(changes=shut())
    assert rig.deploy(bias=1).outcome == "nothing_to_do"
    assert rig.deploy(bias=2, plan_only=True).outcome == "planned"
    freeze(rig)
    assert rig.deploy(bias=1).outcome == "nothing_to_do"


def test_the_way_back_is_open_and_teardown_is_refused(rig: Rig) -> None:
    for bias in (1, 2):
        assert rig.deploy(bias=bias).outcome == "released"
    rig.spec(changes=shut(), retention={"releases": 1})
    freeze(rig, until="2099-01-01T00:00:00+00:00")
    back = rig.run("rollback")
    assert (back.state, back.outcome) == ("success", "released"), back
    assert rig.predict() == [2.0, 3.0, 4.0]
    made = rig.made()
    assert rig.run("sentinel").tasks["housekeeping"] == "skipped"
    gone = rig.run("teardown", confirm=rig.endpoint)
    assert gone.state == "failed"
    assert rig.made() == made
    assert rig.predict() == [2.0, 3.0, 4.0]


def test_a_freeze_says_who_and_why_and_gives_way_to_the_next_one(rig: Rig) -> None:
    assert "expected a later time" in cli(
        "freeze", rig.name, "--reason", "x", "--until", "2020-01-01", code=2
    ).stderr.replace("\n", " ")
    assert "is not frozen" in cli("thaw", rig.name).stdout
    said = cli("freeze", rig.name, "--reason", "[bold]a sale", "--by", "ann", "--until", "2099-01-01T00:00Z")
    assert said.stdout.startswith(f"{rig.key} is frozen by ann since ")
    assert said.stdout.strip().endswith("until 2099-01-01T00:00:00+00:00: [bold]a sale")
    freeze(rig)
    assert document(rig)["reason"] == "audit"
    assert document(rig)["until"] is None
    again = cli("freeze", rig.endpoint, "--reason", "longer")
    assert "this takes the place of: frozen by" in again.stdout
    third = json.loads(cli("freeze", rig.name, "--reason", "still", "--json").stdout)
    assert (third["deployment"], third["freeze"]["reason"], third["replaces"]["reason"]) == (
        rig.key,
        "still",
        "longer",
    )
    assert rig.run("freeze", action="thaw").state == "success"
    assert document(rig)["thawed_at"] is not None
    assert json.loads(cli("thaw", rig.name, "--json").stdout) == {"deployment": rig.key, "thawed": None}
    assert rig.run("freeze").state == "failed"  # without a reason

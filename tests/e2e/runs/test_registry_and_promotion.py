"""Releases that nobody triggers: a package approved in the registry, a release of another environment."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.deploy.packages import Group
from tests.e2e.live import LiveRig, get, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
_IMAGE = {"artifact": None, "image": {"framework": "sklearn", "version": "1.2-1"}}


def ended_runs(rig: LiveRig, kind: str = "asset_triggered") -> list[dict[str, Any]]:
    """The runs of the deploy DAG that were started so and have ended."""
    found = get(rig.stack, f"/dags/{quote(rig.dag_id())}/dagRuns")["dag_runs"]
    return [run for run in found if run["run_type"] == kind and run["state"] in {"success", "failed"}]


def test_an_approval_in_the_registry_releases_and_the_next_environment_follows(
    deployment: Callable[..., LiveRig],
) -> None:
    staging = deployment(
        registry={"group": "to-be-approved", "approval": "manual", "poll_seconds": 0.5},
        model=_IMAGE,
        schedule="@yearly",
    )
    prod = deployment(
        name=staging.name, environment="prod", promotion={"from_environment": "test"}, model=_IMAGE
    )
    # Airflow makes up for the last time that cron has passed: an asset beside it does not keep it from that.
    until(lambda: ended_runs(staging, "scheduled"), "cron has started a run")
    assert "group to-be-approved has no approved model package" in staging.ledger()[0]["failure"]["message"]

    group = Group(staging, "to-be-approved")
    arn = group.register(staging.artifact(bias=1), "PendingManualApproval")
    group.set_status(arn, "Approved")
    (released,) = until(lambda: ended_runs(staging), "the approval is released")
    assert released["state"] == "success", released
    assert staging.predict() == [2.0, 3.0, 4.0]
    assert staging.ledger()[1]["model_package"] == arn

    (promoted,) = until(lambda: ended_runs(prod), "the other environment follows")
    assert promoted["state"] == "success", promoted
    assert prod.predict() == [2.0, 3.0, 4.0]
    (record,) = prod.ledger()
    assert record["promoted_from"] == {"deployment": staging.key, "release": 2}
    assert record["artifact_sha256"] == staging.ledger()[1]["artifact_sha256"]
    assert (len(ended_runs(staging)), len(ended_runs(prod))) == (1, 1)

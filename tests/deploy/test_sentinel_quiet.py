"""What the pipeline itself does is no drift: the sentinel looks after each of its runs, and finds nothing."""

from typing import Any

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, Rig
from tests.deploy.scaler import SECTION
from tests.deploy.watched import Watched

pytestmark = [AS_IN_PRODUCTION, pytest.mark.timeout(1200)]

# In the order of their releases; the first one meets no endpoint.
RELEASES: dict[str, dict[str, Any]] = {
    "staged, to nothing": {"strategy": "staged"},
    "staged": {"strategy": "staged", "watch": {"seconds": 1, "look_seconds": 0.5}},
    "in steps": {"strategy": "staged", "steps": [50], "step": {"least_seconds": 0, "look_seconds": 0.5}},
    "direct": {"strategy": "direct"},
    "guarded": {
        "strategy": "direct",
        "routing": {"type": "all_at_once", "termination_wait_seconds": 1},
        "guard": {"error_rate": 0.5},
    },
    "shadow": {
        "strategy": "shadow", "observe_seconds": 1, "look_seconds": 0.5, "least_requests": 0,
        "guard": {"error_rate": 0.5},
    },
}  # fmt: skip


def test_what_the_pipeline_does_is_no_drift(rig: Rig) -> None:
    watched = Watched(rig)
    watched.is_well()
    for bias, (name, release) in enumerate(RELEASES.items(), start=2):
        watched.spec(release=release)
        assert rig.deploy(bias=bias).outcome == "released", name
        watched.is_well()
    assert rig.deploy("raises", bias=20).outcome == "rolled_back"
    watched.is_well()
    refused = rig.run(artifact=rig.upload(b"no archive", "refused"))
    assert refused.outcome == "refused", refused
    watched.is_well()
    assert rig.run("rollback").outcome == "released"
    watched.is_well()
    assert rig.run("teardown", confirm=rig.endpoint).state == "success"
    watched.is_well()


def test_neither_are_autoscaled_releases(rig: Rig) -> None:
    """Their counts change in between, and their capture is the configuration's."""
    watched = Watched(rig)
    variant = {"instance_type": "ml.m5.large", "autoscaling": SECTION}
    for bias, strategy in ((2, "staged"), (3, "direct")):
        watched.spec(endpoint={"variants": [variant]}, release={"strategy": strategy})
        assert rig.deploy(bias=bias).outcome == "released"
        watched.is_well()
    assert rig.deploy("raises", bias=4).outcome == "rolled_back"
    watched.is_well()
    assert rig.run("rollback").outcome == "released"
    watched.is_well()

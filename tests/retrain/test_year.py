"""Weekly retrainings, releases and housekeeping: what retention keeps stays restorable, the rest goes.

`make year` simulates a year of them; otherwise there are as many weeks as it takes retention to bite twice.
"""

import os

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, Rig
from tests.retrain.rig import Retraining

pytestmark = [AS_IN_PRODUCTION, pytest.mark.timeout(3 * 3600)]

WEEKS = int(os.environ.get("WEEKS", "6"))
KEPT_RELEASES, KEPT_PACKAGES = 2, 3
# In a year there are weeks with poisoned data, and weeks in which training goes wrong.
POISONED, WORSE = 5, 4


@pytest.fixture
def weekly(rig: Rig) -> Retraining:
    made = Retraining(rig)
    made.spec(
        retrain={"data": {"window": 6}},
        retention={"releases": KEPT_RELEASES, "packages": KEPT_PACKAGES},
    )
    made.held_out()
    return made


def stored(rig: Rig, under: str) -> list[str]:
    """Keys in the rig's store."""
    pages = rig.clients("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=BUCKET, Prefix=f"{rig.store}/{under}")
    return [item["Key"] for page in found for item in page.get("Contents", [])]


def test_a_year_of_weekly_retrainings_keeps_to_its_retention(weekly: Retraining) -> None:
    rig = weekly.rig
    answers: dict[int, list[float]] = {}  # what each release answered, by its number in the ledger
    outcomes: list[str] = []
    kept: list[int] = []
    for week in range(1, WEEKS + 1):
        poisoned, worse = week % POISONED == 0, week % WORSE == 0
        name = f"{week:03}.csv"
        # The truth is 1; each week's rows come a little closer to it.
        weekly.data(name, bias=1000.0 if poisoned else 1.0 + 0.5 / week)
        ended = weekly.run(**({"hyperparameters": {"shift": 3.0}} if worse and not poisoned else {}))
        assert ended.outcome is not None, ended
        outcomes.append(ended.outcome)
        if poisoned:
            rig.clients("s3").delete_object(Bucket=BUCKET, Key=f"{rig.name}/data/{name}")
        if ended.outcome == "registered":
            released = rig.run("deploy", model_package=weekly.packages()[-1]["ModelPackageArn"])
            assert released.outcome == "released", released
            answers[released.result["release"]] = rig.predict()
        cleaned = rig.run("sentinel")
        assert cleaned.state == "success", cleaned
        kept = cleaned.result["restorable"]
        check_bounds(weekly, kept)

    expected = [
        "data_refused" if w % POISONED == 0 else "model_refused" if w % WORSE == 0 else "registered"
        for w in range(1, WEEKS + 1)
    ]
    assert outcomes == expected
    assert len(weekly.records()) == WEEKS
    assert kept == sorted(answers, reverse=True)[:KEPT_RELEASES]

    gone = rig.run("rollback", release=min(answers))
    assert gone.state == "failed"
    assert "no longer exists" in gone.result["reason"]
    for number in reversed(kept):
        back = rig.run("rollback", release=number)
        assert back.state == "success", back
        assert rig.predict() == answers[number]


def check_bounds(weekly: Retraining, kept: list[int]) -> None:
    """No more stays than what is kept needs."""
    rig = weekly.rig
    configs, models = rig.made()
    assert len(configs) == len(models) == len(kept) <= KEPT_RELEASES
    packages = weekly.packages()
    assert len(packages) <= KEPT_PACKAGES
    archives = {key.split("/")[-2] for key in stored(rig, "artifacts/") if key.endswith("model.tar.gz")}
    # Besides: the newest candidate, which may have been refused.
    assert len(archives) <= KEPT_PACKAGES + 1
    outputs = [key for key in stored(rig, "jobs/") if key.endswith("model.tar.gz")]
    assert len(outputs) <= KEPT_PACKAGES + 1

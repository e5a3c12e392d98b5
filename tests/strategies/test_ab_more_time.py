"""What *Take more samples* makes of an A/B test: as much time again, or one more test."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from endpoint_deploy.analysis.ab_look import errors_of
from endpoint_deploy.analysis.look import Sides
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.ab_spec import AbTestRelease
from endpoint_deploy.core.stages import StageRecord, TestRecord
from endpoint_deploy.judge.winner import Standing
from endpoint_deploy.operators.stage_test import ByTest
from tests.deploy.rig import REGION

BEGAN = datetime.now(UTC) - timedelta(days=1)


def stage(**standing: Any) -> StageRecord:
    test = TestRecord(since=BEGAN, standing=Standing(**standing).model_dump(mode="json"))
    return StageRecord(
        name="50-percent", percent=50, weights={"old": 0.5, "new": 0.5}, began=BEGAN, asked=BEGAN, test=test
    )


@pytest.fixture
def judge() -> ByTest:
    metric = {"namespace": "Shop", "name": "Converted", "least_difference": 1}
    return ByTest(
        hook=EndpointHook(aws_conn_id="aws_default", region_name=REGION),
        release=AbTestRelease.model_validate({"strategy": "ab_test", "metric": metric}),
        endpoint="shop",
        sides=Sides(candidate={"new": 1.0}, champion={"old": 1.0}),
        analysis=None,
        book="s3://models/stages/shop",
    )


def test_a_test_with_samples_to_come_goes_on_for_as_long_again(judge: ByTest) -> None:
    before = stage(win_looks=(0.2,), stay_looks=(0.2, 0.4))
    after = judge.anew(before)
    assert after.asked is None
    assert after.test
    assert before.test
    assert (after.test.extended, after.test.number, after.test.since) == (1, 1, BEGAN)
    assert after.test.standing == before.test.standing


def test_a_test_whose_samples_are_used_up_begins_anew_with_half_of_the_errors(judge: ByTest) -> None:
    after = judge.anew(stage(win_looks=(0.5, 1.0), stay_looks=(0.5, 1.0)))
    assert after.test
    assert (after.test.extended, after.test.number, after.test.standing) == (0, 2, None)
    assert after.test.since > BEGAN
    assert [errors_of(number) for number in (1, 2, 3)] == [1.0, 0.5, 0.25]


def test_a_test_that_was_never_looked_at_goes_on(judge: ByTest) -> None:
    bare = stage().model_copy(update={"test": None})
    after = judge.anew(bare)
    assert after.test
    assert (after.test.since, after.test.extended) == (BEGAN, 1)

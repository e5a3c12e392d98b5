"""The team's own metric as CloudWatch has it: sums of a side's variants, and what is no use."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config

from endpoint_deploy.analysis.look import Sides
from endpoint_deploy.analysis.success import champion_rate, period_of, success_windows
from endpoint_deploy.core.ab_plan import ChampionRate
from endpoint_deploy.core.ab_spec import SuccessMetric
from endpoint_deploy.judge.measurements import SuccessWindow, Unavailable
from local_stack.sagemaker import make_client

SIDES = Sides(candidate={"new-a": 1.0, "new-b": 3.0}, champion={"old": 1.0})
NOW = datetime.now(UTC).replace(second=30, microsecond=0)
BEGAN = NOW - timedelta(minutes=10)


def metric(**changes: Any) -> SuccessMetric:
    return SuccessMetric.model_validate(
        {"namespace": "Shop", "name": "Converted", "least_difference": 1, "delay_seconds": 0, **changes}
    )


class Publisher:
    """Publishes samples of an endpoint of its own."""

    def __init__(self, cloudwatch: Any) -> None:
        self.cloudwatch = cloudwatch
        self.endpoint = f"e-{uuid.uuid4().hex[:8]}"

    def put(self, variant: str, values: list[float], at: datetime = NOW, **dimensions: str) -> None:
        named = {"EndpointName": self.endpoint, "VariantName": variant, **dimensions}
        datum = {
            "MetricName": "Converted",
            "Dimensions": [{"Name": key, "Value": value} for key, value in named.items()],
            "Timestamp": at,
            "Values": values,
        }
        self.cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])

    def windows(self, its: SuccessMetric | None = None) -> Any:
        return success_windows(
            self.cloudwatch,
            self.endpoint,
            SIDES,
            its or metric(),
            since=BEGAN,
            now=NOW + timedelta(minutes=1),
        )


@pytest.fixture
def team(local_sagemaker: Any) -> Publisher:
    return Publisher(local_sagemaker.client("cloudwatch"))


def test_trials_and_successes_are_summed_over_a_side_s_variants_by_the_minute(team: Publisher) -> None:
    before = NOW - timedelta(minutes=2)
    team.put("old", [1, 0, 0, 1], at=before)
    team.put("new-a", [1, 0, 1], at=before)
    team.put("new-b", [1], at=before)
    team.put("old", [0])
    assert team.windows() == [SuccessWindow(4, 3, 4, 2), SuccessWindow(0, 0, 1, 0)]


def test_what_has_other_dimensions_is_another_metric(team: Publisher) -> None:
    team.put("old", [1, 1])
    team.put("old", [0], Country="de")
    assert team.windows() == [SuccessWindow(0, 0, 2, 2)]
    assert team.windows(metric(dimensions={"Country": "de"})) == [SuccessWindow(0, 0, 1, 0)]


def test_what_came_before_the_test_does_not_count(team: Publisher) -> None:
    team.put("old", [1], at=BEGAN - timedelta(minutes=2))
    assert team.windows() == []


def test_what_is_too_young_is_left_out(team: Publisher) -> None:
    team.put("old", [1])
    assert team.windows(metric(delay_seconds=300)) == []
    assert team.windows(metric(delay_seconds=3600)) == []


@pytest.mark.parametrize("values", [[0, 12.5], [-1, 1], [0.5, 0, 0]])
def test_values_other_than_zero_and_one_are_no_use(team: Publisher, values: list[float]) -> None:
    team.put("old", values)
    found = team.windows()
    assert isinstance(found, Unavailable)
    assert "expected 0 or 1 for each trial" in found.reason
    rate = champion_rate(team.cloudwatch, team.endpoint, ["old"], metric(), now=NOW + timedelta(minutes=1))
    assert isinstance(rate, Unavailable)


def test_the_champion_s_rate_is_that_of_the_last_day(team: Publisher) -> None:
    team.put("old", [1, 0, 0, 0])
    team.put("old", [1, 1], at=NOW - timedelta(hours=20))
    team.put("old", [1] * 50, at=NOW - timedelta(hours=30))
    found = champion_rate(team.cloudwatch, team.endpoint, ["old"], metric(), now=NOW + timedelta(minutes=1))
    assert isinstance(found, ChampionRate)
    assert (found.trials, found.successes) == (6, 3)
    assert found.seconds == pytest.approx(86_400, abs=120)


def test_a_cloudwatch_that_does_not_answer_is_said_and_not_raised(team: Publisher) -> None:
    nobody = make_client("http://127.0.0.1:9", "cloudwatch", Config(retries={"total_max_attempts": 1}))
    team.cloudwatch = nobody
    found = team.windows()
    assert isinstance(found, Unavailable)
    assert found.reason.startswith("CloudWatch did not answer")


@pytest.mark.parametrize(
    ("age", "period", "begins"),
    [
        (timedelta(minutes=3), 60, "12:34:00"),
        (timedelta(hours=7), 300, "12:35:00"),
        (timedelta(days=30), 3600, "13:00:00"),
    ],
)
def test_a_long_test_is_told_apart_by_longer_periods(age: timedelta, period: int, begins: str) -> None:
    """A minute is begun with where it is; of what is longer only whole ones count."""
    since = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)
    found, begin = period_of(since, since + age)
    assert (found, f"{begin:%H:%M:%S}") == (period, begins)

"""How values are spread, for a page to draw: quantiles of numbers, shares of classes."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoint_deploy.analysis.spread import LEVELS, MOST_LABELS, Spread, spread
from endpoint_deploy.judge.measurements import (
    Answers,
    ErrorCounts,
    LatencySamples,
    LatencySeries,
    LatencyWindow,
    Measurement,
    PairedAnswers,
    Point,
    RequestWindow,
    Unavailable,
)


def test_latencies_of_all_windows_are_one_distribution() -> None:
    windows = [LatencyWindow([1.0, 2.0], [10.0]), LatencyWindow([3.0, 4.0, 5.0], [10.0])]
    found = spread(LatencySamples(windows))
    assert found
    assert found.levels == LEVELS
    assert found.candidate == pytest.approx((1.2, 2, 3, 4, 4.8))
    assert found.champion == (10.0,) * len(LEVELS)


def test_points_are_numbers_too() -> None:
    found = spread(LatencySeries([Point(1.0, 5, 2.0, 5), Point(3.0, 5, 2.0, 5)]))
    assert found
    assert (found.candidate[2], found.champion[2]) == (2.0, 2.0)


def test_classes_have_shares_in_the_order_of_their_names() -> None:
    found = spread(PairedAnswers(["b", "b", "a", "c"], ["a", "a", "a", "b"]))
    assert found == Spread(labels=("a", "b", "c"), candidate=(0.25, 0.5, 0.25), champion=(0.75, 0.25, 0.0))


@pytest.mark.parametrize(
    "measured",
    [
        ErrorCounts([RequestWindow(10, 1, 10, 1)]),
        Unavailable("nobody asked"),
        Answers([], []),
        Answers(["a"], []),
        Answers([1.0, inf], [1.0]),
        Answers([(0.1, 0.9)], [(0.2, 0.8)]),
        Answers(["a"], [1.0]),
        Answers([f"text {number}" for number in range(MOST_LABELS + 1)], ["text 1"]),
        LatencySamples([]),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_has_no_spread(measured: Measurement) -> None:
    assert spread(measured) is None


values = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50)


@given(values, values)
def test_quantiles_rise_and_lie_among_the_values(candidate: list[float], champion: list[float]) -> None:
    found = spread(Answers(candidate, champion))
    assert found
    for side, drawn in ((candidate, found.candidate), (champion, found.champion)):
        assert list(drawn) == sorted(drawn)
        assert min(side) <= drawn[0]
        assert drawn[-1] <= max(side)

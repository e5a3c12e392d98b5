"""What holds for all measurements: worse is never better, alike is never guilty, and nothing is by chance."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endpoint_deploy.core.judging import (
    Disagreement,
    ErrorRate,
    JudgePlan,
    LatencyPoints,
    LatencyQuantile,
    PredictionDrift,
)
from endpoint_deploy.judge.judge import judge
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
)
from endpoint_deploy.judge.verdicts import Verdict

ORDER = [Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL]
SEEDS = st.integers(0, 2**32)
quick = settings(max_examples=60)


def verdict(metric: Any, measured: Measurement) -> Verdict:
    judgement = judge(JudgePlan(metrics=(metric,)), {metric.name: measured})
    assert judgement == judge(JudgePlan(metrics=(metric,)), {metric.name: measured})
    return judgement.verdict


def no_better(metric: Any, worse: Measurement, than: Measurement) -> None:
    assert ORDER.index(verdict(metric, worse)) >= ORDER.index(verdict(metric, than))


windows = st.lists(
    st.tuples(st.integers(20, 3000), st.floats(0, 0.2), st.integers(20, 3000), st.floats(0, 0.2)),
    min_size=1,
    max_size=6,
)


def counted(drawn: list[tuple[int, float, int, float]], more: list[int]) -> ErrorCounts:
    return ErrorCounts(
        [
            RequestWindow(n, min(n, int(n * a) + extra), m, int(m * b))
            for (n, a, m, b), extra in zip(drawn, more, strict=True)
        ]
    )


@quick
@given(windows, st.data())
def test_more_errors_in_any_window_are_never_better(drawn: Any, data: st.DataObject) -> None:
    more = data.draw(st.lists(st.integers(0, 300), min_size=len(drawn), max_size=len(drawn)))
    metric = ErrorRate(name="errors", samples=3000)
    no_better(metric, counted(drawn, more), counted(drawn, [0] * len(drawn)))


@quick
@given(SEEDS, st.integers(100, 800), st.integers(100, 800), st.floats(0.7, 1.5), st.floats(1, 2))
def test_latencies_that_grow_are_never_better(
    seed: int, mine: int, theirs: int, worse: float, still: float
) -> None:
    rng = np.random.default_rng(seed)
    candidate, champion = rng.lognormal(3, 0.3, mine) * worse, rng.lognormal(3, 0.3, theirs)
    some = np.where(rng.random(mine) < 0.5, still, 1)
    metric = LatencyQuantile(name="p95", samples=500)

    def measured(values: Any) -> LatencySamples:
        return LatencySamples([LatencyWindow(values, champion)])

    no_better(metric, measured(candidate * still), measured(candidate))
    no_better(metric, measured(candidate * some), measured(candidate))


@quick
@given(SEEDS, st.integers(10, 40), st.floats(0.8, 1.4), st.floats(1, 20))
def test_points_that_all_grow_are_never_better(seed: int, count: int, worse: float, still: float) -> None:
    rng = np.random.default_rng(seed)
    ratios = worse * rng.lognormal(0, 0.1, count)

    def measured(factor: float) -> LatencySeries:
        return LatencySeries([Point(float(50 * each * factor), 500, 50.0, 500) for each in ratios])

    no_better(LatencyPoints(name="p95"), measured(still), measured(1))


@quick
@given(st.integers(100, 2500), st.floats(0, 0.1), st.integers(0, 100))
def test_more_disagreement_is_never_better(count: int, share: float, more: int) -> None:
    some = int(share * count)

    def measured(different: int) -> PairedAnswers:
        different = min(count, different)
        return PairedAnswers(["b"] * different + ["a"] * (count - different), ["a"] * count)

    no_better(Disagreement(name="x"), measured(some + more), measured(some))


@quick
@given(SEEDS, st.integers(100, 2500), st.floats(0, 1), st.floats(0, 1))
def test_a_distribution_moved_further_is_never_better(seed: int, count: int, by: float, more: float) -> None:
    """To one side: moved by all of the reference, distances only grow."""
    values = np.sort(np.random.default_rng(seed).normal(size=count))
    metric = PredictionDrift(name="x", of="numbers")

    def measured(shift: float) -> Answers:
        return Answers(values + shift, values)

    no_better(metric, measured(by + more), measured(by))


@quick
@given(windows, SEEDS)
def test_a_candidate_that_shows_just_what_the_champion_does_never_fails(drawn: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    alike = [RequestWindow(n, int(n * a), n, int(n * a)) for n, a, _, _ in drawn]
    values = rng.pareto(1, 500) + 1
    labels = [str(each) for each in rng.integers(0, 5, 500)]
    shown: list[tuple[Any, Measurement]] = [
        (ErrorRate(name="x"), ErrorCounts(alike)),
        (LatencyQuantile(name="x"), LatencySamples([LatencyWindow(values, values)])),
        (LatencyPoints(name="x"), LatencySeries([Point(v, 500, v, 500) for v in values.tolist()])),
        (Disagreement(name="x"), PairedAnswers(labels, labels)),
        (PredictionDrift(name="x"), Answers(labels, labels)),
        (PredictionDrift(name="x", of="numbers"), Answers(values, values)),
    ]
    for metric, measured in shown:
        assert verdict(metric, measured) is not Verdict.FAIL


@quick
@given(windows)
def test_the_order_of_windows_does_not_matter_to_errors(drawn: Any) -> None:
    nothing = [0] * len(drawn)
    metric = ErrorRate(name="errors", samples=3000)
    forth, back = counted(drawn, nothing), counted(drawn[::-1], nothing)
    first, last = (judge(JudgePlan(metrics=(metric,)), {"errors": each}).metrics[0] for each in (forth, back))
    assert (first.verdict, first.looks) == (last.verdict, last.looks)
    if first.numbers and last.numbers:
        assert first.numbers.worse_than_tolerated == pytest.approx(last.numbers.worse_than_tolerated)

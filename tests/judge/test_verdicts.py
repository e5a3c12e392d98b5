"""Verdicts of single looks: what fails, passes, stays open, or cannot be judged, and in which words."""

from collections.abc import Sequence
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

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
    Unavailable,
)
from endpoint_deploy.judge.verdicts import Judgement, MetricVerdict, Verdict

ERRORS, P95, POINTS = ErrorRate(name="errors"), LatencyQuantile(name="p95"), LatencyPoints(name="p95")


def only(metric: Any, measured: Measurement | None, **more: Any) -> MetricVerdict:
    (verdict,) = judge(
        JudgePlan(metrics=(metric,)), {metric.name: measured} if measured else {}, **more
    ).metrics
    return verdict


def errors(candidate: int, mine: int, champion: int, theirs: int) -> ErrorCounts:
    return ErrorCounts([RequestWindow(candidate, mine, champion, theirs)])


def latencies(seed: int, *, worse: float = 1, count: int = 2500) -> LatencySamples:
    rng = np.random.default_rng(seed)
    mine, theirs = rng.lognormal(4, 0.5, (2, count))
    return LatencySamples([LatencyWindow(list(mine * worse), list(theirs))])


def series(candidate: Sequence[float], champion: Sequence[float], requests: int = 500) -> LatencySeries:
    return LatencySeries([Point(a, requests, b, requests) for a, b in zip(candidate, champion, strict=True)])


def test_kayentas_own_data_fail_in_any_order() -> None:
    """spinnaker/spinnaker issue 6278, its very numbers, that passed."""
    experiment, control = [100.0] * 7 + [1.0] * 3, [1.0] * 10
    for order in (experiment, experiment[::-1], [experiment[3 * n % 10] for n in range(10)]):
        verdict = only(POINTS, series(order, control))
        assert verdict.verdict is Verdict.FAIL
        assert "10 points are 25.12 times the champion's" in verdict.reason


def test_one_point_a_thousand_times_worse_neither_fails_nor_passes() -> None:
    verdict = only(POINTS, series([1000.0] + [1.0] * 29, [1.0] * 30))
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert verdict.exhausted


def test_points_that_resemble_their_neighbours_prove_less() -> None:
    """The same points, in turns and in two runs."""
    noise = np.random.default_rng(5).normal(0, 0.03, 30)
    slow = 1.1 * np.exp(noise + 0.05 * np.array([1, -1] * 15))
    runs = np.concatenate([slow[::2], slow[1::2]])
    p_values = [only(POINTS, series(list(points), [1.0] * 30)).numbers for points in (slow, runs)]
    assert p_values[0] is not None
    assert p_values[1] is not None
    assert p_values[0].effect == pytest.approx(p_values[1].effect)
    assert p_values[1].worse_than_tolerated > 10 * p_values[0].worse_than_tolerated


def test_many_labels_are_no_more_suspicious_than_few() -> None:
    """Of fifty labels some share moves by chance; the test of one, repeated, would fail most of these."""
    metric = PredictionDrift(name="x", tolerated=0, samples=500)
    rng, failed = np.random.default_rng(3), 0
    for _ in range(200):
        mine, theirs = rng.integers(0, 50, (2, 500)).astype(str).tolist()
        failed += only(metric, Answers(mine, theirs)).verdict is Verdict.FAIL
    assert failed <= 20  # 10 are allowed, on average


@pytest.mark.parametrize(
    ("metric", "measured", "expected"),
    [
        (ERRORS, errors(10_000, 100, 10_000, 100), "pass"),
        (ERRORS, errors(10_000, 200, 10_000, 100), "fail"),
        (ERRORS, errors(10_000, 0, 10_000, 0), "pass"),
        (ERRORS, errors(10_000, 3, 10_000, 0), "pass"),
        (ERRORS, errors(300, 3, 300, 3), "inconclusive"),
        (ERRORS, errors(60, 40, 0, 0), "fail"),
        (ERRORS, errors(10_000, 75, 10_000, 50), "inconclusive"),
        (P95, latencies(1), "pass"),
        (P95, latencies(1, worse=1.2), "fail"),
        (P95, latencies(1, count=200), "inconclusive"),
        (P95.model_copy(update={"stop_at": 50.0}), latencies(1, count=200), "fail"),
        (P95, LatencySamples([LatencyWindow([10.0] * 2500, [10.0] * 2500)]), "pass"),
        (P95, LatencySamples([LatencyWindow([12.0] * 2500, [10.0] * 2500)]), "fail"),
        (POINTS, series([1.0] * 30, [1.0] * 30), "pass"),
        (POINTS, series([1.25] * 30, [1.0] * 30), "fail"),
        (POINTS.model_copy(update={"stop_at": 2.0}), series([3.0] * 10, [3.0] * 10), "fail"),
        (Disagreement(name="x"), PairedAnswers(["a"] * 2500, ["a"] * 2500), "pass"),
        (Disagreement(name="x"), PairedAnswers(["a"] * 2500, ["a"] * 2400 + ["b"] * 100), "fail"),
        (
            Disagreement(name="x", of="numbers", relative=0.1),
            PairedAnswers([1.05] * 2500, [1.0] * 2500),
            "pass",
        ),
        (
            Disagreement(name="x", of="numbers", relative=0.01),
            PairedAnswers([1.05] * 2500, [1.0] * 2500),
            "fail",
        ),
        (PredictionDrift(name="x"), Answers(["a", "b"] * 1250, ["a", "b"] * 1250), "pass"),
        (PredictionDrift(name="x"), Answers(["a", "b"] * 1250, ["a", "a", "a", "b"] * 625), "fail"),
        (PredictionDrift(name="x"), Answers(["a", "b"] * 1250, ["a", "c"] * 1250), "fail"),
        (PredictionDrift(name="x", of="numbers"), Answers(list(range(2500)), list(range(2500))), "pass"),
        (PredictionDrift(name="x", of="numbers"), Answers(list(range(2500)), list(range(700, 3200))), "fail"),
    ],
)
def test_one_look_at_all_planned_samples(metric: Any, measured: Measurement, expected: str) -> None:
    verdict = only(metric, measured)
    assert verdict.verdict == expected, verdict.reason
    assert verdict.reason.startswith(metric.name)


@pytest.mark.parametrize(
    ("metric", "measured", "said"),
    [
        (ERRORS, None, "no measurement"),
        (ERRORS, Unavailable("CloudWatch did not answer in 30 s"), "CloudWatch did not answer in 30 s"),
        (ERRORS, latencies(1), "LatencySamples"),
        (ERRORS, errors(10, 11, 100, 0), "fewer requests than errors"),
        (ERRORS, errors(100, -1, 100, 0), "below 0"),
        (P95, LatencySamples([LatencyWindow([nan, 1.0], [1.0, 2.0])]), "1 of 2 latencies of the candidate"),
        (P95, LatencySamples([LatencyWindow([1.0], [0.0, -1.0, inf])]), "3 of 3 latencies of the champion"),
        (POINTS, series([nan] + [1.0] * 29, [1.0] * 30), "1 of 30 points"),
        (Disagreement(name="x"), PairedAnswers(["a"], []), "1 answers of the candidate and 0"),
        (Disagreement(name="x", of="numbers"), PairedAnswers([nan] * 100, [1.0] * 100), "100 of 100 answers"),
        (PredictionDrift(name="x", of="numbers"), Answers(["a"] * 100, [1.0] * 100), "no numbers"),
    ],
)
def test_what_cannot_be_used_is_an_error_that_says_what_was_found(
    metric: Any, measured: Measurement | None, said: str
) -> None:
    verdict = only(metric, measured)
    assert verdict.verdict is Verdict.ERROR
    assert said in verdict.reason
    assert verdict.looks == ()


@pytest.mark.parametrize(
    ("metric", "measured"),
    [
        (ERRORS, ErrorCounts([])),
        (P95, LatencySamples([])),
        (POINTS, LatencySeries([])),
        (Disagreement(name="x"), PairedAnswers([], [])),
        (PredictionDrift(name="x"), Answers([], [])),
    ],
)
def test_no_samples_are_no_traffic_and_an_error_once_no_more_will_come(
    metric: Any, measured: Measurement
) -> None:
    waiting, over = only(metric, measured), only(metric, measured, more=False)
    assert (waiting.verdict, waiting.no_traffic) == (Verdict.INCONCLUSIVE, True)
    assert (over.verdict, over.no_traffic) == (Verdict.ERROR, True)


def test_points_of_too_few_requests_do_not_count() -> None:
    verdict = only(POINTS, series([0.5] * 30, [1.0] * 30, requests=99))
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert "0 of 30 points stand for 100 requests" in verdict.reason
    assert not verdict.no_traffic
    assert only(POINTS, series([0.5] * 30, [1.0] * 30, requests=100)).verdict is Verdict.PASS


def test_the_numbers_are_those_of_the_measurements() -> None:
    verdict = only(ERRORS, errors(10_000, 200, 10_000, 100))
    numbers = verdict.numbers
    assert numbers is not None
    assert (numbers.candidate_samples, numbers.champion_samples) == (10_000, 10_000)
    assert (numbers.candidate, numbers.champion) == (0.02, 0.01)
    assert numbers.low is not None
    assert numbers.high is not None
    assert 1.2 < numbers.low < numbers.effect < numbers.high
    assert numbers.tolerated is not None
    assert numbers.unacceptable is not None
    assert 1 <= numbers.tolerated < numbers.unacceptable
    assert numbers.worse_than_tolerated < (numbers.fail_at or 0) == pytest.approx(0.05)
    assert verdict.false_alarms_spent == pytest.approx(0.05)
    assert "2.000% against the champion's 1.000%" in verdict.reason


def test_a_look_without_new_samples_spends_and_decides_nothing() -> None:
    plan, measured = JudgePlan(metrics=(ERRORS,)), {"errors": errors(2_000, 30, 2_000, 20)}
    first = judge(plan, measured)
    second = judge(plan, measured, first)
    assert second.metrics[0].looks == first.metrics[0].looks == (0.2,)
    assert second.metrics[0].false_alarms_spent == first.metrics[0].false_alarms_spent
    assert (second.look, second.in_a_row) == (2, 2)


def test_a_metric_that_has_passed_stays_passed_unless_it_fails() -> None:
    plan = JudgePlan(metrics=(ERRORS,))
    good = judge(plan, {"errors": errors(6_000, 40, 6_000, 60)})
    open_ = judge(plan, {"errors": errors(7_000, 100, 7_000, 70)}, good)
    assert [good.verdict, open_.verdict] == ["pass", "pass"]
    assert judge(plan, {"errors": errors(7_000, 100, 7_000, 70)}).verdict == "inconclusive"
    assert judge(plan, {"errors": errors(9_000, 300, 9_000, 90)}, open_).verdict == "fail"


def test_a_dry_run_is_judged_and_held_against_nobody() -> None:
    dry = ErrorRate(name="dry", dry_run=True)
    plan = JudgePlan(metrics=(ERRORS, dry))
    bad, good = errors(10_000, 900, 10_000, 100), errors(10_000, 100, 10_000, 100)
    judgement = judge(plan, {"errors": good, "dry": bad})
    assert judgement.verdict is Verdict.PASS
    assert [each.verdict for each in judgement.metrics] == ["pass", "fail"]
    assert plan.false_alarms_each == 0.05
    assert "dry run" in judge(JudgePlan(metrics=(dry,)), {"dry": bad}).reason


def test_a_release_has_the_worst_of_its_verdicts_and_shares_its_false_alarms() -> None:
    plan = JudgePlan(metrics=(ERRORS, P95))
    assert plan.false_alarms_each == 0.025
    good, bad = errors(10_000, 100, 10_000, 100), errors(10_000, 300, 10_000, 100)
    gone = Unavailable("gone")

    def verdict(of: Measurement, latency: Measurement) -> str:
        return judge(plan, {"errors": of, "p95": latency}).verdict

    assert verdict(good, latencies(1)) == "pass"
    assert verdict(good, latencies(1, count=150)) == "inconclusive"
    assert verdict(gone, latencies(1, count=150)) == "error"
    assert verdict(bad, Unavailable("gone")) == "fail"


def test_a_judgement_survives_the_ledger() -> None:
    judgement = judge(JudgePlan(metrics=(ERRORS,)), {"errors": errors(10_000, 200, 10_000, 100)})
    assert Judgement.model_validate_json(judgement.model_dump_json()) == judgement


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ([], "at least 1 item"),
        ([{"kind": "error_rate", "name": "a"}, {"kind": "latency_quantile", "name": "a"}], "each name once"),
        ([{"kind": "error_rate", "name": "a", "tolerated": 2.0}], "less than unacceptable"),
        ([{"kind": "error_rate", "name": "a", "least": 20_000}], "at most samples"),
        ([{"kind": "disagreement", "name": "a", "tolerated": 0.5}], "less than unacceptable"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(metrics: list[Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        JudgePlan.model_validate({"metrics": metrics})

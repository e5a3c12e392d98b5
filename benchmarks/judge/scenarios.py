"""The scenarios of docs/judge.md, in its order."""

from benchmarks.judge.traffic import Series, Shape, Traffic
from benchmarks.judge.trials import Scenario
from endpoint_deploy.core.judging import (
    AnyMetric,
    Disagreement,
    ErrorRate,
    JudgePlan,
    LatencyPoints,
    LatencyQuantile,
    PredictionDrift,
)
from endpoint_deploy.judge.verdicts import Verdict

ERRORS, LATENCIES, ANSWERS, POINTS = 10_000, 2_500, 2_500, 30
DRIFT_OF_TOLERATED = (
    0.12566  # standard deviations that two normal distributions are apart at a distance of 0.05
)
DRIFT_OF_UNACCEPTABLE = 0.37824  # the same for 0.15

_errors = ErrorRate(name="errors")
_p95 = LatencyQuantile(name="p95")
_disagreement = Disagreement(name="disagreement", of="numbers")
_drift = PredictionDrift(name="drift", of="numbers")
_points = LatencyPoints(name="p95")


def _plan(*metrics: AnyMetric) -> JudgePlan:
    return JudgePlan(metrics=metrics)


def _of_release(metric: AnyMetric) -> JudgePlan:
    """One metric, with a quarter of the false alarms, as in a release of four."""
    return JudgePlan(metrics=(metric,), false_alarms=0.0125)


RELEASE = _plan(_errors, _p95, _disagreement, _drift)
TRAFFIC = _plan(_errors, _p95)
_whole = {"errors": ERRORS, "latencies": LATENCIES, "answers": ANSWERS}


def _false_alarm(
    name: str, plan: JudgePlan, source: Traffic | Series, bound: float | None = 0.05
) -> Scenario:
    return Scenario(name, plan, source, Verdict.FAIL, bound, at_most=True, go_on=True)


def _wrong_pass(name: str, plan: JudgePlan, source: Traffic | Series) -> Scenario:
    return Scenario(name, plan, source, Verdict.PASS, 0.05, at_most=True)


def _found(name: str, plan: JudgePlan, source: Traffic | Series, bound: float | None = 0.9) -> Scenario:
    return Scenario(name, plan, source, Verdict.FAIL, bound)


def _good(name: str, plan: JudgePlan, source: Traffic | Series, bound: float | None = 0.9) -> Scenario:
    return Scenario(name, plan, source, Verdict.PASS, bound)


_heavy = Shape(pareto=1.5)

SECTIONS: dict[str, tuple[Scenario, ...]] = {
    "Releases that fail although nothing is worse than tolerated": (
        _false_alarm("identical variants, four metrics, 5 looks", RELEASE, Traffic(**_whole, differ=0.005)),
        _false_alarm(
            "all four metrics exactly as bad as tolerated, 10 looks",
            RELEASE,
            Traffic(
                **_whole,
                looks=10,
                worse_rate=1.2,
                worse_latency=1.05,
                differ=0.01,
                shifted=DRIFT_OF_TOLERATED,
            ),
        ),
        _false_alarm(
            "as bad as tolerated, 5 % of the traffic to the candidate",
            TRAFFIC,
            Traffic(errors=5_300, latencies=1_300, split=19, worse_rate=1.2, worse_latency=1.05),
        ),
        _false_alarm(
            "as bad as tolerated, 5 % rising to 50 %, while load and errors of both swing by 3",
            TRAFFIC,
            Traffic(
                errors=7_000, latencies=1_800, split=19, ramp=True, tide=3, worse_rate=1.2, worse_latency=1.05
            ),
        ),
        _false_alarm(
            "as bad as tolerated, Pareto latencies without a variance",
            TRAFFIC,
            Traffic(errors=ERRORS, latencies=LATENCIES, shape=_heavy, worse_rate=1.2, worse_latency=1.05),
        ),
        _false_alarm(
            "as bad as tolerated, 100 samples of each",
            _plan(_errors.model_copy(update={"samples": 100}), _p95.model_copy(update={"samples": 100})),
            Traffic(errors=100, latencies=100, looks=2, worse_rate=1.2, worse_latency=1.05),
        ),
        _false_alarm(
            "errors at 0.01 %, doubled, which is negligible",
            _plan(_errors),
            Traffic(errors=ERRORS, rate=1e-4, worse_rate=2),
        ),
        _false_alarm(
            "points of CloudWatch, as bad as tolerated, 3 looks", _plan(_points), Series(worse=1.05)
        ),
        _false_alarm(
            "points, as bad as tolerated, 200 requests a minute against 3,800",
            _plan(_points),
            Series(worse=1.05, champion_requests=3_800),
        ),
        _false_alarm(
            "points, as bad as tolerated, neighbours correlated by 0.3",
            _plan(_points),
            Series(worse=1.05, sticky=0.3),
        ),
        _false_alarm("points, identical, one a thousand times worse", _plan(_points), Series(outliers=1)),
    ),
    "Candidates that must not pass, and are taken back": (
        _found("errors 1 % to 2 %, in a release of four metrics", RELEASE, Traffic(**_whole, worse_rate=2)),
        _found(
            "p95 20 % higher, in a release of four metrics", RELEASE, Traffic(**_whole, worse_latency=1.2)
        ),
        _found(
            "p95 20 % higher, p50 as it was",
            _of_release(_p95),
            Traffic(latencies=LATENCIES, worse_latency=1.2, slow_tail=True),
        ),
        _found(
            "errors 1 % to 2 %, 5 % of the traffic: 5,300 requests",
            _of_release(_errors),
            Traffic(errors=5_300, split=19, worse_rate=2),
        ),
        _found(
            "p95 20 % higher, 5 % of the traffic: 1,400 requests",
            _of_release(_p95),
            Traffic(latencies=1_400, split=19, worse_latency=1.2),
        ),
        _found("p95 20 % higher, by 30 points", _of_release(_points), Series(worse=1.2)),
        _found(
            "3 % of the answers differ", _of_release(_disagreement), Traffic(answers=ANSWERS, differ=0.03)
        ),
        _found(
            "the distribution of predictions moved by 0.15",
            _of_release(_drift),
            Traffic(answers=ANSWERS, shifted=DRIFT_OF_UNACCEPTABLE),
        ),
        _found(
            "Kayenta's failure: 7 of 10 points 100 times worse, 10 points in all",
            _plan(_points.model_copy(update={"samples": 10})),
            Series(points=10, looks=1, bad=7),
        ),
        _found("the same, 30 points, four metrics' share", _of_release(_points), Series(bad=7)),
        _found("half of all requests fail", RELEASE, Traffic(**_whole, worse_rate=50)),
    ),
    "Unacceptable candidates that pass": (
        _wrong_pass("errors 1 % to 2 %", _plan(_errors), Traffic(errors=ERRORS, worse_rate=2)),
        _wrong_pass("p95 20 % higher", _plan(_p95), Traffic(latencies=LATENCIES, worse_latency=1.2)),
        _wrong_pass(
            "errors 1 % to 2 %, 300 samples", _plan(_errors), Traffic(errors=300, looks=3, worse_rate=2)
        ),
        _wrong_pass(
            "p95 20 % higher, 300 samples", _plan(_p95), Traffic(latencies=300, looks=3, worse_latency=1.2)
        ),
        _wrong_pass("p95 20 % higher, by 30 points", _plan(_points), Series(worse=1.2)),
        _wrong_pass(
            "Kayenta's failure",
            _plan(_points.model_copy(update={"samples": 10})),
            Series(points=10, looks=1, bad=7),
        ),
    ),
    "Good candidates that pass": (
        _good("identical variants, four metrics", RELEASE, Traffic(**_whole)),
        _good("no errors at all, 10,000 requests", _plan(_errors), Traffic(errors=ERRORS, rate=0)),
        _good("errors at 0.01 %", _plan(_errors), Traffic(errors=ERRORS, rate=1e-4)),
        _good("points, identical", _plan(_points), Series()),
        _good(
            "one point of 30 a thousand times worse (a person is asked)",
            _plan(_points),
            Series(outliers=1),
            None,
        ),
    ),
    "Not claimed": (
        _false_alarm(
            "points, as bad as tolerated, neighbours correlated by 0.9",
            _plan(_points),
            Series(worse=1.05, sticky=0.9),
            None,
        ),
        _false_alarm(
            "identical, bursts of errors that hit one side by chance in 5 of 100 windows",
            _plan(_errors),
            Traffic(errors=ERRORS, bursts=0.05),
            None,
        ),
        _false_alarm(
            "identical, neighbouring requests' latencies correlated by 0.9 within a side",
            _plan(_p95),
            Traffic(latencies=LATENCIES, sticky=0.9, looks=5),
            None,
        ),
        _found(
            "p95 20 % higher, latencies' p95 8 times their p50",
            _of_release(_p95),
            Traffic(latencies=LATENCIES, worse_latency=1.2, shape=Shape(sigma=1.264)),
            None,
        ),
    ),
}

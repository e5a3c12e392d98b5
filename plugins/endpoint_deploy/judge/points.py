"""Latency statistics of CloudWatch, a point a period.

Candidate and champion are compared within each period, by the logarithm of their ratio, so that a busy hour
is busy for both. The mean of the logarithms is tested by Student's t; where neighbouring periods are alike
they count as fewer, by their lag-1 correlation. Gross worsening ends at once, by its size. Ranks are not used
on purpose: seven points of ten that are a hundred times worse leave ranks a way to call it chance, and
Kayenta's judge passed them (spinnaker/spinnaker issue 6278).
"""

from typing import Final

import numpy as np
from scipy.special import stdtr, stdtrit

from endpoint_deploy.core.judging import LatencyPoints
from endpoint_deploy.judge.evidence import Evidence, TooFew, UnusableError
from endpoint_deploy.judge.measurements import LatencySeries
from endpoint_deploy.judge.tails import Floats

_ANY: Final = 100.0  # the logarithm of a ratio that might as well be any


def points_evidence(metric: LatencyPoints, measured: LatencySeries) -> Evidence | TooFew:
    """Raises UnusableError for what cannot be a latency."""
    used = [
        point
        for point in measured.points
        if min(point.candidate_requests, point.champion_requests) >= metric.least_requests
    ]
    values = np.array([(point.candidate, point.champion) for point in used], dtype=np.float64).reshape(-1, 2)
    if wrong := int((~(np.isfinite(values) & (values > 0))).any(axis=1).sum()):
        raise UnusableError(f"found {wrong} of {len(used)} points with a latency that is no positive number")
    stop = None
    if len(used) < metric.least:
        return _too_few(metric, measured, len(used))
    average = float(values[:, 0].mean())
    if metric.stop_at is not None and average > metric.stop_at:
        stop = f"points are {average:.4g} on average, above {metric.stop_at:g}, where it ends at once"
    mean, error, freedom = _mean(np.log(values[:, 0] / values[:, 1]))
    if mean > np.log(metric.stop_at_ratio):
        stop = (
            f"{len(used)} points are {np.exp(mean):.4g} times the champion's in the geometric mean, "
            f"more than {metric.stop_at_ratio:g} times, where it ends at once"
        )

    def interval(tail: float) -> tuple[float, float]:
        reach = min(_ANY, float(-stdtrit(freedom, tail)) * error)
        return float(np.exp(mean - reach)), float(np.exp(mean + reach))

    return Evidence(
        candidate_samples=len(used),
        champion_samples=len(used),
        planned=len(used),
        candidate=float(np.exp(np.log(values[:, 0]).mean())),
        champion=float(np.exp(np.log(values[:, 1]).mean())),
        effect=float(np.exp(mean)),
        worse_than_tolerated=_below(float(np.log(metric.tolerated)) - mean, error, freedom),
        better_than_unacceptable=_below(mean - float(np.log(metric.unacceptable)), error, freedom),
        interval=interval,
        stop=stop,
    )


def _mean(values: Floats) -> tuple[float, float, float]:
    """Mean, its standard error, degrees of freedom."""
    count = len(values)
    centred = values - values.mean()
    squares = float(centred @ centred)
    if not squares:
        return float(values.mean()), 0.0, count - 1.0
    lag = float(centred[1:] @ centred[:-1]) / squares
    # What is found is too low by about (1 + 4 lag) / count (Kendall, Biometrika 1954). Half its standard
    # error more: points wrongly taken for independent do harm. Alternating ones earn nothing.
    lag = min(0.9, max(0.0, lag + (1 + 4 * lag) / count + 0.5 / count**0.5))
    independent = max(2.0, count * (1 - lag) / (1 + lag))
    # E[squares] is variance * (count - count / independent): points that are alike lie close to their mean.
    return float(values.mean()), float(np.sqrt(squares / count / (independent - 1))), independent - 1


def _below(distance: float, error: float, freedom: float) -> float:
    """The p-value of a distance that should be negative if the proof is there."""
    if not error:
        return 0.0 if distance < 0 else 1.0
    return float(stdtr(freedom, distance / error))


def _too_few(metric: LatencyPoints, measured: LatencySeries, used: int) -> TooFew:
    return TooFew(
        f"{used} of {len(measured.points)} points stand for {metric.least_requests} requests or more of each "
        f"side, expected at least {metric.least} such points: ask for longer periods, or replay requests",
        *(
            sum(getattr(point, f"{side}_requests") > 0 for point in measured.points)
            for side in ("candidate", "champion")
        ),
    )

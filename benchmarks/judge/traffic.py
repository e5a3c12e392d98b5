"""Simulated measurements: what both sides would have shown, look after look."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

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

Floats = NDArray[np.float64]
Looks = Iterator[Mapping[str, Measurement]]


@dataclass(frozen=True)
class Shape:
    """How latencies are distributed: lognormal of this sigma, or Pareto of this exponent."""

    sigma: float = 0.5
    pareto: float | None = None

    def draw(self, rng: np.random.Generator, count: int) -> Floats:
        if self.pareto:
            return np.asarray(20 * (1 + rng.pareto(self.pareto, count)))
        return rng.lognormal(np.log(50), self.sigma, count)


@dataclass(frozen=True)
class Traffic:
    """A release's requests: counts of the whole comparison, spread evenly over its looks.

    worse_*: the candidate's value by the champion's; slow_tail: only what is beyond p90 gets slower; split:
    the champion's requests for each of the candidate's; ramp: it falls to 1 meanwhile, as traffic is shifted;
    tide: load and errors of both sides swing by this factor over the comparison; bursts: in how many windows
    of a hundred a side of its own has ten times the errors; sticky: autocorrelation of single requests'
    latencies, of each side on its own.
    """

    errors: int = 0
    latencies: int = 0
    answers: int = 0
    looks: int = 5
    rate: float = 0.01
    worse_rate: float = 1.0
    shape: Shape = field(default_factory=Shape)
    worse_latency: float = 1.0
    slow_tail: bool = False
    split: float = 1.0
    ramp: bool = False
    tide: float = 1.0
    bursts: float = 0.0
    sticky: float = 0.0
    differ: float = 0.0
    shifted: float = 0.0

    def run(self, rng: np.random.Generator) -> Looks:
        """All measurements so far, at each look."""
        windows: list[RequestWindow] = []
        latencies: list[LatencyWindow] = []
        answers = self._answers(rng)
        for look in range(1, self.looks + 1):
            now = (look - 0.5) / self.looks
            split = self.split ** (1 - now) if self.ramp else self.split
            tide = self.tide ** np.sin(2 * np.pi * now)
            windows.append(self._requests(rng, split, float(tide)))
            latencies.append(self._latencies(rng, split, float(tide)))
            so_far = self.answers * look // self.looks
            yield {
                "errors": ErrorCounts(windows),
                "p95": LatencySamples(latencies),
                "disagreement": PairedAnswers(*(side[:so_far] for side in answers[:2])),
                "drift": Answers(*(side[:so_far] for side in answers[2:])),
            }

    def _requests(self, rng: np.random.Generator, split: float, tide: float) -> RequestWindow:
        mine = self.errors // self.looks
        theirs = round(mine * split)
        burst = np.where(rng.random(2) < self.bursts, 10, 1)
        candidate, champion = np.minimum(1, self.rate * tide * burst * [self.worse_rate, 1])
        return RequestWindow(
            mine, int(rng.binomial(mine, candidate)), theirs, int(rng.binomial(theirs, champion))
        )

    def _latencies(self, rng: np.random.Generator, split: float, tide: float) -> LatencyWindow:
        mine = self.latencies // self.looks
        candidate, champion = (self._side(rng, count) for count in (mine, round(mine * split)))
        worse = np.full(len(candidate), self.worse_latency)
        if self.slow_tail:
            worse[candidate < np.exp(np.log(50) + 1.2816 * self.shape.sigma)] = 1
        return LatencyWindow(candidate * worse * tide, champion * tide)

    def _side(self, rng: np.random.Generator, count: int) -> Floats:
        values = self.shape.draw(rng, count)
        if not self.sticky:
            return values
        return np.exp(np.log(50) + self.shape.sigma * autoregressive(rng, count, self.sticky))

    def _answers(self, rng: np.random.Generator) -> tuple[Floats, Floats, Floats, Floats]:
        asked = rng.normal(size=self.answers)
        answered = np.where(rng.random(self.answers) < self.differ, asked + 1, asked)
        return answered, asked, rng.normal(self.shifted, 1, self.answers), rng.normal(size=self.answers)


def autoregressive(rng: np.random.Generator, count: int, correlation: float) -> Floats:
    """Standard normal values, each correlated with the one before."""
    values = rng.normal(size=count)
    fresh = np.sqrt(1 - correlation**2)
    for last, this in pairwise(range(count)):
        values[this] = correlation * values[last] + fresh * values[this]
    return values


@dataclass(frozen=True)
class Series:
    """Points as CloudWatch gives them: the p95 of each minute's requests of each side.

    bad: that many points of ten are a hundred times worse; outliers: that many points of all are a thousand
    times worse; sticky: autocorrelation of both sides' points, each on its own, beside their noise.
    """

    points: int = 30
    requests: int = 200
    looks: int = 3
    worse: float = 1.0
    tide: float = 1.0
    bad: int = 0
    outliers: int = 0
    sticky: float = 0.0
    champion_requests: int | None = None

    def run(self, rng: np.random.Generator) -> Looks:
        """All points so far, at each look."""
        tide = self.tide ** np.sin(np.linspace(0, 2 * np.pi, self.points))
        mine, theirs = (
            tide * self._side(rng, count)
            for count in (self.requests, self.champion_requests or self.requests)
        )
        mine = mine * self.worse
        for start in range(0, self.points, 10):
            mine[start + rng.permutation(min(10, self.points - start))[: self.bad]] *= 100
        mine[rng.permutation(self.points)[: self.outliers]] *= 1000
        points = [
            Point(float(a), self.requests, float(b), self.champion_requests or self.requests)
            for a, b in zip(mine, theirs, strict=True)
        ]
        for look in range(1, self.looks + 1):
            yield {"p95": LatencySeries(points[: self.points * look // self.looks])}

    def _side(self, rng: np.random.Generator, requests: int) -> Floats:
        values = np.quantile(rng.lognormal(np.log(50), 0.5, (self.points, requests)), 0.95, axis=1)
        if self.sticky:
            values = values * np.exp(0.1 * autoregressive(rng, self.points, self.sticky))
        return np.asarray(values)

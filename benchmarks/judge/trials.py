"""Run a scenario many times, and count what the judge said."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks.judge.traffic import Series, Traffic
from endpoint_deploy.core.judging import JudgePlan
from endpoint_deploy.judge.judge import judge
from endpoint_deploy.judge.verdicts import Judgement, Verdict

SEED = 6278
TRIALS = 2_000


@dataclass(frozen=True)
class Scenario:
    """What is simulated, what the judge is to make of it, and how often.

    counts: the verdict that is counted; go_on: look on after a pass, as nobody would, so that every look may
    err; bound None: shown, and not claimed.
    """

    name: str
    plan: JudgePlan
    source: Traffic | Series
    counts: Literal[Verdict.PASS, Verdict.FAIL]
    bound: float | None
    at_most: bool = False
    go_on: bool = False

    def met(self, found: float) -> bool | None:
        """Whether the bound is met; None where there is none."""
        if self.bound is None:
            return None
        return found <= self.bound if self.at_most else found >= self.bound


@dataclass(frozen=True)
class Figures:
    """How many of the trials ended how; share: of the planned samples, used on average."""

    trials: int
    passed: int
    failed: int
    inconclusive: int
    share: float

    def of(self, verdict: Verdict) -> float:
        """The share of trials that ended so."""
        return (self.passed if verdict is Verdict.PASS else self.failed) / self.trials


def trial(scenario: Scenario, number: int) -> tuple[Verdict, float]:
    """The verdict of one simulated release, and the share of the planned samples that it took."""
    rng = np.random.default_rng((SEED, number))
    judgement: Judgement | None = None
    for measured in scenario.source.run(rng):
        judgement = judge(scenario.plan, measured, judgement)
        over = {Verdict.FAIL} if scenario.go_on else {Verdict.FAIL, Verdict.PASS}
        if judgement.verdict in over:
            break
    assert judgement is not None  # noqa: S101 - every source has a look
    return judgement.verdict, max((each.looks[-1] for each in judgement.metrics if each.looks), default=0.0)


def run(scenario: Scenario, trials: int = TRIALS) -> Figures:
    """Trials are seeded by their numbers: the same for every run and every scenario."""
    return _figures([trial(scenario, number) for number in range(trials)])


def run_all(scenarios: Sequence[Scenario], trials: int = TRIALS) -> Iterator[Figures]:
    """All scenarios, in order, on all cores."""
    with ProcessPoolExecutor() as pool:
        yield from pool.map(run, scenarios, [trials] * len(scenarios))


def _figures(ends: Sequence[tuple[Verdict, float]]) -> Figures:
    counted = Counter(verdict for verdict, _ in ends)
    passed, failed = counted[Verdict.PASS], counted[Verdict.FAIL]
    undecided = len(ends) - passed - failed
    return Figures(len(ends), passed, failed, undecided, float(np.mean([share for _, share in ends])))

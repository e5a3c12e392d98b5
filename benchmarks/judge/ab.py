"""A/B tests simulated: how often which side is named, and of how many samples."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from benchmarks.judge.trials import SEED
from endpoint_deploy.core.ab_samples import samples_planned, trials_planned
from endpoint_deploy.core.ab_spec import SuccessMetric
from endpoint_deploy.judge.measurements import SuccessWindow
from endpoint_deploy.judge.winner import Named, Standing, look_at


def metric(**changes: object) -> SuccessMetric:
    """A metric of the simulated team's."""
    return SuccessMetric.model_validate(
        {"namespace": "Shop", "name": "Converted", "least_difference": 2.0, **changes}
    )


@dataclass(frozen=True)
class AbScenario:
    """What is simulated. gain: the candidate's, in points; looks: evenly over the samples that are there.

    sampled: of the planned samples, how many come; swing: the rate's factor from trough to peak, over two
    periods of the test; counts, bound: who is named in at most, or at least, which share of the tests.
    """

    name: str
    gain: float
    counts: Named
    bound: float | None
    at_most: bool = False
    metric: SuccessMetric = field(default_factory=metric)
    champion: float = 0.10
    split_percent: int = 50
    windows: int = 60
    looks: int = 40
    sampled: float = 1.0
    swing: float = 1.0

    def met(self, found: float) -> bool | None:
        """Whether the bound is met; None where there is none."""
        if self.bound is None:
            return None
        return found <= self.bound if self.at_most else found >= self.bound


@dataclass(frozen=True)
class AbFigures:
    """How many tests ended how; share: of the planned samples, used on average."""

    tests: int
    ends: dict[Named, int]
    share: float

    def of(self, named: Named) -> float:
        """The share of the tests that named this side."""
        return self.ends[named] / self.tests


def simulate(scenario: AbScenario, number: int) -> Standing:
    """One test: look after look until a winner is named, or the samples are used up."""
    rng = np.random.default_rng((SEED, number))
    its = scenario.metric
    planned = samples_planned(its, scenario.champion)
    trials = trials_planned(planned, scenario.split_percent) * scenario.sampled
    sizes = rng.multinomial(round(trials), np.full(scenario.windows, 1 / scenario.windows))
    candidates = rng.binomial(sizes, scenario.split_percent / 100)
    turns = np.sin(np.linspace(0, 4 * np.pi, scenario.windows, endpoint=False))
    rates = scenario.champion * (1 + (scenario.swing - 1) / (scenario.swing + 1) * turns)
    sign = 1 if its.better == "higher" else -1
    wins = rng.binomial(candidates, np.clip(rates + sign * scenario.gain / 100, 0, 1))
    others = rng.binomial(sizes - candidates, rates)
    windows = [
        SuccessWindow(*map(int, each))
        for each in zip(candidates, wins, sizes - candidates, others, strict=True)
    ]
    standing: Standing | None = None
    for end in np.linspace(0, scenario.windows, scenario.looks + 1)[1:]:
        standing = look_at(its, windows[: round(end)], standing)
        if standing.winner is not Named.NOBODY or standing.exhausted:
            break
    assert standing is not None  # noqa: S101 - there is a look
    return standing


def run(scenario: AbScenario, trials: int) -> AbFigures:
    """Tests are seeded by their numbers: the same for every run and every scenario."""
    ended = [simulate(scenario, number) for number in range(trials)]
    counted = Counter(each.winner for each in ended)
    ends = {named: counted[named] for named in Named}
    return AbFigures(trials, ends, float(np.mean([each.share for each in ended])))


def run_all(scenarios: Sequence[AbScenario], trials: int) -> Iterator[AbFigures]:
    """All scenarios, in order, on all cores."""
    with ProcessPoolExecutor() as pool:
        yield from pool.map(run, scenarios, [trials] * len(scenarios))


def _false(name: str, gain: float = 0.0, **changes: object) -> AbScenario:
    return AbScenario(name, gain, Named.CANDIDATE, 0.05, at_most=True, **changes)  # type: ignore[arg-type]


def _lost(name: str, gain: float = 2.0, **changes: object) -> AbScenario:
    return AbScenario(name, gain, Named.CHAMPION, 0.05, at_most=True, **changes)  # type: ignore[arg-type]


def _found(
    name: str, gain: float, counts: Named, bound: float | None = 0.95, **changes: object
) -> AbScenario:
    return AbScenario(name, gain, counts, bound, **changes)  # type: ignore[arg-type]


_lower = metric(better="lower")
_small = metric(least_difference=0.5)

AB_SECTIONS: dict[str, tuple[AbScenario, ...]] = {
    "Candidates that are no better, and win": (
        _false("identical, 10 %, 2 points wanted"),
        _false("identical, one look at the end", looks=1),
        _false("identical, 10 % of the traffic to the candidate", split_percent=10),
        _false("identical, few: 1 %, 0.5 points wanted", champion=0.01, metric=_small),
        _false("identical, 50 %, five points wanted", champion=0.5, metric=metric(least_difference=5)),
        _false("identical, the rate swings by 4", swing=4.0),
        _false("identical, a lower rate is better", metric=_lower),
        _false(
            "identical, three samples a window", metric=metric(least_difference=10), windows=120, looks=40
        ),
        _false("a point worse", gain=-1.0),
    ),
    "Candidates that are better by least_difference, and lose": (
        _lost("10 % to 12 %"),
        _lost("10 % to 12 %, 10 % of the traffic", split_percent=10),
        _lost("1 % to 1.5 %", gain=0.5, champion=0.01, metric=_small),
        _lost("10 % to 8 %, where lower is better", metric=_lower),
        _lost("10 % to 12 %, the rate swings by 4", swing=4.0),
    ),
    "Candidates that are better, and win": (
        _found("10 % to 12 %", 2.0, Named.CANDIDATE, 0.90),
        _found("10 % to 14 %, twice what is wanted", 4.0, Named.CANDIDATE),
    ),
    "Candidates that are no better: the champion is named": (
        _found("identical", 0.0, Named.CHAMPION, 0.90),
        _found("a point worse", -1.0, Named.CHAMPION),
        _found("10 % to 5 %", -5.0, Named.CHAMPION),
        _found("identical, 10 % of the traffic", 0.0, Named.CHAMPION, 0.90, split_percent=10),
    ),
    "Not claimed": (
        _found("half of what is wanted: 10 % to 11 %", 1.0, Named.CANDIDATE, None),
        _found("10 % to 12 %, a quarter of the samples", 2.0, Named.CANDIDATE, None, sampled=0.25),
    ),
}

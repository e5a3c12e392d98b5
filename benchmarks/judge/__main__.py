"""Simulate, hold the judge to its bounds, write it down: `python -m benchmarks.judge`, or `make judge`."""

import argparse
import os
import sys
from pathlib import Path

# A process a core: threads within each would only be in each other's way. Before NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from benchmarks.judge.ab import AB_SECTIONS, AbScenario
from benchmarks.judge.ab import run_all as run_all_ab
from benchmarks.judge.ab_page import AB_PAGE, said
from benchmarks.judge.ab_page import write as write_ab
from benchmarks.judge.page import PAGE, found, write
from benchmarks.judge.scenarios import SECTIONS
from benchmarks.judge.trials import TRIALS, run_all


def main() -> int:
    """Exit status 1 when a bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judge", description=__doc__)
    parser.add_argument("--trials", type=int, default=TRIALS, help="of each scenario (default: %(default)s)")
    parser.add_argument(
        "--page", type=Path, default=PAGE, help="written between its marks (default: %(default)s)"
    )
    parser.add_argument(
        "--ab-page", type=Path, default=AB_PAGE, help="the same for A/B tests (default: %(default)s)"
    )
    asked = parser.parse_args()
    scenarios = [each for section in SECTIONS.values() for each in section]
    results = []
    for scenario, figures in zip(scenarios, run_all(scenarios, asked.trials), strict=True):
        results.append((scenario, figures))
        print(f"{scenario.name}: {scenario.counts} {found(scenario, figures)}", flush=True)
    left = iter(results)
    write({title: [next(left) for _ in section] for title, section in SECTIONS.items()}, asked.page)
    print(f"written: {asked.page}")
    missed = [scenario for scenario, figures in results if scenario.met(figures.of(scenario.counts)) is False]
    missed_tests = _ab_tests(asked.trials, asked.ab_page)
    return 1 if missed or missed_tests else 0


def _ab_tests(trials: int, page: Path) -> list[AbScenario]:
    """The scenarios whose bound is missed."""
    scenarios = [each for section in AB_SECTIONS.values() for each in section]
    results = []
    for scenario, figures in zip(scenarios, run_all_ab(scenarios, trials), strict=True):
        results.append((scenario, figures))
        print(f"A/B test, {scenario.name}: {scenario.counts} {said(scenario, figures)}", flush=True)
    left = iter(results)
    write_ab({title: [next(left) for _ in section] for title, section in AB_SECTIONS.items()}, page)
    print(f"written: {page}")
    return [scenario for scenario, figures in results if scenario.met(figures.of(scenario.counts)) is False]


if __name__ == "__main__":
    sys.exit(main())

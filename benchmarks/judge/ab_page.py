"""The figures of A/B tests as tables of docs/ab-test.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.judge.ab import AbFigures, AbScenario
from benchmarks.judge.page import PAGE, held, replaced, table
from endpoint_deploy.judge.winner import Named

AB_PAGE = PAGE.with_name("ab-test.md")

Section = Sequence[tuple[AbScenario, AbFigures]]


def write(sections: Mapping[str, Section], page: Path = AB_PAGE) -> None:
    """Put the tables in place of those that are there."""
    replaced(page, "\n".join(_table(title, section) for title, section in sections.items()))


def said(scenario: AbScenario, figures: AbFigures) -> str:
    """The figure that is held to the bound, and whether it keeps it."""
    share = figures.of(scenario.counts)
    return held(share, scenario.met(share))


def _table(title: str, section: Section) -> str:
    ends = ("Candidate wins", "Champion wins", "Nobody", "Of the samples used")
    return table(title, ends, [_row(scenario, figures) for scenario, figures in section])


def _row(scenario: AbScenario, figures: AbFigures) -> str:
    ended = (Named.CANDIDATE, Named.CHAMPION, Named.NOBODY)
    shares = " | ".join(f"{figures.of(each):.1%}" for each in ended)
    cells = (scenario.name, _bound(scenario), said(scenario, figures), shares, f"{figures.share:.0%}")
    return f"| {' | '.join(cells)} |"


def _bound(scenario: AbScenario) -> str:
    if scenario.bound is None:
        return f"none ({scenario.counts} wins)"
    return f"{scenario.counts} wins in {'at most' if scenario.at_most else 'at least'} {scenario.bound:.0%}"

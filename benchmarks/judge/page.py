"""The figures as tables of docs/judge.md, between two marks."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.judge.trials import Figures, Scenario
from endpoint_deploy.judge.verdicts import Verdict

PAGE = Path(__file__).resolve().parents[2] / "docs" / "judge.md"
_BEGIN, _END = "<!-- written by `make judge` -->", "<!-- end of what `make judge` writes -->"

Section = Sequence[tuple[Scenario, Figures]]


def write(sections: Mapping[str, Section], page: Path) -> None:
    """Put the tables in place of those that are there."""
    replaced(page, tables(sections))


def replaced(page: Path, content: str) -> None:
    """Write this between a page's marks."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    page.write_text(f"{before}{_BEGIN}\n\n{content}\n{_END}{after}", encoding="utf-8")


def tables(sections: Mapping[str, Section]) -> str:
    """A heading and a table for each section."""
    return "\n".join(_table(title, section) for title, section in sections.items())


def _table(title: str, section: Section) -> str:
    ends = ("Passed", "Failed", "Undecided", "Of the planned samples used")
    return table(title, ends, [_row(scenario, figures) for scenario, figures in section])


def table(title: str, ends: Sequence[str], rows: Sequence[str]) -> str:
    """A heading and a table; each row has a scenario, its bound, what was found, and the columns `ends`."""
    columns = ("Simulated", "Bound", "Found", *ends)
    return "\n".join((f"### {title}\n", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}", *rows, ""))


def held(share: float, met: bool | None) -> str:
    """A figure, and whether it keeps its bound; `met` is None where it has none."""
    return f"{share:.1%}{ {None: '', True: ': kept', False: ': **missed**'}[met] }"


def _row(scenario: Scenario, figures: Figures) -> str:
    ended = (figures.passed, figures.failed, figures.inconclusive)
    shares = " | ".join(f"{count / figures.trials:.1%}" for count in ended)
    cells = (scenario.name, _bound(scenario), found(scenario, figures), shares, f"{figures.share:.0%}")
    return f"| {' | '.join(cells)} |"


def found(scenario: Scenario, figures: Figures) -> str:
    """The figure that is held to the bound, and whether it keeps it."""
    share = figures.of(scenario.counts)
    return held(share, scenario.met(share))


def _bound(scenario: Scenario) -> str:
    verb = "passes" if scenario.counts is Verdict.PASS else "fails"
    if scenario.bound is None:
        return f"none ({verb})"
    return f"{verb} in {'at most' if scenario.at_most else 'at least'} {scenario.bound:.0%}"

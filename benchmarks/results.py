"""What a benchmark found, as a line of `results.json` and of a table in the docs."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
JSON_FILE = ROOT / "benchmarks" / "results.json"
TABLE_FILE = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Result:
    """One comparison. `ratio` is ours / reference; the goal is met at least (or at most) at `goal`."""

    name: str
    ours: float
    reference: float
    unit: str
    reference_is: str
    goal: float | None = None
    at_least: bool = True

    @property
    def ratio(self) -> float:
        """Ours by the reference's."""
        return self.ours / self.reference

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None for a figure that has none and only informs."""
        if self.goal is None:
            return None
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal

    def __str__(self) -> str:
        met = {None: "", True: " met", False: " MISSED"}[self.met]
        return (
            f"{self.name}: {self.ours:.4g} {self.unit} against {self.reference:.4g} {self.unit} "
            f"({self.reference_is}), ratio {self.ratio:.2f}{met}"
        )


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The k for which values grow as size ** k, by least squares on their logarithms.

    0 is flat, 1 is growth in proportion. Raises ValueError for fewer than two sizes, and where a size or a
    value is not above 0: a logarithm it has not.
    """
    if len(sizes) != len(values) or len(set(sizes)) < 2:  # noqa: PLR2004 - a line takes two points
        raise ValueError(f"need a value for each of at least two sizes, found {sizes} and {values}")
    if min(*sizes, *values) <= 0:
        raise ValueError(f"sizes and values must be above 0, found {sizes} and {values}")
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def growth(what: str, sizes: Sequence[float], values: Sequence[float], goal: float | None = None) -> Result:
    """How values grow with the size, as a line of the table; the exponent is to be at most the goal."""
    name = f"growth of {what} from {min(sizes):,} to {max(sizes):,}: exponent"
    return Result(name, exponent(sizes, values), 1.0, "", "growth in proportion", goal, at_least=False)


def read(file: Path) -> dict[str, list[Result]]:
    """What was found the last time, by the benchmark's name; nothing where there is no such file."""
    if not file.exists():
        return {}
    known = {field.name for field in fields(Result)}
    found: dict[str, list[Result]] = {}
    for line in json.loads(file.read_text()):
        result = Result(**{key: value for key, value in line.items() if key in known})
        found.setdefault(line["benchmark"], []).append(result)
    return found


def write(found: Mapping[str, Sequence[Result]], said: Mapping[str, str], file: Path, page: Path) -> None:
    """Write both files anew; `said` has for each benchmark the text that explains it."""
    lines = [
        {"benchmark": name, **asdict(result), "ratio": result.ratio, "met": result.met}
        for name, results in found.items()
        for result in results
    ]
    file.write_text(json.dumps(lines, indent=2) + "\n")
    page.write_text(_page(found, said))


def _page(found: Mapping[str, Sequence[Result]], said: Mapping[str, str]) -> str:
    return "\n".join(
        [
            "# Benchmarks\n",
            "Written by `make bench`; `make bench ARGS=pages` measures one of them, and leaves the others'",
            "figures as they were. Ours and the reference are measured in turns in the same run, and each",
            "figure is the median of its rounds: read the ratios, the absolute figures are one machine's",
            f"({os.cpu_count()} cores, Python {platform.python_version()}). What grows is measured at three",
            "sizes; its exponent is 0 where it is flat, and 1 where it grows in proportion.",
            *(_section(said[name], results) for name, results in found.items()),
            "",
        ]
    )


def _section(text: str, results: Sequence[Result]) -> str:
    title, _, rest = text.strip().partition("\n")
    rows = (
        f"| {result.name} | {result.ours:,.4g} {result.unit} | {result.reference:,.4g} {result.unit} "
        f"| {result.reference_is} | {result.ratio:.2f} | {_goal(result)} |"
        for result in results
    )
    return "\n".join(
        [
            f"\n## {title.strip().rstrip('.')}\n",
            *([f"{rest.strip()}\n"] if rest.strip() else []),
            "| | ours | reference | the reference is | ratio | goal |",
            "|---|---|---|---|---|---|",
            *rows,
        ]
    )


def _goal(result: Result) -> str:
    if result.goal is None:
        return "none"
    bound = "at least" if result.at_least else "at most"
    return f"{bound} {result.goal:g}: {'met' if result.met else '**missed**'}"

"""What a benchmark found, as a line of `results.json` and of the table in the docs."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

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


def write(results: Sequence[Result]) -> None:
    """Write both files anew."""
    lines = [{**asdict(result), "ratio": result.ratio, "met": result.met} for result in results]
    JSON_FILE.write_text(json.dumps(lines, indent=2) + "\n")
    TABLE_FILE.write_text(_page(results))


def _page(results: Sequence[Result]) -> str:
    rows = "\n".join(
        f"| {result.name} | {result.ours:,.4g} {result.unit} | {result.reference:,.4g} {result.unit} "
        f"| {result.reference_is} | {result.ratio:.2f} | {_goal(result)} |"
        for result in results
    )
    return (
        "# Benchmarks\n\n"
        "Written by `make bench`. Ours and the reference are measured in turns in the same run, and each "
        "figure is the median of its rounds: read the ratios, the absolute figures are one machine's "
        f"({os.cpu_count()} cores, Python {platform.python_version()}).\n\n"
        "| | ours | reference | the reference is | ratio | goal |\n"
        "|---|---|---|---|---|---|\n"
        f"{rows}\n"
    )


def _goal(result: Result) -> str:
    if result.goal is None:
        return "none"
    bound = "at least" if result.at_least else "at most"
    return f"{bound} {result.goal:g}: {'met' if result.met else '**missed**'}"

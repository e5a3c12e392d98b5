"""What the demo says: a line after each release, a table at the end, and `demo.json`."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from local_stack.demo.lessons import BY_ITSELF, LessonResult
from local_stack.demo.scenario import Accuracy, StepResult

_REASON_LENGTH = 200
_NAMED_DOCS = re.compile(r" \(Data Docs: [^)]*\)")


@dataclass
class Report:
    """Everything that came of the demo so far."""

    results: list[StepResult] = field(default_factory=list)
    lessons: list[LessonResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    accuracy: Accuracy | None = None

    def add(self, result: StepResult) -> list[str]:
        """Add a step, and return what did not come out as said."""
        known = frozenset(variant for earlier in self.results for variant in earlier.traffic.variants)
        problems = result.problems(known)
        self.results.append(result)
        self.problems += [f"release {result.step.release} ({result.step.story}): {each}" for each in problems]
        return problems

    def add_lesson(self, result: LessonResult) -> list[str]:
        """Add a retraining, and return what did not come out as said."""
        problems = result.problems()
        self.lessons.append(result)
        self.problems += [f"{result.lesson.story}: {each}" for each in problems]
        return problems

    def judge(self, accuracy: Accuracy) -> None:
        """Add what the live endpoint makes of the held-out rows."""
        self.accuracy = accuracy
        self.problems += accuracy.problems()

    def write(self, path: Path) -> None:
        """Write `demo.json`."""
        content = {
            "releases": [result.as_json() for result in self.results],
            "retrainings": [result.as_json() for result in self.lessons],
        }
        path.write_text(json.dumps(content, indent=2) + "\n")

    def show(self, console: Console, seconds: float) -> None:
        """The closing table, a prediction beside the truth, and the verdict."""
        table = _table("", "release", "outcome", "time", "requests", "failed", "live")
        for result in self.results:
            table.add_row(
                str(result.step.release),
                result.step.story,
                result.outcome,
                f"{result.seconds:.1f} s",
                str(result.traffic.requests),
                str(result.traffic.failed),
                (result.config_after or "-").rpartition("-")[2],
            )
        console.print(table)
        if self.accuracy:
            _show_accuracy(console, self.accuracy)
        if self.lessons:
            _show_lessons(console, self.lessons)
        for problem in self.problems:
            console.print(f"[bold red]not as said:[/] {problem}")
        verdict = (
            "[bold red]not everything came out as said[/]" if self.problems else "everything came out as said"
        )
        console.print(f"{verdict}, in {seconds:.0f} s")


def show_step(console: Console, result: StepResult, problems: list[str]) -> None:
    """One line when a release is done, and one for each thing that is not as said."""
    mark = "[red]✗[/]" if problems else "[green]✓[/]"
    console.print(
        f"{mark} release {result.step.release}, {result.step.story}: [bold]{result.outcome}[/] after "
        f"{result.seconds:.1f} s; {result.traffic.requests} requests, {result.traffic.failed} failed"
    )
    if result.reason:
        console.print(f"    {shorten(result.reason, _REASON_LENGTH)}", markup=False, style="dim")
    for problem in problems:
        console.print(f"    {problem}", markup=False, style="red")


def show_lesson(console: Console, result: LessonResult, problems: list[str]) -> None:
    """What a retraining came to, why, and where to read more."""
    mark = "[red]✗[/]" if problems else "[green]✓[/]"
    deployed = f", approved, {result.deploy_outcome}" if result.deploy_outcome else ""
    console.print(
        f"{mark} {result.lesson.story}: [bold]{result.outcome}[/]{deployed} after {result.seconds:.1f} s; "
        f"accuracy {_change(result)}; {result.traffic.requests} requests, {result.traffic.failed} failed"
    )
    reason = _NAMED_DOCS.sub("", result.reason)  # they have a line of their own, which can be opened
    console.print(f"    {shorten(reason, _REASON_LENGTH)}", markup=False, style="dim")
    if result.data_docs:
        console.print(f"    {result.data_docs}", markup=False, style="dim", soft_wrap=True)
    for problem in problems:
        console.print(f"    {problem}", markup=False, style="red")


def _show_lessons(console: Console, results: list[LessonResult]) -> None:
    table = _table("retraining", "started", "outcome", "time", "failed", "accuracy")
    for result in results:
        table.add_row(
            result.lesson.story,
            "by itself" if result.started == BY_ITSELF else "by hand",
            result.deploy_outcome or result.outcome,
            f"{result.seconds:.1f} s",
            str(result.traffic.failed),
            _change(result),
        )
    console.print(table)


def _change(result: LessonResult) -> str:
    """The live endpoint's accuracy, and what it was before where it was another."""
    before = result.accuracy_before
    changed = before is not None and before != result.accuracy
    return f"{before:.3f} → {result.accuracy:.3f}" if changed else f"{result.accuracy:.3f}"


def _table(*headings: str) -> Table:
    """A table narrow enough for a terminal of 80 columns."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    return table


def _show_accuracy(console: Console, accuracy: Accuracy) -> None:
    console.print(
        f"a held-out sample: predicted {_name(accuracy.prediction['label'])} with probability "
        f"{accuracy.prediction['probability']:.3f}, in truth {_name(accuracy.truth)}"
    )
    console.print(
        f"accuracy on {accuracy.rows} held-out samples: {accuracy.through_endpoint:.4f} through the "
        f"endpoint, {accuracy.offline:.4f} when it was trained"
    )


def _name(label: float) -> str:
    return "benign" if label else "malignant"

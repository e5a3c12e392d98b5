"""What a release was judged by, out of its record's evidence, as lines a person reads."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_MARKS = {"dry_run": "dry run", "must_pass": "need not pass"}


def taken_out(evidence: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The last look at each stage that any task kept, in the tasks' order, and the evidence without them."""
    looks: list[dict[str, Any]] = []
    rest: dict[str, Any] = {}
    for task, said in evidence.items():
        stages = said.get("stages") if isinstance(said, dict) else None
        if not isinstance(stages, list):
            rest[task] = said
            continue
        looks += [each["analysis"] for each in stages if each.get("analysis")]
        looks += [each["test"]["evidence"] for each in stages if (each.get("test") or {}).get("evidence")]
        without = [{k: v for k, v in each.items() if k not in {"analysis", "test"}} for each in stages]
        rest[task] = {**said, "stages": without}
    return looks, rest


def analysis_lines(looks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    """A line a stage, and below it one a metric with its sentence, each with its depth."""
    for look in looks:
        times = look.get("looks", 1)
        after = f"after {times} looks" if times != 1 else "at the first look"
        what = f"{look.get('what', 'analysis')} {look.get('stage')}"
        yield 1, f"{what}: {look.get('verdict')} {after}, then {look.get('way')}"
        yield 2, f"why: {look.get('reason')}"
        for metric in look.get("metrics", []):
            marks = ", ".join(words for mark, words in _MARKS.items() if mark in metric)
            yield 2, f"{metric.get('verdict')}{f' ({marks})' if marks else ''}: {metric.get('reason')}"
        measured = look.get("measured", {})
        if "replayed" in measured:
            yield 2, f"replayed to each side: {measured['replayed']}, {measured.get('distinct')} distinct"
        if look.get("kept"):
            yield 2, f"kept: {look['kept']}"

"""Plans as one Markdown comment for a pull request.

Whatever a spec or the service says stands in code, as a span or a fenced block: there GitHub renders neither
Markdown nor HTML, links no issue and notifies nobody who is mentioned (GitHub Flavored Markdown 4.5, 6.3).
"""

import re
from collections.abc import Sequence

from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.problems import SpecProblem
from endpoint_deploy.core.render import render_plan
from endpoint_deploy.core.strict import Strict

MARKER = "<!-- endpoint-deploy: plan -->"
LIMIT = 65_536  # characters of a comment that GitHub takes: "body is too long (maximum is 65536 characters)"
_ROOM_FOR_NOTE = 300
_TICKS = re.compile("`+")


class PlannedFile(Strict):
    """What came of one file: its plan, or the problems of an invalid spec, or why there is no plan."""

    source: str
    plan: Plan | None = None
    problems: tuple[SpecProblem, ...] = ()
    error: str | None = None


def render_comment(files: Sequence[PlannedFile], limit: int = LIMIT) -> str:
    """One comment of at most `limit` characters, the files in the order of their names; ends with a newline.

    Its first line is hidden, and tells a workflow which comment to write over. Details that do not fit are
    left out from the end, and then files; a note says how many.
    """
    ordered = sorted(files, key=lambda each: each.source)
    head = f"{MARKER}\n### What a release would do\n\n"
    if not ordered:
        return f"{head}No spec has changed.\n"
    titles = [_title(each) for each in ordered]
    details = [_detail(each) for each in ordered]
    room = limit - len(head) - _ROOM_FOR_NOTE
    listed = 0
    for title in titles:
        if len(title) > room:
            break
        room -= len(title)
        listed += 1
    parts, cut = [], 0
    for title, detail in zip(titles[:listed], details[:listed], strict=True):
        fits = len(detail) <= room
        room -= len(detail) if fits else 0
        cut += not fits
        parts.append(title + (detail if fits else ""))
    return head + "".join(parts) + _note(cut, len(ordered) - listed)


def code_span(text: str) -> str:
    """Text on one line as it is, whatever it holds."""
    line = _printable(text.replace("\n", " "))
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line.strip() else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def code_block(text: str, language: str = "") -> str:
    """Lines as they are, whatever they hold; ends with a newline."""
    lines = "\n".join(_printable(line) for line in text.split("\n")).rstrip("\n")
    fence = "`" * max(3, _longest_run(lines) + 1)
    return f"{fence}{language}\n{lines}\n{fence}\n"


def _title(each: PlannedFile) -> str:
    if each.plan is not None:
        return f"- **{each.plan.action}** {code_span(each.plan.endpoint)}, {code_span(each.source)}\n"
    said = f"invalid, {len(each.problems)} to fix" if each.problems else "no plan"
    return f"- **{said}** {code_span(each.source)}\n"


def _detail(each: PlannedFile) -> str:
    if each.plan is not None:
        warnings = "".join(f"  - :warning: {code_span(warning)}\n" for warning in each.plan.warnings)
        return warnings + _folded(code_block(_as_diff(render_plan(each.plan)), "diff"))
    if each.problems:
        return "".join(f"  - :x: {code_span(str(problem))}\n" for problem in sorted(each.problems))
    return f"  - :x: {code_span(each.error or '')}\n"


def _folded(body: str) -> str:
    return f"\n<details><summary>Plan</summary>\n\n{body}\n</details>\n\n"


def _as_diff(text: str) -> str:
    """GitHub colours a line of a diff by its first character; `!` and `~` are what it knows as changed."""
    return "\n".join(
        line.strip().replace("~", "!", 1) if line.strip()[:1] in {"+", "-", "~", "!"} else line
        for line in text.splitlines()
    )


def _note(cut: int, left_out: int) -> str:
    said = [f"the details of {cut} files"] if cut else []
    said += [f"{left_out} files"] if left_out else []
    if not said:
        return ""
    return f"\nLeft out, since a comment may have {LIMIT:,} characters: {' and '.join(said)}.\n"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0)


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)

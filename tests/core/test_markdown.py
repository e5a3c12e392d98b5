"""A pull request's comment: stable, one that is found again, and nothing in it but what we have written."""

import re

from endpoint_deploy.core.markdown import LIMIT, MARKER, PlannedFile, code_block, code_span, render_comment
from endpoint_deploy.core.plan import Difference, Live, Plan
from endpoint_deploy.core.problems import SpecProblem

HOSTILE = "`x` ```\n# title\n<img src=x onerror=alert(1)> @everyone [a](http://b) | --> \x1b[31m #1"
_FENCE = re.compile(r"^(?P<ticks>`{3,})\w*\n.*?\n(?P=ticks)\n", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)")


def outside_code(text: str) -> str:
    """What GitHub renders as Markdown: the text without its fenced blocks and code spans."""
    return _SPAN.sub("", _FENCE.sub("", text))


def planned(source: str, value: str = "ml.m5.large", warnings: tuple[str, ...] = ()) -> PlannedFile:
    plan = Plan(
        endpoint="churn-prod",
        action="create",
        summary=value,
        expects=Live(status=None, config=None),
        differences=(Difference(path="model.environment.A", before=None, after=value),),
        warnings=warnings,
    )
    return PlannedFile(source=source, plan=plan)


def invalid(source: str, found: str) -> PlannedFile:
    problem = SpecProblem(source, 7, 3, "model.image", found, "a framework")
    return PlannedFile(source=source, problems=(problem,))


def test_it_begins_with_its_marker_and_says_where_a_spec_is_invalid() -> None:
    text = render_comment([invalid("b.yaml", "'x'"), planned("a.yaml", warnings=("mind this",))])
    assert text.startswith(f"{MARKER}\n")
    assert "- **create** `churn-prod`, `a.yaml`" in text
    assert ":warning: `mind this`" in text
    assert "+ model.environment.A: ml.m5.large" in text
    assert "`b.yaml:7: model.image: found 'x', expected a framework`" in text
    assert text.index("a.yaml") < text.index("b.yaml")
    assert text == render_comment([planned("a.yaml", warnings=("mind this",)), invalid("b.yaml", "'x'")])


def test_a_value_cannot_leave_its_code() -> None:
    hostile = [
        planned("a.yaml", HOSTILE, (HOSTILE,)),
        invalid("b.yaml", HOSTILE),
        PlannedFile(source=f"{HOSTILE}.yaml", error=HOSTILE),
    ]
    rendered = outside_code(render_comment(hostile))
    for found in ("onerror", "@everyone", "http://b", "# title", "#1", "\x1b"):
        assert found not in rendered
    assert "@everyone" in render_comment(hostile)


def test_code_holds_any_run_of_backticks() -> None:
    for ticks in range(1, 9):
        text = f"{'`' * ticks}x"
        assert outside_code(code_span(text)) == ""
        assert outside_code(code_block(f"a\n{text}\n{'`' * ticks}\nb")) == ""


def test_it_is_never_longer_than_github_takes() -> None:
    large = [planned(f"{number:04}.yaml", "x" * 3_000) for number in range(60)]
    text = render_comment(large)
    assert len(text) <= LIMIT
    assert all(f"`{number:04}.yaml`" in text for number in range(60))
    assert re.search(r"Left out.*the details of \d+ files\.", text)
    many = render_comment([planned(f"{number:05}.yaml") for number in range(5_000)])
    assert len(many) <= LIMIT
    assert re.search(r"and \d+ files\.", many)
    assert "Left out" not in render_comment(large[:3])

"""`python -m benchmarks.judge`, which `make judge` runs: its page, and its exit status."""

import subprocess
import sys
from pathlib import Path

import pytest

_PAGE = (
    "# Judge\n\n<!-- written by `make judge` -->\nold\n<!-- end of what `make judge` writes -->\n\nAfter.\n"
)
# The command's own module, with one scenario and one A/B test in place of all: nothing is ever wrong in them.
_COMMAND = """
import runpy, sys
from benchmarks.judge import ab, scenarios
from benchmarks.judge.traffic import Traffic
bound = float(sys.argv.pop(1))
few = Traffic(errors=600, latencies=300)
nothing_wrong = scenarios._found("nothing wrong", scenarios.TRAFFIC, few, bound)
scenarios.SECTIONS = {"Of the test": (nothing_wrong,)}
least = float(sys.argv.pop(1))
no_better = ab.AbScenario("no better", -5.0, ab.Named.CHAMPION, least, metric=ab.metric(least_difference=8))
ab.AB_SECTIONS = {"Of the test": (no_better,)}
runpy.run_module("benchmarks.judge", run_name="__main__", alter_sys=True)
"""


_MISSED, _KEPT = ("1.01", "**missed**"), ("0.0", "kept")


@pytest.mark.parametrize(
    ("bound", "of_tests", "status"), [(_MISSED, _KEPT, 1), (_KEPT, _MISSED, 1), (_KEPT, _KEPT, 0)]
)
def test_a_missed_bound_is_the_command_s_exit_status(
    tmp_path: Path, bound: tuple[str, str], of_tests: tuple[str, str], status: int
) -> None:
    pages = {"--page": tmp_path / "judge.md", "--ab-page": tmp_path / "ab-test.md"}
    for page in pages.values():
        page.write_text(_PAGE)
    named = [part for option, page in pages.items() for part in (option, str(page))]
    ended = subprocess.run(
        [sys.executable, "-c", _COMMAND, bound[0], of_tests[0], "--trials", "3", *named],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == status, ended.stderr
    assert f"nothing wrong: fail 0.0%: {bound[1]}" in ended.stdout
    assert f"A/B test, no better: champion 100.0%: {of_tests[1]}" in ended.stdout
    for page, said in zip(pages.values(), (bound[1], of_tests[1]), strict=True):
        text = page.read_text()
        assert said in text
        assert text.startswith("# Judge\n")
        assert text.endswith("\nAfter.\n")
        assert "old" not in text

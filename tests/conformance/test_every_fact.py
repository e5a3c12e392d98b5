"""Every numbered error and every transition has a test, or a reason for having none."""

import importlib
from collections import Counter
from pathlib import Path

from tests.conformance.facts import ERRORS, FACTS, NOT_PROVOKABLE


def marked():
    """How many tests of the suite check each fact."""
    found = Counter()
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        module = importlib.import_module(f"tests.conformance.{path.stem}")
        for test in vars(module).values():
            marks = list(getattr(test, "pytestmark", []))
            cases = [case for mark in marks if mark.name == "parametrize" for case in mark.args[1]]
            marks += [mark for case in cases for mark in getattr(case, "marks", [])]
            found.update(mark.args[0] for mark in marks if mark.name == "fact")
    return found


def test_the_numbers_run_from_1_to_24():
    assert list(ERRORS) == [f"error-{number:02}" for number in range(1, 25)]


def test_every_fact_is_checked_or_cannot_be_brought_about():
    checked = marked()
    assert set(checked) <= set(FACTS)
    assert set(NOT_PROVOKABLE) <= set(FACTS)
    assert [fact for fact in FACTS if not checked[fact] and fact not in NOT_PROVOKABLE] == []

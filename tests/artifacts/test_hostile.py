"""The corpus of hostile archives: each is stopped, and for the reason that is its own."""

from collections import Counter

import pytest

from tests.artifacts.archives import inspect
from tests.artifacts.hostile import CORPUS

# Figures that others rely on (docs/security.md): more is welcome.
ARCHIVES = 200
REFUSED = 170


@pytest.mark.parametrize("name", CORPUS)
def test_it_is_stopped_for_its_own_reason(name: str) -> None:
    hostile = CORPUS[name]
    report = inspect(hostile.data, hostile.limits)
    found = [(each.code, each.message) for each in report.findings]
    assert (report.refused, report.held) == (not hostile.held, hostile.held), found
    assert any(code == hostile.code and hostile.words in message for code, message in found), found


@pytest.mark.parametrize("name", [name for name, hostile in CORPUS.items() if not hostile.held])
def test_what_is_refused_cannot_be_accepted(name: str) -> None:
    hostile = CORPUS[name]
    assert inspect(hostile.data, hostile.limits, accept_unknown=True).refused


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert len(CORPUS) >= ARCHIVES
    assert sum(not each.held for each in CORPUS.values()) >= REFUSED
    assert len({each.data for each in CORPUS.values()}) == len(CORPUS), "each archive is another one"
    assert len(Counter(each.code for each in CORPUS.values())) >= 20

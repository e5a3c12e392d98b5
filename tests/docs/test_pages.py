"""What the pages say of one another and of the spec."""

import re
from pathlib import Path

import pytest

from tests.docs.blocks import REPO, documents
from tests.docs.spec_reference import PAGE, page

_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = (match["title"].lower() for match in _HEADING.finditer(path.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w -]", "", title).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(REPO)))
def test_every_link_within_the_project_leads_somewhere(path: Path) -> None:
    for match in _LINK.finditer(path.read_text(encoding="utf-8")):
        target, _, anchor = match["target"].partition("#")
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        leads_to = (path.parent / target).resolve() if target else path
        assert leads_to.exists(), f"{path.name} links to {target}, which is not there"
        assert leads_to.is_relative_to(REPO), f"{path.name} links to {target}, outside the project"
        if anchor:
            assert anchor in anchors(leads_to), (
                f"{path.name} links to #{anchor}, which {target} does not have"
            )


def test_the_pages_are_found() -> None:
    names = {path.relative_to(REPO).as_posix() for path in documents()}
    assert {"README.md", "CHANGELOG.md", "docs/guide.md", "include/iam/README.md"} <= names


def test_the_spec_reference_is_what_the_schema_says() -> None:
    found = PAGE.read_text(encoding="utf-8")
    assert found == page(), "docs/spec.md is out of date: run `python -m tests.docs.spec_reference`"


def test_every_decision_is_in_the_index() -> None:
    folder = REPO / "docs" / "adr"
    decisions = sorted(path.name for path in folder.glob("0*.md"))
    assert decisions
    assert [name[:4] for name in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert [name for name in decisions if f"({name})" not in index] == []

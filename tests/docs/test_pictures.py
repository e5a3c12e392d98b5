"""The pictures of the documentation are those that the browser tests take (`make pictures`)."""

import re
from pathlib import Path

from tests.browser.pictures import PICTURES

DOCS = Path(__file__).parents[2] / "docs"
_IS_PNG = b"\x89PNG\r\n\x1a\n"


def test_the_tests_take_every_picture_and_no_other_is_kept() -> None:
    kept = sorted((DOCS / "pictures").iterdir())
    assert [path.name for path in kept] == sorted(f"{name}.png" for name in PICTURES)
    assert all(path.read_bytes().startswith(_IS_PNG) for path in kept)


def test_the_readme_opens_with_them() -> None:
    opening = (DOCS.parent / "README.md").read_text().split("\n## ")[0]
    assert set(re.findall(r"docs/pictures/(\w+)\.png", opening)) == set(PICTURES)

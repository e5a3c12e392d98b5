"""Each faulty spec of the corpus says in its first lines what the loader must say of it, word for word."""

from pathlib import Path

import pytest

from endpoint_deploy.core.load import load_spec
from endpoint_deploy.core.problems import InvalidSpec
from endpoint_deploy.errors import SpecError

CORPUS = sorted((Path(__file__).parent / "faulty_specs").glob("*.yaml"))
EXPECT = "# expect: line "


def expectations(text: str) -> list[str]:
    lines = text.splitlines()
    return [line.removeprefix(EXPECT) for line in lines if line.startswith(EXPECT)]


def test_the_corpus_is_there() -> None:
    assert len(CORPUS) >= 150


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_faulty_spec_is_explained(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    expected = expectations(text)
    assert expected
    with pytest.raises(InvalidSpec) as caught:
        load_spec(text, source="spec.yaml")
    assert isinstance(caught.value, SpecError)
    assert str(caught.value).splitlines() == [f"spec.yaml:{each}" for each in expected]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_problem_stands_where_it_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    with pytest.raises(InvalidSpec) as caught:
        load_spec(text, source="spec.yaml")
    lines = [*text.splitlines(), ""]
    for problem in caught.value.problems:
        line = lines[problem.line - 1]
        assert 1 <= problem.column <= len(line) + 1
        key = problem.path.rpartition(".")[2]
        if key.isidentifier() and "nothing" not in problem.found and "as a key" not in problem.expected:
            assert line[problem.column - 1 :].startswith(key) or f"{key}:" in line[: problem.column]

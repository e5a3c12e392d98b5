"""The corpus of good archives passes without a word: not refused, not held, not noted."""

from pathlib import Path

import pytest

from tests.artifacts.archives import inspect, pack
from tests.artifacts.frameworks import corpus

ARCHIVES = 38


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    return corpus(Path(tmp_path_factory.mktemp("frameworks")))


def test_no_false_alarm(archives: dict[str, dict[str, bytes]]) -> None:
    found = {name: inspect(pack(*files.items())).findings for name, files in archives.items()}
    assert {name: each for name, each in found.items() if each} == {}


def test_the_corpus_is_as_large_as_it_says(archives: dict[str, dict[str, bytes]]) -> None:
    assert len(archives) >= ARCHIVES
    assert len({pack(*files.items()) for files in archives.values()}) == len(archives)

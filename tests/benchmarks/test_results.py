"""The bookkeeping of `python -m benchmarks`, with benchmarks that measure nothing."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.results import Result, exponent, growth
from local_stack.paths import REPO_ROOT

_MODULE = '''"""What {name} is about: nothing.

How it is measured.
"""

from benchmarks.results import Result


def run():
    return [Result("{name}", {ours}, 10.0, "s", "the peer", {goal}, at_least={at_least})]
'''


class Bench:
    """A directory of benchmarks that the command runs in place of the repository's."""

    def __init__(self, place: Path) -> None:
        self.results, self.page = place / "results.json", place / "page.md"
        self._place = place
        self._modules: list[str] = []

    def add(self, name: str, ours: float, goal: float | None = None, *, at_least: bool = True) -> None:
        text = _MODULE.format(name=name, ours=ours, goal=goal, at_least=at_least)
        (self._place / f"{self._place.name}_{name}.py").write_text(text)
        self._modules.append(f"{self._place.name}_{name}")

    def run(self, *names: str) -> int:
        chosen = [f"{self._place.name}_{name}" for name in names]
        files = ["--results", str(self.results), "--page", str(self.page)]
        return main([*chosen, *files], self._modules)

    def found(self) -> dict[str, dict]:
        return {line["name"]: line for line in json.loads(self.results.read_text())}


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Bench:
    place = tmp_path / re.sub(r"\W", "_", tmp_path.name)
    place.mkdir()
    monkeypatch.syspath_prepend(place)
    return Bench(place)


@pytest.mark.parametrize(
    ("ours", "goal", "at_least", "met"),
    [
        (20.0, 2.0, True, True),
        (19.9, 2.0, True, False),
        (20.0, 2.0, False, True),
        (20.1, 2.0, False, False),
        (1000.0, None, True, None),
    ],
)
def test_a_missed_goal_is_the_exit_status_and_stands_in_both_files(bench, ours, goal, at_least, met):
    bench.add("one", ours, goal, at_least=at_least)
    assert bench.run() == (1 if met is False else 0)
    assert bench.found()["one"]["met"] is met
    assert bench.found()["one"]["ratio"] == ours / 10
    assert ("**missed**" in bench.page.read_text()) is (met is False)


def test_results_of_those_not_run_are_kept_in_their_order(bench):
    bench.add("one", 1.0)
    bench.add("two", 2.0, goal=0.9)
    bench.add("three", 3.0)
    assert bench.run() == 1
    bench.page.unlink()
    assert bench.run("three") == 0  # what was missed before is kept as missed, and is no fault of this run
    assert {name: line["met"] for name, line in bench.found().items()} == {
        "one": None,
        "two": False,
        "three": None,
    }
    page = bench.page.read_text()
    assert re.findall(r"^## What (\w+) is about: nothing$", page, re.M) == ["one", "two", "three"]
    assert page.count("How it is measured.") == 3


def test_what_one_breaks_on_costs_no_other_its_results(bench):
    bench.add("one", 1.0)
    bench.add("two", "1 / 0")
    with pytest.raises(ZeroDivisionError):
        bench.run()
    assert list(bench.found()) == ["one"]


def test_an_unknown_name_is_said_with_those_there_are(bench, capsys):
    bench.add("one", 1.0)
    with pytest.raises(SystemExit) as ended:
        bench.run("other")
    assert ended.value.code == 2
    assert re.search(r"no benchmark is called \w+_other; there are \w+_one", capsys.readouterr().err)
    assert not bench.results.exists()


@pytest.mark.parametrize("power", [-1.0, 0.0, 0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_is_that_power(power):
    sizes = [50, 150, 500]
    assert exponent(sizes, [7 * size**power for size in sizes]) == pytest.approx(power, abs=1e-9)


def test_the_exponent_weighs_every_size():
    # 10 times the size, then again: the last step alone would say 2, the line through all three says 1.
    assert exponent([1, 10, 100], [1, 1, 100]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("sizes", "values"), [([10], [1]), ([10, 10], [1, 2]), ([10, 20], [1]), ([10, 20], [0, 1])]
)
def test_no_exponent_is_made_up(sizes, values):
    with pytest.raises(ValueError, match="found"):
        exponent(sizes, values)


def test_growth_is_held_to_its_goal():
    sizes = (100, 300, 1000)
    assert growth("a thing", sizes, [3, 3, 3], goal=0.1).met
    steep = growth("a thing", sizes, [1, 3, 10], goal=0.9)
    assert steep.met is False
    assert str(steep).startswith("growth of a thing from 100 to 1,000: exponent: 1 ")
    assert str(steep).endswith(" MISSED")


def test_the_page_in_the_docs_has_a_section_for_every_benchmark():
    page = (REPO_ROOT / "docs" / "benchmarks.md").read_text()
    assert page.count("\n## ") == len(BENCHMARKS)


def test_a_ratio_is_ours_by_the_reference():
    assert Result("a", 3.0, 4.0, "s", "b").ratio == 0.75

"""Which faults are drawn: by the seed, and none that stops everything while something is down."""

import math
import random
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.chaos.account import Account
from benchmarks.chaos.faults import Injector
from benchmarks.chaos.kinds import KINDS
from benchmarks.chaos.probe import Probe
from benchmarks.chaos.victims import Victims
from benchmarks.chaos.world import deployments
from local_stack.paths import StatePaths
from local_stack.ports import free_port

_DRAWS = 60


def drawn(directory: Path, seed: int, *, well_since: float) -> Counter[str]:
    """What is drawn where no stack runs, so that nothing is met."""
    directory.mkdir()
    account, victims = Account(directory / "account", seed), Victims(StatePaths(directory))
    url = f"http://127.0.0.1:{free_port()}"
    probe = Probe(url, victims, account, well_since=well_since)
    world = deployments(directory / "specs")
    clock = directory / "clock"
    clock.write_text("0")
    injector = Injector(account, victims, url, clock, world, probe, random.Random(seed), KINDS, lambda: 0.0)
    for _ in range(_DRAWS):
        injector.draw()
    injector.heal()
    assert clock.read_text() == "0"
    assert not account.faults
    return account.missed


@pytest.mark.parametrize("seed", [1, 2])
def test_while_something_is_down_nothing_else_is_stopped(tmp_path: Path, seed: int) -> None:
    found = drawn(tmp_path / "down", seed, well_since=math.inf)
    assert not KINDS.heavy & set(found)
    up = drawn(tmp_path / "up", seed, well_since=-math.inf)
    assert (
        sum(up[each] for each in KINDS.heavy) == 1
    )  # a second one would come seconds later, as here none does
    assert sum(up[each] for each in KINDS.at_work) == 1


def test_a_seed_draws_the_same_again(tmp_path: Path) -> None:
    first, again, other = (
        drawn(tmp_path / name, seed, well_since=math.inf) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == again
    assert first != other

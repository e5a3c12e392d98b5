"""The chaos's own bookkeeping: what counts, what it is held to, and what its exit status says."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.chaos.account import Account, Ran
from benchmarks.chaos.checks import kept, since_teardown
from benchmarks.chaos.kinds import KINDS
from benchmarks.chaos.victims import kill, limit_files
from benchmarks.chaos.world import STRATEGIES, deployments
from endpoint_deploy.dag_builders.specs import load_file


def record(outcome: str, config: str | None = None) -> dict[str, Any]:
    return {"outcome": outcome, "config_after": config}


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path, seed=7)


def test_a_fault_that_met_nothing_does_not_count(account: Account) -> None:
    account.round = 1
    account.fault("worker killed", took_place=True, processes=[1])
    account.fault("worker killed", took_place=False)
    assert account.faults.total() == 1
    assert account.exit_code(1) == 0
    assert account.exit_code(2) == 2
    (line,) = account.faults_of_round(1)
    assert line.endswith("worker killed: processes [1]")


def test_a_violation_goes_before_too_few_faults(account: Account) -> None:
    account.violated("the ledger tells the truth", "alder-chaos: found A, expected B")
    assert account.exit_code(300) == 1
    assert "the ledger tells the truth: alder-chaos: found A, expected B" in account.tables(300)


def test_the_tables_count_runs_by_outcome(account: Account) -> None:
    ran = Ran("alder-chaos", "deploy", "good", "deploy__alder__chaos", "1", "success", "released", "")
    account.ran(ran)
    account.ran(ran)
    account.ran(Ran("alder-chaos", "deploy", "good", "deploy__alder__chaos", "2", "failed", None, ""))
    told = account.tables(300)
    assert "| deploy | good | released | 2 |" in told
    assert "| deploy | good | failed, unrecorded | 1 |" in told


@pytest.mark.parametrize(
    ("ledger", "expected"),
    [
        ([], set()),
        ([record("released", "a"), record("rolled_back", "a")], {"a"}),
        ([record("released", "a"), record("released", "b"), record("released", "c")], {"b", "c"}),
        ([record("released", "a"), record("released", "b"), record("released", "a")], {"a", "b"}),
        ([record("released", "a"), record("torn_down"), record("released", "b")], {"b"}),
        ([record("released", "a"), record("torn_down")], set()),
    ],
)
def test_retention_keeps_the_newest_good_releases(ledger: list[dict[str, Any]], expected: set[str]) -> None:
    assert kept(ledger) == expected
    assert expected <= {each["config_after"] for each in since_teardown(ledger)}


def test_the_deployments_are_valid(tmp_path: Path) -> None:
    world = deployments(tmp_path)
    assert {each.name for each in world} == set(STRATEGIES)
    found = [load_file(tmp_path / f"{each.name}.yaml") for each in world]
    assert [each.spec.endpoint_name for each in found] == [each.endpoint for each in world]


def test_every_heavy_fault_is_one_that_is_drawn() -> None:
    assert set(KINDS.drawn) > KINDS.heavy | KINDS.at_work


def test_a_full_disk_fails_writes_until_it_is_emptied(tmp_path: Path) -> None:
    told = tmp_path / "told"
    code = (
        "import sys\n"
        "for line in sys.stdin:\n"
        "    try:\n"
        f"        with open({str(told)!r}, 'a') as file: file.write(line)\n"
        "        print('written', flush=True)\n"
        "    except OSError as error:\n"
        "        print(error.strerror, flush=True)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin
    assert child.stdout
    process = psutil.Process(child.pid)

    def write() -> str:
        assert child.stdin
        assert child.stdout
        child.stdin.write("line\n")
        child.stdin.flush()
        return child.stdout.readline().strip()

    with child:
        assert write() == "written"
        assert limit_files([process], 0) == 1
        assert write() == "File too large"
        assert limit_files([process], -1) == 1
        assert write() == "written"
        assert kill([process]) == [child.pid]
    assert told.read_text() == "line\nline\n"

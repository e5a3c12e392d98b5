"""The lock is one, and what makes it none is told."""

from tests.supply_chain import DIRECT, LOCK, REPO, problems

_HASH = " --hash=sha256:" + "0" * 64


def test_every_requirement_is_pinned_hashed_and_in_step() -> None:
    direct = "\n".join((REPO / name).read_text() for name in DIRECT)
    assert problems(LOCK.read_text(), direct) == []


def test_what_is_wrong_is_told() -> None:
    assert problems(f"a==1{_HASH}", "a==1") == []
    assert problems("a==1", "") == ["a==1: without a hash"]
    assert problems(f"a>=1{_HASH}", "") == ["a>=1: not pinned to one version"]
    assert "run `make lock`" in problems(f"a==1{_HASH}", "a==2")[0]
    assert "run `make lock`" in problems(f"a==1{_HASH}", "b==2")[0]

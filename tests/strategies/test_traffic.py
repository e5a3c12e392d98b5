"""The traffic itself: what it records, and that the bad models pass a smoke test and then go wrong."""

from collections.abc import Callable

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, Rig
from tests.soak import some_of
from tests.strategies.models import BAD, upload
from tests.strategies.traffic import Record, Traffic, check_share, failed

pytestmark = AS_IN_PRODUCTION


def test_a_release_loses_no_request_and_each_answer_names_its_release(
    rig: Rig, traffic: Callable[..., Traffic]
) -> None:
    rig.run("deploy", artifact=upload(rig, "good", 1))
    with traffic() as asking:
        run = rig.run("deploy", artifact=upload(rig, "good", 2))
        asking.wait_for(20)
    assert run.outcome == "released", run
    records = asking.records()
    assert failed(records) == []
    assert all(record.right for record in records)
    assert {record.release for record in records} == {1, 2}
    assert [record.release for record in records[-20:]] == [2] * 20
    assert len({record.variant for record in records}) == 2


@pytest.mark.parametrize("goes", some_of(BAD, always=("wrong", "dies")))
def test_a_bad_model_is_good_until_it_meets_clients(
    rig: Rig, traffic: Callable[..., Traffic], goes: str
) -> None:
    """As a first release, which nothing but its smoke test guards."""
    run = rig.run("deploy", artifact=upload(rig, goes, 1, late_seconds=0.5, after_requests=5))
    assert run.outcome == "released", run
    with traffic() as asking:
        asking.wait_for(40)
    good, bad = asking.records()[:3], asking.records()[10:]
    assert all(record.right for record in good)
    went_wrong: dict[str, Callable[[Record], bool]] = {
        "raises": lambda record: record.status == 424 and "release 1" in (record.error or ""),
        "slow": lambda record: record.right and record.seconds >= 0.5,
        "wrong": lambda record: record.status == 200 and not record.right,
        "dies": lambda record: record.status in {424, 503},
    }
    assert any(went_wrong[goes](record) for record in bad)


def test_a_share_beyond_its_bound_is_noticed() -> None:
    records = [Record(float(n), 0.1, [100.0], 200, "new" if n % 5 == 0 else "old") for n in range(1000)]
    assert check_share(records, "new", 20) == 200
    with pytest.raises(AssertionError, match="200 of 996"):
        check_share(records, "new", 10)

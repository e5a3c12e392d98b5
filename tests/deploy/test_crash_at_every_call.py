"""A release whose tasks die right after any of their AWS calls ends as one that met no fault.

The answer of a task's call is lost after the service has carried it out, botocore does not try again, the
task's attempt dies there, and Airflow's retry has to find its way from whatever that call has left. That try
dies at the next call that was not yet lost, and so on, until each call of each task was a last one.
"""

from typing import Any

import pytest

from tests.deploy.fault_proxy import MORE_THAN_LOSSES, FaultProxy, rounds
from tests.deploy.rig import AS_IN_PRODUCTION, Rig, Run
from tests.soak import in_soak

pytestmark = [AS_IN_PRODUCTION, pytest.mark.timeout(1500)]


def without_suites(rig: Rig, **changes: Any) -> None:
    """The shortest proof: what is under test here are the calls, not what Great Expectations says."""
    rig.retries = MORE_THAN_LOSSES
    rig.spec(smoke_tests=[{"name": "numbers", "payload": "numbers.json"}], **changes)


def check_final_state(rig: Rig, bias: int, releases: int, at: str) -> None:
    """One complete release, nothing half-made, a ledger that tells the truth, a lock that is free."""
    described = rig.describe()
    assert described["EndpointStatus"] == "InService", at
    (variant,) = described["ProductionVariants"]
    assert (variant["CurrentWeight"], variant["CurrentInstanceCount"]) == (1.0, 1), at
    assert rig.predict() == [1.0 + bias, 2.0 + bias, 3.0 + bias], at
    records = rig.ledger()
    assert [r["outcome"] for r in records] == ["released"] * releases, at
    assert records[-1]["config_after"] == described["EndpointConfigName"], at
    assert rig.locks() == [], at


@pytest.mark.parametrize(
    ("strategy", "configs", "calls"), [("staged", 2, 40), pytest.param("direct", 1, 25, marks=in_soak)]
)
def test_an_update_survives_a_crash_after_any_call(
    rig: Rig, proxy: FaultProxy, strategy: str, configs: int, calls: int
) -> None:
    without_suites(rig, release={"strategy": strategy})
    assert rig.deploy(bias=1).outcome == "released"
    made = [rig.made()]

    def check(number: int, at: str) -> None:
        check_final_state(rig, number + 1, number + 1, at)
        made.append(rig.made())
        assert [len(b - a) for a, b in zip(*made[-2:], strict=True)] == [configs, 1], at

    cuts = rounds(proxy, lambda number: rig.deploy(bias=number + 1), check)
    assert cuts >= calls


@in_soak
def test_a_first_release_survives_a_crash_after_any_call(rig: Rig, proxy: FaultProxy) -> None:
    without_suites(rig)

    def check(number: int, at: str) -> None:
        assert rig.ledger()[-1]["outcome"] == "released", at
        assert rig.predict() == [2.0, 3.0, 4.0], at
        assert [len(names) for names in rig.made()] == [1, 1], at
        assert rig.locks() == [], at
        assert rig.run("teardown", confirm=rig.endpoint).state == "success", at

    assert rounds(proxy, lambda _: rig.deploy(bias=1), check) >= 25


def test_a_rollback_survives_a_crash_after_any_call(rig: Rig, proxy: FaultProxy) -> None:
    without_suites(rig)
    assert rig.deploy(bias=1).outcome == "released"
    made, config = rig.made(), rig.describe()["EndpointConfigName"]

    def check(number: int, at: str) -> None:
        assert rig.ledger()[-1]["outcome"] == "rolled_back", at
        assert rig.describe()["EndpointConfigName"] == config, at
        assert rig.predict() == [2.0, 3.0, 4.0], at
        assert rig.made() == made, at
        assert rig.locks() == [], at

    assert rounds(proxy, lambda number: rig.deploy("raises", bias=number + 1), check) >= 40


@in_soak
def test_a_teardown_survives_a_crash_after_any_call(rig: Rig, proxy: FaultProxy) -> None:
    without_suites(rig)

    def tear_down(_: int) -> Run:
        with proxy.at_rest():
            assert rig.deploy(bias=1).outcome == "released"
        return rig.run("teardown", confirm=rig.endpoint)

    def check(number: int, at: str) -> None:
        assert rig.made() == (set(), set()), at
        assert [r["outcome"] for r in rig.ledger()] == ["released", "torn_down"] * number, at
        assert rig.locks() == [], at

    assert rounds(proxy, tear_down, check) >= 10

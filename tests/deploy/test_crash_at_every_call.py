"""A release whose task dies right after any of its AWS calls ends as one that met no fault.

The answer of call number n is lost after the service has carried it out, botocore does not try again, the
task's attempt dies there, and Airflow's retry has to find its way from whatever that call has left. n runs
over every call of a release, until a release makes fewer than n.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deploy.fault_proxy import FaultProxy, fault_proxy
from tests.deploy.rig import AS_IN_PRODUCTION, REGION, Rig

pytestmark = [AS_IN_PRODUCTION, pytest.mark.timeout(1500)]
_MOST_CALLS = 200


@pytest.fixture
def proxy(local_sagemaker: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    with fault_proxy(local_sagemaker.url) as running:
        connection = {
            "conn_type": "aws",
            "login": "test",
            "password": "test",
            "extra": {
                "endpoint_url": running.url,
                "region_name": REGION,
                "config_kwargs": {"retries": {"total_max_attempts": 1}},
            },
        }
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))
        yield running


def without_suites(rig: Rig, **changes: Any) -> None:
    """The shortest proof: what is under test here are the calls, not what Great Expectations says."""
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


def crash_everywhere(rig: Rig, proxy: FaultProxy, *, per_release: tuple[int, int]) -> int:
    """Release once per call with that call's answer lost; returns how many calls were cut.

    per_release: the configurations and models that one more release leaves.
    """
    made = rig.made()
    for number in range(1, _MOST_CALLS):
        proxy.arm(number)
        run = rig.deploy(bias=number + 1)
        if not proxy.was_cut:
            return number - 1
        at = f"cut after call {number}, {proxy.seen[number - 1]}: {run}"
        assert run.outcome == "released", at
        check_final_state(rig, number + 1, number + 1, at)
        now = rig.made()
        assert tuple(len(b - a) for a, b in zip(made, now, strict=True)) == per_release, at
        made = now
    pytest.fail(f"a release made {_MOST_CALLS} calls or more")


def test_a_staged_release_survives_a_crash_after_any_of_its_calls(rig: Rig, proxy: FaultProxy) -> None:
    without_suites(rig)
    assert rig.deploy(bias=1).outcome == "released"
    cut = crash_everywhere(rig, proxy, per_release=(2, 1))
    print(f"staged: {cut} calls, each cut once")
    assert cut > 30


def test_a_direct_release_survives_a_crash_after_any_of_its_calls(rig: Rig, proxy: FaultProxy) -> None:
    without_suites(rig, release={"strategy": "direct"})
    assert rig.deploy(bias=1).outcome == "released"
    cut = crash_everywhere(rig, proxy, per_release=(1, 1))
    print(f"direct: {cut} calls, each cut once")
    assert cut > 20


def test_a_first_release_survives_a_crash_after_any_of_its_calls(rig: Rig, proxy: FaultProxy) -> None:
    without_suites(rig)
    for number in range(1, _MOST_CALLS):
        proxy.arm(number)
        run = rig.deploy(bias=1)
        if not proxy.was_cut:
            break
        at = f"cut after call {number}, {proxy.seen[number - 1]}: {run}"
        assert run.outcome == "released", at
        assert [r["outcome"] for r in rig.ledger()][-1] == "released", at
        assert rig.predict() == [2.0, 3.0, 4.0], at
        assert [len(names) for names in rig.made()] == [1, 1], at
        proxy.arm(0)
        assert rig.run("teardown", confirm=rig.endpoint).state == "success", at
    assert number > 20


def test_a_rollback_survives_a_crash_after_any_of_its_calls(rig: Rig, proxy: FaultProxy) -> None:
    without_suites(rig)
    assert rig.deploy(bias=1).outcome == "released"
    made, config = rig.made(), rig.describe()["EndpointConfigName"]
    for number in range(1, _MOST_CALLS):
        proxy.arm(number)
        run = rig.deploy("raises", bias=number + 1)
        if not proxy.was_cut:
            break
        at = f"cut after call {number}, {proxy.seen[number - 1]}: {run}"
        assert (run.state, run.outcome) == ("failed", "rolled_back"), at
        assert rig.describe()["EndpointConfigName"] == config, at
        assert rig.predict() == [2.0, 3.0, 4.0], at
        assert rig.made() == made, at
        assert rig.locks() == [], at
    assert number > 30

"""The rollback and teardown DAGs."""

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, Rig

pytestmark = AS_IN_PRODUCTION


def test_rollback_goes_to_the_last_good_release_by_default(rig: Rig) -> None:
    first = rig.deploy(bias=1)
    rig.deploy(bias=2)
    run = rig.run("rollback", reason="wrong data")
    assert (run.state, run.outcome) == ("success", "released"), run
    assert rig.predict() == [2.0, 3.0, 4.0]
    assert rig.describe()["EndpointConfigName"] == first.result["config_after"]
    last = rig.ledger()[-1]
    assert (last["kind"], last["asked_because"]) == ("rollback", "wrong data")
    assert last["artifact"] == rig.ledger()[0]["artifact"]


def test_rollback_to_a_release_by_its_number(rig: Rig) -> None:
    for bias in (1, 2, 3):
        rig.deploy(bias=bias)
    assert rig.run("rollback", release=1).outcome == "released"
    assert rig.predict() == [2.0, 3.0, 4.0]


def test_rollback_to_what_is_live_is_nothing_to_do(rig: Rig) -> None:
    rig.deploy(bias=1)
    assert rig.run("rollback", release=1).outcome == "nothing_to_do"


@pytest.mark.parametrize(("number", "said"), [(99, "no release 99"), (2, "only a released one")])
def test_rollback_to_what_cannot_be_brought_back_says_why(rig: Rig, number: int, said: str) -> None:
    rig.deploy(bias=1)
    rig.deploy("raises", bias=2)
    run = rig.run("rollback", release=number)
    assert (run.state, run.outcome) == ("failed", "refused"), run
    assert said in run.result["reason"]
    assert rig.predict() == [2.0, 3.0, 4.0]


def test_teardown_deletes_the_endpoint_and_what_only_it_used(rig: Rig) -> None:
    rig.deploy(bias=1)
    rig.deploy(bias=2)
    run = rig.run("teardown", confirm=rig.endpoint)
    assert run.state == "success", run
    assert rig.made() == (set(), set())
    assert rig.endpoint not in [e["EndpointName"] for e in rig.sagemaker.list_endpoints()["Endpoints"]]
    assert rig.ledger()[-1]["outcome"] == "torn_down"


def test_teardown_without_the_name_typed_in_deletes_nothing(rig: Rig) -> None:
    rig.deploy(bias=1)
    made = rig.made()
    assert rig.run("teardown", confirm="yes").state == "failed"
    assert rig.made() == made
    assert rig.predict() == [2.0, 3.0, 4.0]


def test_a_release_after_a_teardown_starts_anew(rig: Rig) -> None:
    rig.deploy(bias=1)
    rig.run("teardown", confirm=rig.endpoint)
    run = rig.deploy(bias=1)
    assert run.outcome == "released", run
    assert rig.predict() == [2.0, 3.0, 4.0]

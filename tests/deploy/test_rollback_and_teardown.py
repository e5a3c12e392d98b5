"""The rollback and teardown DAGs."""

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


def test_rollback_to_what_cannot_be_brought_back_says_why(rig: Rig) -> None:
    rig.deploy(bias=1)
    rig.deploy("raises", bias=2)
    for number, said in {99: "no release 99", 2: "only a released one"}.items():
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
    assert rig.run("teardown").state == "failed"
    assert rig.made() == made
    assert rig.predict() == [2.0, 3.0, 4.0]


def test_a_release_after_a_teardown_starts_anew(rig: Rig) -> None:
    rig.deploy(bias=1)
    rig.run("teardown", confirm=rig.endpoint)
    run = rig.deploy(bias=1)
    assert run.outcome == "released", run
    assert rig.predict() == [2.0, 3.0, 4.0]


def test_rollback_to_the_live_release_brings_back_its_weights(rig: Rig) -> None:
    variants = [{"name": n, "instance_type": "ml.m5.large", "weight": w} for n, w in (("a", 3), ("b", 1))]
    rig.spec(endpoint={"variants": variants})
    rig.deploy(bias=1)
    names = sorted(v["VariantName"] for v in rig.describe()["ProductionVariants"])
    rig.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=rig.endpoint,
        DesiredWeightsAndCapacities=[{"VariantName": n, "DesiredWeight": 1.0} for n in names],
    )
    rig.sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName=rig.endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    run = rig.run("rollback", release=1)
    assert (run.state, run.outcome) == ("success", "released"), run
    weights = [v["CurrentWeight"] for v in rig.describe()["ProductionVariants"]]
    assert sorted(weights) == [1.0, 3.0]


def test_without_rollback_a_failed_release_is_left_for_a_person(rig: Rig) -> None:
    rig.spec(rollback={"enabled": False})
    first = rig.deploy(bias=1)
    bad = rig.deploy("raises", bias=2)
    assert (bad.state, bad.outcome) == ("failed", "failed"), bad
    assert bad.tasks["roll_back"] == "skipped"
    assert rig.describe()["EndpointConfigName"] != first.result["config_after"]
    assert rig.predict() == [2.0, 3.0, 4.0]  # at weight 0 the candidate meets no client

"""The deploy DAG, end to end: real tasks, real endpoints, real predictions."""

from typing import Any

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, Rig, archive

pytestmark = AS_IN_PRODUCTION

_DECLARED = "primary"


def weights(rig: Rig) -> dict[str, float]:
    return {v["VariantName"]: v["CurrentWeight"] for v in rig.describe()["ProductionVariants"]}


def test_first_release_creates_the_endpoint_and_proves_it(rig: Rig) -> None:
    run = rig.deploy(bias=1)
    assert (run.state, run.outcome) == ("success", "released"), run
    assert rig.predict() == [2.0, 3.0, 4.0]
    assert rig.describe()["EndpointConfigName"] == run.result["config_after"]
    (record,) = rig.ledger()
    assert record["outcome"] == "released"
    assert record["evidence"]["smoke_test"]["requests"] >= 1
    assert record["evidence"]["smoke_test"]["data_docs"]


def test_a_second_release_is_staged_and_leaves_only_the_candidate(rig: Rig) -> None:
    first = rig.deploy(bias=1)
    second = rig.deploy(bias=2)
    assert second.outcome == "released", second
    assert second.plan is not None
    assert second.plan["action"] == "stage"
    assert second.tasks["shift_traffic"] == second.tasks["retire_champion"] == "success"
    assert rig.predict() == [3.0, 4.0, 5.0]
    assert second.result["config_before"] == first.result["config_after"]
    (variant,) = weights(rig)
    assert variant.startswith(f"{_DECLARED}-")


def test_releasing_what_is_live_is_nothing_to_do(rig: Rig) -> None:
    rig.deploy(bias=1)
    made = rig.made()
    again = rig.deploy(bias=1)
    assert (again.state, again.outcome) == ("success", "nothing_to_do"), again
    assert again.tasks["apply_endpoint"] == "skipped"
    assert rig.made() == made
    assert len(rig.ledger()) == 1


def test_plan_only_changes_nothing(rig: Rig) -> None:
    run = rig.deploy(bias=1, plan_only=True)
    assert (run.state, run.outcome) == ("success", "planned"), run
    assert rig.made() == (set(), set())
    assert rig.ledger() == []


# What each says in the reason.
BAD = {
    "raises": "no such feature",
    "wrong": "-1000",
    "slow": "expected at most 300 ms",
    "not-json": "text/html",
}


def test_bad_candidates_are_found_at_weight_0_and_taken_back(rig: Rig) -> None:
    rig.spec(
        smoke_tests=[
            {
                "name": "numbers",
                "payload": "numbers.json",
                "expectations": "suite.json",
                "latency_budget_ms": 300,
            }
        ]
    )
    first = rig.deploy(bias=1)
    before, made = weights(rig), rig.made()
    for kind, said in BAD.items():
        bad = rig.deploy(kind, bias=2)
        assert (bad.state, bad.outcome) == ("failed", "rolled_back"), (kind, bad)
        assert said in bad.result["reason"]
        assert bad.tasks["smoke_test"] == "failed"
        assert bad.tasks["shift_traffic"] == "upstream_failed"
        assert bad.tasks["roll_back"] == "success"
        assert rig.describe()["EndpointConfigName"] == first.result["config_after"], kind
        assert weights(rig) == before, kind
        assert rig.made() == made, kind
        assert rig.predict() == [2.0, 3.0, 4.0], kind


def test_a_candidate_that_cannot_start_is_noticed_though_the_service_says_in_service(rig: Rig) -> None:
    first = rig.deploy(bias=1)
    bad = rig.deploy("cannot-start", bias=2)
    assert (bad.state, bad.outcome) == ("failed", "rolled_back"), bad
    assert "SageMaker rolled the update back" in bad.result["reason"]
    assert bad.tasks["wait_for_endpoint"] == "failed"
    assert rig.describe()["EndpointConfigName"] == first.result["config_after"]
    assert rig.predict() == [2.0, 3.0, 4.0]


@pytest.mark.parametrize("kind", ["raises", "cannot-start"])
def test_a_first_release_that_fails_leaves_nothing_behind(rig: Rig, kind: str) -> None:
    run = rig.deploy(kind)
    assert (run.state, run.outcome) == ("failed", "rolled_back"), run
    assert rig.endpoint not in [e["EndpointName"] for e in rig.sagemaker.list_endpoints()["Endpoints"]]
    assert rig.made() == (set(), set())
    assert [r["outcome"] for r in rig.ledger()] == ["rolled_back"]


def test_a_malicious_artifact_never_reaches_create_model(rig: Rig) -> None:
    evil = archive({"code/inference.py": b"", "model.pkl": b"cos\nsystem\n(S'true'\ntR."})
    run = rig.run("deploy", artifact=rig.upload(evil, "evil"))
    assert (run.state, run.outcome) == ("failed", "refused"), run
    assert "model.pkl" in run.result["reason"]
    assert run.tasks["create_model"] == "upstream_failed"
    assert run.tasks["roll_back"] == "skipped"
    assert rig.made() == (set(), set())


def test_a_message_repeats_no_value_of_an_environment(rig: Rig) -> None:
    secret = "canary-77aa31c2"
    rig.spec(model={"environment": {"API_TOKEN": secret}})
    assert rig.deploy(bias=1).outcome == "released"
    bad = rig.deploy("tells", bias=2)
    assert bad.outcome == "rolled_back", bad
    assert "the token is ***" in bad.result["reason"]
    assert secret not in str(rig.ledger())


def test_direct_strategy_updates_in_place_under_the_declared_names(rig: Rig) -> None:
    rig.spec(release={"strategy": "direct"})
    rig.deploy(bias=1)
    second = rig.deploy(bias=2)
    assert second.outcome == "released", second
    assert second.tasks["shift_traffic"] == "skipped"
    assert list(weights(rig)) == [_DECLARED]
    assert rig.predict() == [3.0, 4.0, 5.0]


def test_direct_strategy_rolls_a_bad_model_back_by_an_update(rig: Rig) -> None:
    rig.spec(release={"strategy": "direct"})
    first = rig.deploy(bias=1)
    bad = rig.deploy("raises", bias=2)
    assert (bad.state, bad.outcome) == ("failed", "rolled_back"), bad
    assert rig.describe()["EndpointConfigName"] == first.result["config_after"]
    assert rig.predict() == [2.0, 3.0, 4.0]


def test_a_serverless_endpoint_is_released_directly(rig: Rig) -> None:
    rig.spec(
        release={"strategy": "direct"},
        endpoint={"variants": [{"name": "only", "serverless": {"memory_mb": 2048, "max_concurrency": 5}}]},
    )
    assert rig.deploy(bias=1).outcome == "released"
    assert rig.deploy(bias=2).outcome == "released"
    assert rig.predict() == [3.0, 4.0, 5.0]


def test_two_weighted_variants_are_each_proved_and_share_the_traffic(rig: Rig) -> None:
    variants = [
        {"name": "a", "instance_type": "ml.m5.large", "weight": 0.7, "environment": {"FLAVOR": "a"}},
        {"name": "b", "instance_type": "ml.m5.large", "weight": 0.3, "environment": {"FLAVOR": "b"}},
    ]
    rig.spec(endpoint={"variants": variants})
    assert rig.deploy(bias=1).outcome == "released"
    second = rig.deploy(bias=2)
    assert second.outcome == "released", second
    shares = {name.split("-")[0]: share for name, share in weights(rig).items()}
    assert shares == pytest.approx({"a": 0.7, "b": 0.3}, rel=1e-5)
    for variant in weights(rig):
        assert rig.predict(variant) == [3.0, 4.0, 5.0]
    assert len(rig.made()[1]) == 4


def force(rig: Rig, status: str, local_sagemaker: Any) -> None:
    """Put the endpoint into a state that no call of ours leads to."""
    import httpx

    answer = httpx.post(
        f"{local_sagemaker.url}/_local/endpoints/{rig.endpoint}/status", json={"status": status}
    )
    assert answer.status_code == 200, answer.text


def test_a_broken_endpoint_is_made_whole(rig: Rig, local_sagemaker: Any) -> None:
    rig.deploy(bias=1)
    for bias, status in enumerate(("Failed", "OutOfService", "UpdateRollbackFailed"), start=2):
        force(rig, status, local_sagemaker)
        run = rig.deploy(bias=bias)
        assert run.outcome == "released", (status, run)
        assert rig.describe()["EndpointStatus"] == "InService"
        assert rig.predict() == [1.0 + bias, 2.0 + bias, 3.0 + bias]


def test_a_failed_endpoint_is_recreated_on_the_last_good_release_when_the_candidate_fails(
    rig: Rig, local_sagemaker: Any
) -> None:
    rig.deploy(bias=1)
    good = rig.deploy(bias=2)
    force(rig, "OutOfService", local_sagemaker)
    bad = rig.deploy("raises", bias=3)
    assert (bad.state, bad.outcome) == ("failed", "rolled_back"), bad
    assert rig.describe()["EndpointConfigName"] == good.result["config_after"]
    assert rig.predict() == [3.0, 4.0, 5.0]


def test_weights_changed_by_hand_are_brought_back(rig: Rig) -> None:
    variants = [{"name": n, "instance_type": "ml.m5.large", "weight": w} for n, w in (("a", 3), ("b", 1))]
    rig.spec(endpoint={"variants": variants})
    rig.deploy(bias=1)
    names = sorted(weights(rig))
    rig.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=rig.endpoint,
        DesiredWeightsAndCapacities=[{"VariantName": n, "DesiredWeight": 1.0} for n in names],
    )
    rig.sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName=rig.endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    run = rig.deploy(bias=1)
    assert run.outcome == "released", run
    assert run.plan is not None
    assert run.plan["action"] == "reweigh"
    assert sorted(weights(rig).values()) == [1.0, 3.0]


def test_a_wrong_checksum_is_refused(rig: Rig) -> None:
    uri = rig.artifact(bias=1)
    rig.spec(model={"artifact": uri, "sha256": "0" * 64})
    run = rig.run("deploy")
    assert run.outcome == "refused", run
    assert "0" * 64 in run.result["reason"]


def test_environment_values_reach_the_model_and_nothing_else(rig: Rig) -> None:
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    canary = "canary-5f1e0c"
    rig.spec(model={"environment": {"API_TOKEN": canary}})
    assert rig.deploy(bias=1).outcome == "released"
    (model,) = rig.made()[1]
    container = rig.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]
    assert container["Environment"]["API_TOKEN"] == canary
    assert canary not in str(rig.ledger())
    with create_session() as session:
        stored = session.query(XComModel.value).filter(XComModel.dag_id == f"deploy__{rig.name}__test").all()
    assert stored
    assert canary not in str(stored)

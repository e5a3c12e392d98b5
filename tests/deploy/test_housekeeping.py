"""Retention by the sentinel DAG: what is kept can be restored, what nothing refers to is gone."""

from typing import Any

import pytest
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from sqlalchemy import select

from endpoint_deploy.aws.holdings import holdings
from endpoint_deploy.core import naming
from tests.deploy.fault_proxy import FaultProxy
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, ROLE, Rig

pytestmark = AS_IN_PRODUCTION
_RETENTION = {"releases": 2}


def archives(rig: Rig) -> set[str]:
    """SHA-256 of the pinned archives in the rig's store."""
    found = rig.clients("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"store-{rig.name}/artifacts/")
    return {o["Key"].split("/")[3] for o in found.get("Contents", []) if o["Key"].endswith("model.tar.gz")}


def housekeep(rig: Rig) -> dict[str, Any]:
    ended = rig.run("sentinel")
    assert ended.state == "success", ended
    assert rig.locks() == []
    return ended.result


def test_the_newest_releases_stay_and_can_be_restored(rig: Rig) -> None:
    rig.spec(retention=_RETENTION)
    for bias in (1, 2, 3):
        assert rig.deploy(bias=bias).outcome == "released"
    assert rig.deploy("raises", bias=9).outcome == "rolled_back"
    before = rig.made()
    assert len(archives(rig)) == 4

    cleaned = housekeep(rig)
    assert cleaned["restorable"] == [3, 2]
    configs, models = rig.made()
    assert len(configs) == len(models) == len(archives(rig)) == 2
    assert before[0] - configs == set(cleaned["configs"])
    assert rig.predict() == [4.0, 5.0, 6.0]

    again = housekeep(rig)
    assert again == {
        "alarms": [],
        "configs": [],
        "models": [],
        "packages": [],
        "artifacts": [],
        "jobs": [],
        "runs": [],
        "restorable": [3, 2],
    }
    back = rig.run("rollback", release=2)
    assert back.outcome == "released", back
    assert rig.predict() == [3.0, 4.0, 5.0]
    gone = rig.run("rollback", release=1)
    assert gone.state == "failed"
    assert "no longer exists" in gone.result["reason"]
    assert "release its artifact again" in gone.result["reason"]


def test_what_was_rolled_back_to_is_live_and_stays(rig: Rig) -> None:
    rig.spec(retention={"releases": 1})
    for bias in (1, 2):
        assert rig.deploy(bias=bias).outcome == "released"
    assert rig.run("rollback", release=1).outcome == "released"
    assert housekeep(rig)["restorable"] == [3]
    assert rig.predict() == [2.0, 3.0, 4.0]
    assert len(archives(rig)) == 1


def test_what_runs_noted_of_their_stages_goes_with_their_releases(rig: Rig) -> None:
    rig.spec(retention={"releases": 1})
    for bias in (1, 2, 3):
        assert rig.deploy(bias=bias).outcome == "released"
    # The first one met no endpoint, and had no traffic to shift.
    second, third = (naming.run_key(r["run"]["dag_id"], r["run"]["run_id"]) for r in rig.ledger()[1:])

    def noted() -> set[str]:
        under = f"{rig.store}/stages/{rig.endpoint}/"
        found = rig.clients("s3").list_objects_v2(Bucket=BUCKET, Prefix=under).get("Contents", [])
        return {item["Key"].removeprefix(under).partition("/")[0] for item in found}

    assert noted() == {second, third}
    assert housekeep(rig)["runs"] == [second]
    assert noted() == {third}
    assert [record["evidence"]["shift_traffic"]["stages"][-1]["percent"] for record in rig.ledger()[1:]] == [
        100,
        100,
    ]


def test_what_others_use_stays(rig: Rig) -> None:
    rig.spec(retention={"releases": 1})
    assert rig.deploy(bias=1).outcome == "released"
    (model,) = rig.made()[1]
    # Somebody tries our model on a configuration of their own, and has a model of theirs named like ours.
    rig.sagemaker.create_endpoint_config(
        EndpointConfigName=f"somebody-{rig.name}",
        ProductionVariants=[
            {"VariantName": "v", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        ],
    )
    theirs = f"{rig.endpoint}-by-hand"
    rig.sagemaker.create_model(
        ModelName=theirs,
        PrimaryContainer={
            "Image": rig.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]["Image"]
        },
        ExecutionRoleArn=ROLE,
    )
    assert rig.deploy(bias=2).outcome == "released"
    cleaned = housekeep(rig)
    assert cleaned["models"] == []
    assert {model, theirs} <= rig.made()[1]
    assert len(archives(rig)) == 2


def test_an_archive_that_another_endpoint_of_the_store_uses_stays(rig: Rig) -> None:
    rig.spec(retention={"releases": 1})
    shared = rig.artifact(bias=1)
    assert rig.run(artifact=shared).outcome == "released"
    store = f"s3://{BUCKET}/store-{rig.name}"
    other = Rig(specs=rig.specs, clients=rig.clients)
    other.spec(aws={"store": store}, retention={"releases": 1})
    assert other.run(artifact=shared).outcome == "released"
    assert rig.deploy(bias=2).outcome == "released"

    assert housekeep(rig)["artifacts"] == []
    assert len(archives(rig)) == 2
    assert other.deploy(bias=3).outcome == "released"
    assert len(housekeep(other)["artifacts"]) == 1
    assert len(archives(rig)) == 2
    assert other.run("teardown", confirm=other.endpoint).state == "success"


def set_state_of_newest_run(rig: Rig, state: str) -> None:
    """In Airflow's database, of the newest run of the deploy DAG: `running` is what one that waits is."""
    with create_session() as session:
        runs = select(DagRun).where(DagRun.dag_id == f"deploy__{rig.key}").order_by(DagRun.id.desc())
        newest = session.scalars(runs).first()
        assert newest is not None
        newest.state = state


def test_what_a_live_run_is_to_release_stays_until_it_has_ended(rig: Rig) -> None:
    rig.spec(retention={"releases": 1})
    first = rig.artifact(bias=1)
    assert rig.run(artifact=first).outcome == "released"
    assert rig.deploy(bias=2).outcome == "released"
    assert rig.run(artifact=first, plan_only=True).outcome == "planned"
    set_state_of_newest_run(rig, "running")
    assert housekeep(rig)["artifacts"] == []
    assert len(archives(rig)) == 2
    set_state_of_newest_run(rig, "success")
    assert len(housekeep(rig)["artifacts"]) == 1
    assert len(archives(rig)) == 1
    assert rig.clients("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"{rig.store}/holds/")["KeyCount"] == 0


def test_looking_things_up_keeps_no_rollback_out(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.spec(retention={"releases": 1})
    for bias in (1, 2):
        assert rig.deploy(bias=bias).outcome == "released"
    locks = []

    def look_up(*arguments: Any) -> Any:
        locks.append(rig.locks())
        return holdings(*arguments)

    monkeypatch.setattr("endpoint_deploy.operators.housekeep.holdings", look_up)
    assert housekeep(rig)["restorable"] == [2]
    assert locks == [[]]


def test_what_came_to_be_live_while_things_were_looked_up_stays(rig: Rig, proxy: FaultProxy) -> None:
    rig.spec(retention={"releases": 1})
    for bias in (1, 2):
        assert rig.deploy(bias=bias).outcome == "released"
    first, second = (release["config_after"] for release in rig.ledger())

    def restore_by_hand() -> None:
        rig.sagemaker.update_endpoint(EndpointName=rig.endpoint, EndpointConfigName=first)

    proxy.after("SageMaker.ListEndpointConfigs", restore_by_hand)
    # Release 1 was not to be kept when the configurations were listed; looking again, it is live.
    assert housekeep(rig)["restorable"] == [2, 1]
    described = rig.describe()
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", first)
    configs, models = rig.made()
    assert (configs, len(models)) == ({first, second}, 2)
    assert rig.predict() == [2.0, 3.0, 4.0]


def put_alarm(rig: Rig, name: str, tags: dict[str, str]) -> None:
    rig.clients("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="Test",
        MetricName="Nothing",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )


@pytest.mark.parametrize("kind", ["sentinel", "teardown"])
def test_alarms_that_a_lost_run_has_left_go_and_those_of_others_stay(rig: Rig, kind: str) -> None:
    rig.spec(retention=_RETENTION)
    assert rig.deploy(bias=1).outcome == "released"
    left, others = f"{rig.endpoint}-0123456789ab-ModelLatency", f"{rig.endpoint}-by-hand"
    put_alarm(rig, left, {"endpoint-deploy:endpoint": rig.endpoint})
    put_alarm(rig, others, {"team": "growth"})
    run = rig.run(kind, **({"confirm": rig.endpoint} if kind == "teardown" else {}))
    assert run.state == "success", run
    assert run.result["alarms"] == [left]
    found = rig.clients("cloudwatch").describe_alarms(AlarmNamePrefix=rig.endpoint)["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in found] == [others]

"""The sentinel: each planted drift is found once, told once, and closed when it is gone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from sqlalchemy import select

from endpoint_deploy.core.findings import KINDS
from tests.deploy.planted import PLANTED, Drift, adjust, configuration_by_hand, kind_of, spec_edited
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, Rig, ensure_bucket
from tests.deploy.test_ledger_commands import cli, table
from tests.deploy.watched import Watched
from tests.soak import SOAK

pytestmark = AS_IN_PRODUCTION


@pytest.fixture(scope="module")
def watched(
    tmp_path_factory: pytest.TempPathFactory, local_sagemaker: Any, airflow_db: str
) -> Iterator[Watched]:
    """One deployment for them all: each test leaves it as it was released."""
    specs = tmp_path_factory.mktemp("specs")
    ensure_bucket(local_sagemaker.client("s3"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENDPOINT_DEPLOY_SPECS", str(specs))
        made = Watched(Rig(specs=specs, clients=local_sagemaker.client))
        made.is_well()
        yield made
        made.rig.sagemaker.delete_endpoint(EndpointName=made.rig.endpoint)


def test_every_kind_is_planted() -> None:
    assert {kind_of(drift) for drift in PLANTED} == KINDS


@pytest.mark.parametrize("drift", PLANTED, ids=lambda drift: drift.__name__)
def test_a_drift_is_told_once_until_it_is_gone_and_again_when_it_comes_back(
    watched: Watched, drift: Drift
) -> None:
    for _ in range(2 if SOAK or drift is PLANTED[0] else 1):
        with drift(watched):
            watched.finds_once(kind_of(drift))
        watched.is_well()


def test_what_nobody_could_be_told_is_told_later(watched: Watched) -> None:
    with spec_edited(watched):
        watched.topic.delete()
        assert watched.look() == ["spec"]
        watched.topic.make()
        watched.finds_once("spec")
    watched.is_well()


def test_what_autoscaling_may_set_is_no_drift(watched: Watched) -> None:
    rig = watched.rig
    (variant,) = [v["VariantName"] for v in rig.describe()["ProductionVariants"]]
    scaling = rig.clients("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{rig.endpoint}/variant/{variant}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    adjust(rig, DesiredInstanceCount=2)
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2)
    try:
        assert "counts" not in watched.look()
    finally:
        scaling.deregister_scalable_target(**target)
        adjust(rig, DesiredInstanceCount=1)
        watched.look()
        watched.topic.subjects()
    watched.is_well()


def test_a_finding_says_what_the_spec_asks_for_instead(watched: Watched) -> None:
    with spec_edited(watched):
        watched.finds_once("spec")
        (finding,) = watched.findings()["open"]
        assert "ml.m5.large -> ml.m5.xlarge" in finding["message"]
    watched.is_well()


def test_status_shows_what_is_found(watched: Watched) -> None:
    with configuration_by_hand(watched):
        watched.finds_once("configuration")
        (row,) = table(cli("status").stdout)
        assert row["findings"] == "1"
        live = watched.rig.describe()["EndpointConfigName"]
        assert f"configuration: found configuration {live}, expected" in cli("status").stderr
    watched.is_well()


def set_state_of_newest_run(rig: Rig, state: str) -> dict[str, str]:
    """As if the newest deploy run were in that state; what it would write into the lock."""
    with create_session() as session:
        runs = select(DagRun).where(DagRun.dag_id == f"deploy__{rig.key}").order_by(DagRun.id.desc())
        newest = session.scalars(runs).first()
        assert newest is not None
        newest.state = state
        return {"dag_id": newest.dag_id, "run_id": newest.run_id}


def test_what_is_being_released_is_no_drift(watched: Watched) -> None:
    rig = watched.rig
    key = f"{rig.store}/locks/{rig.endpoint}.json"
    with configuration_by_hand(watched):
        holder = set_state_of_newest_run(rig, "running")
        rig.clients("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps(holder).encode())
        assert rig.run("sentinel").tasks["check_live"] == "skipped"
        # The lock of a run that has ended says nothing.
        set_state_of_newest_run(rig, "failed")
        watched.finds_once("configuration")
        rig.clients("s3").delete_object(Bucket=BUCKET, Key=key)
    watched.is_well()

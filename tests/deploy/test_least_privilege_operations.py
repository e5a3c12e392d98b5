"""Autoscaling, the sentinel, freezes and the pages under the policies of include/iam."""

import json

import pytest

from endpoint_deploy.dag_builders.specs import load_file
from endpoint_deploy.ui.service import Service
from tests.deploy.planted import adjust, live_model
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, REGION, Rig
from tests.deploy.scaler import SECTION, Scaler, only
from tests.deploy.worker import ACCOUNT, Worker
from tests.soak import some_of

pytestmark = AS_IN_PRODUCTION
_STEP = {
    "name": "busy",
    "alarm": {
        "metric": {"namespace": "AWS/SageMaker", "name": "InvocationsPerInstance", "statistic": "Sum"},
        "threshold": 1_000_000,
    },
    "steps": [{"lower": 0, "adjustment": 1}],
}


@pytest.mark.parametrize("strategy", some_of(("staged", "direct"), always=("staged",)))
def test_the_policies_suffice_for_autoscaling(worker: Worker, strategy: str) -> None:
    rig, scaler = worker.rig, Scaler(worker.rig)
    worker.grant("autoscaling-policy.json")
    variant = {"instance_type": "ml.m5.large", "autoscaling": {**SECTION, "step": [_STEP]}}
    worker.spec(endpoint={"variants": [variant]}, release={"strategy": strategy})
    for bias in (1, 2):
        run = rig.run(artifact=Rig.artifact(rig, bias=bias))
        assert (run.state, run.outcome) == ("success", "released"), run
    before = scaler.all_of(only(rig)["VariantName"])
    assert len(before["policies"]) == 2
    bad = rig.run(artifact=Rig.artifact(rig, "raises", bias=3))
    assert bad.outcome == "rolled_back", bad
    assert scaler.all_of(only(rig)["VariantName"]) == before
    back = rig.run("rollback", reason="least privilege")
    assert (back.state, back.outcome) == ("success", "released"), back
    run = rig.run("teardown", confirm=rig.endpoint)
    assert run.state == "success", run
    assert (scaler.targets(), scaler.alarms()) == ({}, {})


def test_without_its_policy_a_scaled_release_names_the_right(worker: Worker) -> None:
    variant = {"instance_type": "ml.m5.large", "autoscaling": SECTION}
    worker.spec(endpoint={"variants": [variant]})
    run = worker.rig.run(artifact=Rig.artifact(worker.rig, bias=1))
    assert run.state == "failed", run
    assert "is not authorized to perform: application-autoscaling:" in run.result["reason"]


@pytest.fixture
def watched(worker: Worker) -> Worker:
    """A released deployment with an image in its own account, an alarm, and the sentinel."""
    rig = worker.rig
    ecr = rig.clients("ecr")
    ecr.create_repository(repositoryName=rig.name)
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}
    ecr.put_image(repositoryName=rig.name, imageManifest=json.dumps(manifest), imageTag="1")
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{rig.name}:1"
    worker.spec(model={"image": image, "script_mode": True}, sentinel={})
    assert rig.run(artifact=Rig.artifact(rig)).outcome == "released"
    return worker


def findings(rig: Rig) -> list[tuple[str, str]]:
    """Kind and subject of what the sentinel has found."""
    key = f"{rig.store}/findings/{rig.endpoint}.json"
    found = json.loads(rig.clients("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())
    return [(each["kind"], each["subject"]) for each in found["open"]]


def test_the_policies_suffice_for_the_sentinel(watched: Worker) -> None:
    watched.grant("sentinel-policy.json")
    rig = watched.rig
    assert rig.run("sentinel").state == "success"
    adjust(rig, DesiredInstanceCount=2)
    assert rig.run("sentinel").state == "failed"
    assert findings(rig) == [("counts", only(rig)["VariantName"])]


def test_a_check_that_may_not_ask_fails_the_run_and_hides_no_other(watched: Worker) -> None:
    watched.grant("sentinel-policy.json", without="LookWhetherTheExecutionRoleIsThere")
    rig = watched.rig
    assert rig.run("sentinel").state == "failed"
    assert findings(rig) == []
    uri = live_model(rig)["PrimaryContainer"]["ModelDataUrl"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    rig.clients("s3").delete_object(Bucket=bucket, Key=key)
    assert rig.run("sentinel").state == "failed"
    assert findings(rig) == [("artifact", f"{uri} gone")]


def test_the_policies_suffice_to_freeze_and_thaw(worker: Worker) -> None:
    rig = worker.rig
    worker.spec(changes={"hold_timeout_seconds": 10, "poll_seconds": 0.2})
    assert rig.run("freeze", reason="least privilege").state == "success"
    held = rig.run(artifact=Rig.artifact(rig))
    assert held.outcome == "failed", held
    assert "the release was held for 10 s" in held.result["reason"]
    assert rig.run("freeze", action="thaw").state == "success"
    run = rig.run(artifact=Rig.artifact(rig))
    assert (run.state, run.outcome) == ("success", "released"), run


def test_the_policy_of_the_pages_suffices_for_them(worker: Worker) -> None:
    rig = worker.rig
    assert rig.run(artifact=Rig.artifact(rig)).outcome == "released"
    assert rig.run("freeze", action="freeze", reason="stocktaking").state == "success"
    worker.only("ui-policy.json")
    deployment = load_file(rig.file)
    key, service = deployment.key, Service()
    listed = service.listed(deployment)
    described = service.described([deployment], listed.value or {})[key]
    assert described.value is not None
    variants = [variant.name for variant in described.value.variants]
    answers = {
        "listed": listed,
        "described": described,
        "latest": service.latest(deployment),
        "freeze": service.freezes([deployment])[key],
        "history": service.history(deployment, 1, 50),
        "release": service.release(deployment, 1),
        "traffic": service.traffic([(deployment, variants)], "hour", page="one")[key],
    }
    assert {what: each.problem for what, each in answers.items()} == dict.fromkeys(answers)
    assert all(each.value for each in answers.values())
    refused = rig.run("freeze", action="thaw")
    assert refused.state == "failed", "the pages may change something"

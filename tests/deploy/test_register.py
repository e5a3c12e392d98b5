"""Registering a candidate that passed its gates: once, with its lineage, and announced where approved."""

import json
from typing import Any

import pytest
import yaml

from tests.deploy.fault_proxy import MORE_THAN_LOSSES, FaultProxy, rounds
from tests.deploy.packages import Group, published
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, Rig
from tests.retrain.evaluation_rig import EvaluationRig, Gated

pytestmark = AS_IN_PRODUCTION
_CHAMPION = {"sha256": "c" * 64, "pinned": "s3://bucket/champion", "release": 7}
_DATA = {"digest": "d" * 64, "bucket": "b", "manifest": "s3://bucket/manifest.json", "files": []}


class Registering(EvaluationRig):
    """Runs of `register` after given results of the tasks before it."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(rig, monkeypatch)
        self.group = Group(rig)
        self.registry()

    def registry(self, **changes: Any) -> None:
        """Write the spec with such a section `registry`."""
        self.spec()
        body = yaml.safe_load(self.rig.file.read_text())
        body["registry"] = {"group": self.group.name, **changes}
        body["run"] = {"retries": MORE_THAN_LOSSES, "retry_delay_seconds": 0}
        self.rig.file.write_text(yaml.safe_dump(body))

    def register(self, cut: float = 0.5, given: str | None = None, **changes: Any) -> Gated:
        """Register a candidate, evaluated by the job `job-<cut>`."""
        trained = {"artifact": "s3://b/m.tar.gz", "image": "i", "job": "train-1", "code_sha256": "e" * 64}
        if given:
            trained = {"artifact": "s3://b/m.tar.gz", "image": "i", "kind": "package", "model_package": given}
        told: dict[str, Any] = {
            "select_data": None if given else _DATA,
            "train": trained,
            "validate_candidate": self.candidate(cut=cut),
            "evaluate": {"job": f"job-{cut}", "predictions": "s3://b/p", "rows": 9, "champion": _CHAMPION},
            "gate_metrics": {
                "rows": 9,
                "confidence": 0.95,
                "metrics": [{"name": "accuracy", "candidate": 0.9, "champion": 0.8}],
                "champion": _CHAMPION,
            },
            **changes,
        }
        return self._run("register", **told)

    @property
    def events(self) -> list[str]:
        """The packages that were published, in order."""
        return [event["model_package"] for event in published(f"package__{self.rig.key}")]

    def objects(self, under: str) -> dict[str, Any]:
        """The JSON documents below a folder of the store."""
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{self.rig.store}/{under}")
        return {
            item["Key"]: json.loads(self.s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read())
            for item in found.get("Contents", [])
        }


def arn_of(run: Gated) -> str:
    return str(run.xcoms["register"]["return_value"]["arn"])


def status_of(run: Gated) -> str:
    return str(run.xcoms["register"]["return_value"]["status"])


@pytest.fixture
def registering(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Registering:
    return Registering(rig, monkeypatch)


def test_a_candidate_that_passed_is_registered_with_its_lineage(registering: Registering) -> None:
    run = registering.register()
    (package,) = registering.group.packages()
    assert run.xcoms["register"]["return_value"] == {
        "arn": package["ModelPackageArn"],
        "group": registering.group.name,
        "version": 1,
        "status": "Approved",
    }
    candidate = registering.candidate()["candidate"]
    (container,) = package["InferenceSpecification"]["Containers"]
    assert (container["Image"], container["ModelDataUrl"]) == (candidate["image"], candidate["pinned"])
    assert "passed the gates of register__" in package["ApprovalDescription"]
    said = package["CustomerMetadataProperties"]
    assert {key.removeprefix("endpoint-deploy:"): value for key, value in said.items()} == {
        "deployment": registering.rig.key,
        "endpoint": registering.rig.endpoint,
        "artifact-sha256": candidate["sha256"],
        "champion-sha256": "c" * 64,
        "champion-release": "7",
        "training-set": "d" * 64,
        "training-manifest": "s3://bucket/manifest.json",
        "training-job": "train-1",
        "code-sha256": "e" * 64,
        "evaluation-job": "job-0.5",
        "dag-id": f"register__{registering.rig.key}",
        "run-id": said["endpoint-deploy:run-id"],
        "package-key": said["endpoint-deploy:package-key"],
    }
    assert package["MetadataProperties"]["CommitId"] == "e" * 64
    statistics = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    ((key, found),) = registering.objects("evaluations/").items()
    assert statistics == f"s3://{BUCKET}/{key}"
    assert found["classification_metrics"]["accuracy"] == {"value": 0.9, "champion": 0.8}
    assert found["lineage"]["evaluation"]["job"] == "job-0.5"
    assert registering.events == [package["ModelPackageArn"]]
    sagemaker = registering.rig.sagemaker
    group = sagemaker.describe_model_package_group(ModelPackageGroupName=registering.group.name)
    its_tags = sagemaker.list_tags(ResourceArn=group["ModelPackageGroupArn"])["Tags"]
    assert {"Key": "endpoint-deploy:deployment", "Value": registering.rig.key} in its_tags


def test_the_same_candidate_and_evaluation_are_one_package_and_one_event(registering: Registering) -> None:
    assert arn_of(registering.register()) == arn_of(registering.register())
    assert len(registering.group.packages()) == len(registering.events) == 1
    registering.register(cut=0.4)
    assert len(registering.group.packages()) == len(registering.events) == 2


def test_with_manual_approval_it_stays_pending_and_nothing_is_published(registering: Registering) -> None:
    registering.registry(approval="manual")
    assert status_of(registering.register()) == "PendingManualApproval"
    assert registering.events == []
    assert registering.objects("announced/") == {}


def test_what_a_person_rejected_is_not_approved_by_running_again(registering: Registering) -> None:
    arn = arn_of(registering.register())
    registering.group.set_status(arn, "Rejected")
    assert status_of(registering.register()) == "Rejected"
    assert registering.events == [arn]


def test_a_given_package_is_approved_and_published_and_none_is_made(registering: Registering) -> None:
    arn = registering.group.register("s3://b-b/m.tar.gz", "Rejected")
    assert status_of(registering.register(given=arn)) == "Approved"
    (package,) = registering.group.packages()
    assert package["CustomerMetadataProperties"]["endpoint-deploy:champion-sha256"] == "c" * 64
    registering.register(given=arn)
    assert registering.events == [arn, arn]  # somebody asked for it twice


def test_a_given_package_of_another_group_is_refused(registering: Registering) -> None:
    other = Group(Rig(specs=registering.rig.specs, clients=registering.rig.clients))
    arn = other.register("s3://b-b/m.tar.gz", "PendingManualApproval")
    run = registering.register(given=arn)
    assert f"expected one of {registering.group.name}" in run.failure("register")["message"]
    assert [p["ModelApprovalStatus"] for p in other.packages()] == ["PendingManualApproval"]


def test_without_metrics_there_is_nothing_to_register(registering: Registering) -> None:
    assert registering.register(gate_metrics=None).states["register"] == "skipped"


def test_an_archive_that_is_gone_since_it_was_pinned_is_not_registered(registering: Registering) -> None:
    validated = registering.candidate(cut=0.3)
    pinned = validated["candidate"]["pinned"]
    registering.s3.delete_object(Bucket=BUCKET, Key=pinned.removeprefix(f"s3://{BUCKET}/"))
    run = registering.register(validate_candidate=validated)
    assert (
        f"{pinned} is gone since it was pinned; clear from `validate_candidate`"
        in run.failure("register")["message"]
    )
    assert (registering.group.packages(), registering.events) == ([], [])


def test_a_crash_after_any_call_leaves_one_package_and_one_event(
    registering: Registering, proxy: FaultProxy
) -> None:
    def check(number: int, at: str) -> None:
        packages = registering.group.packages()
        assert [p["ModelApprovalStatus"] for p in packages] == ["Approved"] * number, at
        assert registering.events == [p["ModelPackageArn"] for p in packages], at

    def run(number: int) -> Any:
        ended = registering.register(cut=number / 100)
        assert ended.states["register"] == "success", ended
        return ended

    assert rounds(proxy, run, check) >= 10

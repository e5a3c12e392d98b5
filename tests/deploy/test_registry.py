"""Releases of model packages: which one a run takes, which it refuses, what it records."""

import hashlib
from typing import Any

import pytest

from tests.deploy.packages import IMAGE, Group
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, Rig, Run

pytestmark = AS_IN_PRODUCTION
_PLAIN = [{"name": "numbers", "payload": "numbers.json"}]
_SHA256 = "endpoint-deploy:artifact-sha256"
_CHAMPION = "endpoint-deploy:champion-sha256"


@pytest.fixture
def group(rig: Rig) -> Group:
    """The group of a deployment that releases what it holds, and has no artifact of its own."""
    made = Group(rig)
    rig.spec(
        registry={"group": made.name},
        model={"artifact": None, "image": {"framework": "sklearn", "version": "1.2-1"}},
        smoke_tests=_PLAIN,
    )
    return made


def refused(run: Run) -> str:
    """Why nothing was changed."""
    assert (run.state, run.outcome) == ("failed", "refused"), run
    assert run.tasks["create_model"] == "upstream_failed"
    return str(run.result["reason"])


def sha256(rig: Rig, artifact: str) -> str:
    key = artifact.removeprefix(f"s3://{BUCKET}/")
    return hashlib.sha256(rig.clients("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()).hexdigest()


def test_a_run_without_a_form_releases_the_newest_approved_package(rig: Rig, group: Group) -> None:
    group.register(rig.artifact(bias=1))
    arn = group.register(rig.artifact(bias=2))
    group.register(rig.artifact(bias=3), "PendingManualApproval")
    group.register(rig.artifact(bias=4), "Rejected")
    run = rig.run()
    assert (run.state, run.outcome) == ("success", "released"), run
    assert rig.predict() == [3.0, 4.0, 5.0]
    (record,) = rig.ledger()
    assert record["model_package"] == arn
    assert record["image"] == IMAGE
    assert rig.run().outcome == "nothing_to_do"

    group.set_status(arn, "Rejected")
    assert rig.run().outcome == "released"
    assert rig.predict() == [2.0, 3.0, 4.0]


def test_the_form_s_package_is_released_and_no_other(rig: Rig, group: Group) -> None:
    old = group.register(rig.artifact(bias=1))
    group.register(rig.artifact(bias=2))
    assert rig.run(model_package=old).outcome == "released"
    assert rig.predict() == [2.0, 3.0, 4.0]
    rollback = rig.run("rollback", release=1)
    assert rollback.outcome == "nothing_to_do"


def test_an_artifact_in_the_form_goes_before_the_registry(rig: Rig, group: Group) -> None:
    group.register(rig.artifact(bias=1))
    assert rig.deploy(bias=5).outcome == "released"
    assert rig.predict() == [6.0, 7.0, 8.0]
    assert rig.ledger()[0]["model_package"] is None


def test_without_an_approved_package_the_spec_s_artifact_is_released(rig: Rig) -> None:
    group = Group(rig)
    rig.spec(registry={"group": group.name}, smoke_tests=_PLAIN)
    rig.artifact(bias=1)
    assert rig.run(plan_only=True).outcome == "planned"
    group.register(rig.artifact(bias=2), "PendingManualApproval")
    assert rig.run().outcome == "released"
    assert rig.predict() == [2.0, 3.0, 4.0]


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_a_package_that_is_not_approved_is_refused(rig: Rig, group: Group, status: str) -> None:
    arn = group.register(rig.artifact(bias=1), status)
    group.set_status(arn, status, said="the recall fell")
    reason = refused(rig.run(model_package=arn))
    assert f"{arn} is {status} (the recall fell), expected Approved" in reason
    assert f"group {group.name}" in reason


def test_there_must_be_something_to_release(rig: Rig, group: Group) -> None:
    assert f"group {group.name} has no approved model package" in refused(rig.run())


def test_a_package_of_another_group_is_refused(rig: Rig, group: Group) -> None:
    other = Group(Rig(specs=rig.specs, clients=rig.clients))
    arn = other.register(rig.artifact(bias=1))
    reason = refused(rig.run(model_package=arn))
    assert f"is in group {other.name}, expected one of {group.name}" in reason


def test_a_package_that_does_not_exist_is_refused(rig: Rig, group: Group) -> None:
    arn = group.register(rig.artifact(bias=1)) + "0"
    assert f"there is no model package {arn}" in refused(rig.run(model_package=arn))


@pytest.mark.parametrize("beside", [{"artifact": "s3://b-b/m.tar.gz"}, {"image": IMAGE}])
def test_a_package_says_artifact_and_image_itself(rig: Rig, group: Group, beside: dict[str, str]) -> None:
    arn = group.register(rig.artifact(bias=1))
    assert "a model package beside an artifact or an image" in refused(rig.run(model_package=arn, **beside))


def test_an_image_alone_does_not_change_a_package(rig: Rig, group: Group) -> None:
    group.register(rig.artifact(bias=1))
    assert "has one of its own" in refused(rig.run(image=IMAGE))


def test_a_package_needs_a_registry_in_the_spec(rig: Rig) -> None:
    arn = Group(rig).register(rig.artifact(bias=1))
    assert "the spec has no section `registry`" in refused(rig.run(model_package=arn))


def test_other_bytes_than_those_that_were_registered_are_refused(rig: Rig, group: Group) -> None:
    artifact = rig.artifact(bias=1)
    recorded = sha256(rig, artifact)
    group.register(artifact, **{_SHA256: recorded})
    key = artifact.removeprefix(f"s3://{BUCKET}/")
    replaced = rig.artifact(bias=2).removeprefix(f"s3://{BUCKET}/")
    rig.clients("s3").copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": replaced})
    assert recorded in refused(rig.run())


def warnings(run: Run) -> list[str]:
    assert run.plan is not None
    return [w for w in run.plan["warnings"] if "evaluated against" in w]


def test_a_comparison_with_another_champion_is_warned_of(rig: Rig, group: Group) -> None:
    first, second, third = (rig.artifact(bias=bias) for bias in (1, 2, 3))
    group.register(first)
    assert warnings(rig.run()) == []  # nothing is live to be compared with
    group.register(second, **{_CHAMPION: sha256(rig, first)})
    assert warnings(rig.run()) == []
    arn = group.register(third, **{_CHAMPION: sha256(rig, first)})
    planned = rig.run(plan_only=True)
    (warning,) = warnings(planned)
    assert warning.startswith(f"{arn} was evaluated against {sha256(rig, first)[:12]}, and ")
    assert f"{sha256(rig, second)[:12]} is live" in warning
    unknown = group.register(third)
    (warning,) = warnings(rig.run(plan_only=True, model_package=unknown))
    assert "was evaluated against no champion" in warning


def test_the_plan_of_the_command_line_is_that_of_a_run(
    rig: Rig, group: Group, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    from typer.testing import CliRunner

    from endpoint_deploy.cli import app

    def planned(*options: str) -> dict[str, Any]:
        done = CliRunner().invoke(app, ["plan", str(rig.file), "--json", *options])
        assert done.exit_code == 2, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    old, new = rig.artifact(bias=1), rig.artifact(bias=2)
    arn = group.register(old)
    group.register(new)
    assert planned()["artifact_sha256"] == sha256(rig, new)
    assert planned("--model-package", arn)["artifact_sha256"] == sha256(rig, old)
    group.set_status(arn, "Rejected")
    done = CliRunner().invoke(app, ["plan", str(rig.file), "--model-package", arn])
    assert done.exit_code == 1
    assert "is Rejected, expected Approved" in " ".join(done.output.split())

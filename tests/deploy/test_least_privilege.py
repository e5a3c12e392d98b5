"""Releases under the policies of include/iam, by a SageMaker that enforces them."""

from datetime import UTC, datetime

from endpoint_deploy.analysis.look import Sides, Stage, Subject
from endpoint_deploy.analysis.take_look import take_look
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.dag_builders.specs import load_file
from tests.batch.rig import table
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, REGION, Rig
from tests.deploy.worker import Worker

pytestmark = AS_IN_PRODUCTION


def test_the_policies_suffice_for_releases_rollback_and_teardown(worker: Worker) -> None:
    rig = worker.rig
    for bias in (1, 2):
        run = rig.run(artifact=Rig.artifact(rig, bias=bias))
        assert (run.state, run.outcome) == ("success", "released"), run
    assert rig.predict() == [3.0, 4.0, 5.0]
    run = rig.run("rollback", reason="least privilege")
    assert (run.state, run.outcome) == ("success", "released"), run
    assert rig.predict() == [2.0, 3.0, 4.0]
    assert rig.locks() == []
    run = rig.run("teardown", confirm=rig.endpoint)
    assert run.state == "success", run
    assert rig.made() == (set(), set())


def test_the_policies_suffice_for_guardrails(worker: Worker) -> None:
    rig = worker.rig
    worker.spec(
        release={
            "strategy": "direct",
            "routing": {"type": "all_at_once", "termination_wait_seconds": 1},
            "guard": {"error_rate": 0.05},
        }
    )
    for bias in (1, 2):
        run = rig.run(artifact=Rig.artifact(rig, bias=bias))
        assert (run.state, run.outcome) == ("success", "released"), run
    assert run.tasks["create_alarms"] == "success"
    assert rig.clients("cloudwatch").describe_alarms(AlarmNamePrefix=rig.endpoint)["MetricAlarms"] == []


def test_a_right_that_is_missing_is_named(worker: Worker) -> None:
    worker.grant("worker-policy.json", without="HandTheExecutionRoleToSageMaker")
    run = worker.rig.deploy(bias=1)
    assert (run.state, run.outcome) == ("failed", "failed"), run
    assert "is not authorized to perform: iam:PassRole on resource" in run.result["reason"]
    assert worker.rig.made() == (set(), set())


def test_the_policies_suffice_for_batch_transforms(worker: Worker) -> None:
    rig = worker.rig
    worker.grant("batch-policy.json")
    worker.spec(
        batch_transform={
            "input": f"s3://{BUCKET}/{rig.name}/all/in",
            "output": f"s3://{BUCKET}/{rig.name}/all/out",
            "instance_type": "ml.m5.large",
        }
    )
    assert rig.run(artifact=rig.artifact()).outcome == "released"
    rig.put({"good.csv": table(1, 2, 3), "bad.csv": table(4, 666)})
    run = rig.transform()
    # What is wrong with the one file is known from the job's data log alone.
    assert run.outcome == "partial", run
    assert "there is no customer 666" in run.result["reason"]


def test_the_policies_suffice_for_retention(worker: Worker) -> None:
    rig = worker.rig
    worker.grant("retention-policy.json")
    worker.spec(retention={"releases": 1})
    for bias in (1, 2):
        assert rig.run(artifact=rig.artifact(bias=bias)).outcome == "released"
    run = rig.run("sentinel")
    assert run.state == "success", run
    # The first release's, and the joint configuration of the second.
    assert [len(run.result[kind]) for kind in ("configs", "models", "artifacts")] == [2, 1, 1]
    assert run.result["restorable"] == [2]


def test_the_policies_suffice_for_an_analysis(worker: Worker) -> None:
    """A release is compared with itself: what is asked of AWS is the same."""
    rig = worker.rig
    destination = f"s3://{BUCKET}/captured-{rig.name}"
    worker.spec(
        endpoint={"data_capture": {"destination": destination}},
        analysis={
            "metrics": [
                {"kind": "error_rate", "least": 2, "samples": 2},
                {"kind": "error_rate", "name": "ours", "source": "replay", "least": 2, "samples": 2},
            ],
            "replay": {"captured": True, "requests_per_look": 5},
            "delay_seconds": 0,
        },
    )
    assert rig.run(artifact=Rig.artifact(rig)).outcome == "released"
    name = rig.describe()["ProductionVariants"][0]["VariantName"]
    subject = Subject(
        hook=EndpointHook(aws_conn_id="aws_default", region_name=REGION),
        deployment=load_file(rig.file),
        sides=Sides(candidate={name: 1.0}, champion={name: 1.0}),
        run_key="run",
    )
    stage = Stage(name="step-5", since=datetime.now(UTC))
    looks = [take_look(subject, stage, None)]
    looks.append(take_look(subject, stage, looks[0]))
    for look in looks:
        assert not [each.reason for each in look.judgement.metrics if each.verdict == "error"]
        assert "cannot be read" not in look.measured["requests"]
    assert looks[-1].measured["replayed"] == 10

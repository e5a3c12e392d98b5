"""Training jobs by the DAG's own task against the local SageMaker: begun once, adopted, judged."""

from typing import Any

from tests.deploy.fault_proxy import FaultProxy
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET
from tests.retrain.training_rig import COUNTS, TrainingRig

pytestmark = AS_IN_PRODUCTION

# The job's first run does as told; the one that is begun anew after it succeeds.
_FIRST = """
import os, sys, time
if not os.environ["TRAINING_JOB_NAME"].endswith("-2"):
    {do}
"""


def first(do: str) -> str:
    """A script whose first job does something else."""
    return _FIRST.format(do=do) + COUNTS


def test_a_model_is_trained_once_for_the_same_data_code_and_hyperparameters(trainer: TrainingRig) -> None:
    trainer.spec(hyperparameters={"rate": 0.25, "name": "a b"})
    data = trainer.data(3, 4)
    done = trainer.run(data)
    assert done.state == "success"
    (job,) = trainer.jobs()
    result = done.result
    assert result["artifact"] == f"{trainer.store}/jobs/{job}/output/model.tar.gz"
    assert trainer.model(result["artifact"]) == {"rows": 7, "rate": 0.25, "name": "a b"}
    assert (result["job"], result["kind"]) == (job, "training")
    assert result["metrics"] == {"loss": 0.25, "rows": 7.0}
    assert result["hyperparameters"] == {"rate": "0.25", "name": "a b"}
    assert result["billable_seconds"] > 0
    assert "scikit-learn:1.2-1" in result["image"]
    described = trainer.describe(job)
    code = f"{trainer.store}/code/{result['code_sha256']}/sourcedir.tar.gz"
    assert described["HyperParameters"]["sagemaker_submit_directory"] == f'"{code}"'
    tags = trainer.rig.sagemaker.list_tags(ResourceArn=described["TrainingJobArn"])["Tags"]
    assert {
        "Key": "endpoint-deploy:endpoint",
        "Value": trainer.rig.endpoint,
    } in tags
    # Another run with the same content takes the same job over, and pays nothing.
    assert trainer.run(data).result == result
    assert trainer.jobs() == [job]


def test_a_job_whose_model_was_deleted_since_is_not_taken_over(trainer: TrainingRig) -> None:
    data = trainer.data(3)
    before = trainer.run(data).result
    key = before["artifact"].removeprefix(f"s3://{BUCKET}/")
    trainer.rig.clients("s3").delete_object(Bucket=BUCKET, Key=key)
    again = trainer.run(data).result
    assert again["job"] == f"{before['job']}-2"
    assert trainer.model(again["artifact"])["rows"] == 3


def test_other_data_code_or_hyperparameters_are_another_job(trainer: TrainingRig) -> None:
    trainer.spec(hyperparameters={"rate": 0.1})
    data = trainer.data(2)
    made = [trainer.run(data).result]
    made.append(trainer.run(data, hyperparameters={"rate": 0.4, "name": "form"}).result)
    made.append(trainer.run(trainer.data(5)).result)
    trainer.code(COUNTS + "\n# more")
    made.append(trainer.run(data).result)
    assert len({each["job"] for each in made}) == 4
    assert made[1]["hyperparameters"] == {"rate": "0.4", "name": "form"}
    assert [each["metrics"]["rows"] for each in made] == [2.0, 2.0, 5.0, 2.0]
    assert len({each["code_sha256"] for each in made}) == 2


def test_a_script_that_fails_is_not_tried_again_and_its_own_error_is_told(trainer: TrainingRig) -> None:
    trainer.spec(environment={"API_TOKEN": "the-secret-token"})
    trainer.code(first("raise ValueError('no column x1, token ' + os.environ['API_TOKEN'])"))
    data = trainer.data(1)
    failed = trainer.run(data)
    assert (failed.state, failed.tries) == ("failed", 1)
    (job,) = trainer.jobs()
    message = failed.failure["message"]
    assert f"training job {job} failed" in message
    assert "ValueError: no column x1, token ***" in message
    assert f"group /aws/sagemaker/TrainingJobs, streams {job}/" in message
    assert "the-secret-token" not in str(failed)
    # Its name is taken for ever: whoever tries again gets the next one.
    again = trainer.run(data)
    assert again.state == "success"
    assert trainer.jobs() == [job, f"{job}-2"]
    assert again.result["artifact"] == f"{trainer.store}/jobs/{job}-2/output/model.tar.gz"
    assert trainer.run(data).result == again.result


def test_a_job_that_somebody_stops_fails_the_task(trainer: TrainingRig, proxy: FaultProxy) -> None:
    trainer.code(first("time.sleep(600)"))
    data = trainer.data(1)
    sagemaker = trainer.rig.sagemaker
    proxy.after(
        "SageMaker.CreateTrainingJob", lambda: sagemaker.stop_training_job(TrainingJobName=trainer.jobs()[0])
    )
    stopped = trainer.run(data)
    assert (stopped.state, stopped.tries) == ("failed", 1)
    (job,) = trainer.jobs()
    assert f"training job {job} was stopped" in stopped.failure["message"]
    assert trainer.run(data).result["job"] == f"{job}-2"


def test_a_job_that_is_being_stopped_is_waited_for_before_the_next_begins(trainer: TrainingRig) -> None:
    wait = "import signal; signal.signal(signal.SIGTERM, lambda *_: (time.sleep(1), sys.exit(0)));"
    trainer.code(first(f"{wait} print('loss=1.0;', flush=True); time.sleep(600)"))
    data = trainer.data(1)
    job = _begun_by_another(trainer, data)
    trainer.rig.sagemaker.stop_training_job(TrainingJobName=job)
    assert trainer.run(data).result["job"] == f"{job}-2"
    ended, begun = (trainer.describe(name) for name in (job, f"{job}-2"))
    assert ended["TrainingEndTime"] <= begun["CreationTime"]


def _begun_by_another(trainer: TrainingRig, data: dict[str, Any]) -> str:
    """The job that a run of that content would begin, begun by somebody else."""
    from endpoint_deploy.artifacts.source_code import pack, source_digest
    from endpoint_deploy.aws.code import code_uri, upload
    from endpoint_deploy.aws.images import resolve_image
    from endpoint_deploy.core.retrain import TrainingSet
    from endpoint_deploy.core.training_requests import TrainingInputs, training_request
    from endpoint_deploy.dag_builders.specs import deployments

    (deployment,) = deployments()
    folder = deployment.file("code")
    uri = code_uri(trainer.store, source_digest(folder))
    upload(trainer.rig.clients("s3"), uri, pack(folder))
    spec = deployment.spec
    image = resolve_image(
        spec.model.image, region=spec.aws.region, instance_type="ml.m5.large", scope="training"
    )
    request = training_request(
        spec, TrainingInputs(data=TrainingSet.model_validate(data), image=image, code=uri)
    )
    trainer.rig.sagemaker.create_training_job(**request.named(request.base))
    return request.base


def test_without_capacity_the_task_is_tried_again_with_a_new_job(trainer: TrainingRig, fault: Any) -> None:
    fault("insufficient_capacity", kind="training-job", name=f"{trainer.name}*", count=1)
    done = trainer.run(trainer.data(1))
    assert (done.state, done.tries) == ("success", 2)
    first_job, second = trainer.jobs()
    assert second == f"{first_job}-2"
    assert "CapacityError" in trainer.describe(first_job)["FailureReason"]


def test_an_interrupted_spot_job_goes_on_from_its_checkpoint(trainer: TrainingRig, fault: Any) -> None:
    trainer.spec(spot={"max_wait_seconds": 7200})
    trainer.code(
        "import pathlib, time\n"
        "place = pathlib.Path('/opt/ml/checkpoints/runs')\n"
        "runs = int(place.read_text()) + 1 if place.exists() else 1\n"
        "place.write_text(str(runs))\n"
        "if runs == 1: time.sleep(600)\n" + COUNTS
    )
    fault("spot_interruption", training_job=f"{trainer.name}*", after_seconds=1.5, count=1)
    done = trainer.run(trainer.data(2))
    assert done.state == "success"
    (job,) = trainer.jobs()
    described = trainer.describe(job)
    assert described["EnableManagedSpotTraining"] is True
    assert described["CheckpointConfig"]["S3Uri"] == f"{trainer.store}/jobs/{job}/checkpoints"
    assert "Interrupted" in [each["Status"] for each in described["SecondaryStatusTransitions"]]


def test_a_crash_after_any_call_leaves_one_job(trainer: TrainingRig, proxy: FaultProxy) -> None:
    trained, number = 0, 0
    while True:
        number += 1
        data = trainer.data(number)
        proxy.arm(number)
        done = trainer.run(data)
        cut = proxy.cut
        proxy.arm(0)
        if not any(each.startswith("TrainOperator") for each in cut):
            break
        trained += 1
        at = f"cut after call {number}: {cut}: {done}"
        assert done.state == "success", at
        assert len(trainer.jobs()) == trained, at
        assert done.result["metrics"]["rows"] == number, at
    # Looked for, uploaded, begun, looked at.
    assert trained >= 4


def test_nothing_to_train_on_is_skipped(trainer: TrainingRig) -> None:
    assert trainer.run(None).state == "skipped"
    assert trainer.jobs() == []


def test_the_package_that_the_form_names_is_taken_and_nothing_trained(trainer: TrainingRig) -> None:
    sagemaker = trainer.rig.sagemaker
    sagemaker.create_model_package_group(ModelPackageGroupName=trainer.name)
    artifact = trainer.rig.artifact("good", 3)
    arn = sagemaker.create_model_package(
        ModelPackageGroupName=trainer.name,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [{"Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:1",
                            "ModelDataUrl": artifact}],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]  # fmt: skip
    done = trainer.run(None, model_package=arn)
    assert done.state == "success"
    assert {key: done.result[key] for key in ("artifact", "kind", "model_package", "job")} == {
        "artifact": artifact,
        "kind": "package",
        "model_package": arn,
        "job": None,
    }
    assert trainer.jobs() == []

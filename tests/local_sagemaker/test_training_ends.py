"""How training jobs end: by failing, on a stop, at their limits, and when their instances go."""

import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_sagemaker.server_process import until
from tests.local_sagemaker.trainer import WAITS, Trainer
from tests.local_sagemaker.world import World


@pytest.fixture
def trainer(world: World) -> Trainer:
    return Trainer(world)


def test_a_failing_script_says_why(trainer: Trainer) -> None:
    name = trainer.begin("print('before')\nraise ValueError('no such column')", HyperParameters={"k1": "v"})
    found = trainer.ended(name)
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Failed", "Failed")
    reason = found["FailureReason"]
    assert reason.startswith("AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage")
    assert "ValueError: no such column" in reason
    assert "train.py --k1 v" in reason
    assert reason.endswith(", exit code: 1")
    assert trainer.object(f"out/{name}/output/model.tar.gz") is None


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("exit 3", "AlgorithmError: , exit code: 3"),
        ("echo out of luck > /opt/ml/output/failure; exit 7", "AlgorithmError: out of luck\n, exit code: 7"),
        ("kill -9 $$", "AlgorithmError: , exit code: 137"),
    ],
)
def test_a_failing_program_leaves_its_reason_in_the_failure_file(
    trainer: Trainer, command: str, reason: str
) -> None:
    assert trainer.train(["sh", "-c", command])["FailureReason"] == reason


def test_a_program_that_is_not_there_fails_the_job(trainer: Trainer) -> None:
    name = trainer.begin(["no-such-program"])
    assert trainer.ended(name)["FailureReason"] == "AlgorithmError: , exit code: 127"
    assert "cannot run no-such-program" in trainer.log(name)


def test_one_failed_instance_fails_the_job_and_ends_the_others(trainer: Trainer) -> None:
    found = trainer.train(
        "import os, sys, time\nif os.environ['SM_CURRENT_HOST'] == 'algo-2': sys.exit(9)\ntime.sleep(600)",
        InstanceCount=2,
    )
    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"].endswith("exit code: 9")


def test_a_stopped_job_keeps_what_it_saved(trainer: Trainer) -> None:
    name = trainer.begin(WAITS)
    trainer.reaches(name, "Training")
    until(lambda: "waiting" in trainer.log(name), "the program runs")
    trainer.sagemaker.stop_training_job(TrainingJobName=name)
    assert trainer.describe(name)["TrainingJobStatus"] in ("Stopping", "Stopped")
    found = trainer.ended(name)
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert "FailureReason" not in found
    assert trainer.output(name) == {"begun": "yes", "saved-on-stop": "yes"}
    with pytest.raises(ClientError) as caught:
        trainer.sagemaker.stop_training_job(TrainingJobName=name)
    assert caught.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": "The request was rejected because the training job is in status Stopped.",
    }


def test_a_program_deaf_to_sigterm_is_killed(trainer: Trainer, no_longer_running: Any) -> None:
    name = trainer.begin(["sh", "-c", "trap '' TERM; echo $$; sleep 600 & echo $!; wait; sleep 600"])
    pids = until(lambda: [int(line) for line in trainer.log(name).split()][:2], "it runs")
    trainer.sagemaker.stop_training_job(TrainingJobName=name)
    assert trainer.ended(name)["TrainingJobStatus"] == "Stopped"
    assert no_longer_running(pids)


def test_the_longest_runtime_stops_the_job(trainer: Trainer) -> None:
    found = trainer.train(WAITS, StoppingCondition={"MaxRuntimeInSeconds": 2})
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert trainer.output(found["TrainingJobName"])["begun"] == "yes"


CHECKPOINTS = """
import os, pathlib, time
place = pathlib.Path("/opt/ml/checkpoints/epoch")
epoch = int(place.read_text()) if place.exists() else 0
print("begins at", epoch, flush=True)
while epoch < 3:
    epoch += 1
    place.write_text(str(epoch))
    if epoch == 2:
        print("may be interrupted", flush=True)
        time.sleep(600)
pathlib.Path("/opt/ml/model/epochs").write_text(str(epoch))
"""


def test_an_interrupted_spot_job_goes_on_from_its_checkpoint(trainer: Trainer, world: World) -> None:
    place = f"checkpoints/{world.name()}"
    name = trainer.begin(
        CHECKPOINTS,
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
        CheckpointConfig={"S3Uri": f"s3://models/{place}"},
    )
    until(lambda: trainer.object(f"{place}/epoch") == b"2", "the checkpoint is in S3 while the job runs")
    world.server.local(f"/training-jobs/{name}/interrupt", {})
    found = trainer.ended(name)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    states = [each["Status"] for each in found["SecondaryStatusTransitions"]]
    assert states[:5] == ["Starting", "Downloading", "Training", "Interrupted", "Starting"]
    assert trainer.output(name) == {"epochs": "3"}
    assert "begins at 2" in trainer.log(name)
    assert trainer.object(f"{place}/epoch") == b"3"
    assert found["BillableTimeInSeconds"] <= found["TrainingTimeInSeconds"]


def test_a_lost_instance_is_an_internal_error_and_retried_where_asked(trainer: Trainer, world: World) -> None:
    plain = trainer.begin(WAITS)
    retried = trainer.begin(
        "import pathlib, time\nprint('runs', flush=True)\ntime.sleep(600)",
        RetryStrategy={"MaximumRetryAttempts": 1},
    )
    for name, said in ((plain, "waiting"), (retried, "runs")):
        until(lambda name=name, said=said: said in trainer.log(name), "it runs")
        world.server.local(f"/training-jobs/{name}/interrupt", {})
    assert trainer.ended(plain)["FailureReason"].startswith("InternalServerError: ")
    until(lambda: trainer.log(retried).count("runs") == 2, "the second attempt runs")
    states = [each["Status"] for each in trainer.describe(retried)["SecondaryStatusTransitions"]]
    assert states.count("Starting") == 2
    world.server.local(f"/training-jobs/{retried}/interrupt", {})
    assert trainer.ended(retried)["FailureReason"].startswith("InternalServerError: ")


def test_fault_rules_reach_training_jobs(trainer: Trainer, world: World) -> None:
    spot = {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 3600},
    }
    name, poor = world.name("Spot"), world.name("Poor")
    rules = [
        {"fault": "spot_interruption", "training_job": name, "after_seconds": 0.2, "count": 1},
        {"fault": "insufficient_capacity", "kind": "training-job", "name": poor},
    ]
    world.server.local("/faults", {"faults": rules})
    try:
        trainer.begin(WAITS, TrainingJobName=name, **spot)
        states = lambda: [each["Status"] for each in trainer.describe(name)["SecondaryStatusTransitions"]]  # noqa: E731
        until(lambda: states().count("Training") == 2, "it trains again")
        assert "Interrupted" in states()
        trainer.sagemaker.stop_training_job(TrainingJobName=name)
        trainer.ended(name)
        found = trainer.train("pass", TrainingJobName=poor)
        assert found["TrainingJobStatus"] == "Failed"
        assert found["FailureReason"].startswith("CapacityError: ")
    finally:
        delete = urllib.request.Request(f"{world.server.url}/_local/faults", method="DELETE")  # noqa: S310
        urllib.request.urlopen(delete, timeout=10).close()  # noqa: S310


def test_a_bucket_that_is_not_there_fails_the_upload(trainer: Trainer) -> None:
    found = trainer.train(
        ["sh", "-c", "echo one > /opt/ml/model/one"],
        OutputDataConfig={"S3OutputPath": "s3://no-such-bucket/x"},
    )
    assert found["TrainingJobStatus"] == "Failed"
    uri = f"s3://no-such-bucket/x/{found['TrainingJobName']}/output/model.tar.gz"
    assert found["FailureReason"] == (
        f"ClientError: Failed to upload to {uri}: NoSuchBucket: The specified bucket does not exist"
    )

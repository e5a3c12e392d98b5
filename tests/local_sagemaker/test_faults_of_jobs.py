"""Faults of jobs: capacity that is not there, and spot instances that go."""

import pytest

from tests.local_sagemaker.fault_calls import FaultCalls
from tests.local_sagemaker.processing_jobs import Processing
from tests.local_sagemaker.trainer import Trainer
from tests.local_sagemaker.transform_jobs import Transforms

NO_CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. "
    "Please retry using a different ML instance type."
)
# Counts its runs in what is kept over interruptions; the first one that does would take ten minutes.
RUNS = """
import pathlib, time
place = pathlib.Path("/opt/ml/checkpoints/runs")
runs = int(place.read_text()) + 1 if place.exists() else 1
place.write_text(str(runs))
if runs == 1:
    time.sleep(600)
pathlib.Path("/opt/ml/model/runs").write_text(str(runs))
"""


@pytest.fixture(scope="module")
def faulty(start_server, make_world):
    return make_world(start_server())


@pytest.fixture
def faults(faulty):
    made = FaultCalls(faulty.server)
    yield made
    made.clear()


def test_without_capacity_jobs_are_accepted_and_fail(faults, faulty, wait_until):
    trainer, processing = Trainer(faulty), Processing(faulty, wait_until)
    transforms = Transforms(faulty, wait_until)
    for kind, begin, jobs in (
        ("training-job", lambda: trainer.begin("pass"), trainer),
        ("processing-job", lambda: processing.begin("pass"), processing),
        ("transform-job", lambda: transforms.begin(faulty.model(), {"a.csv": b"1\n"}), transforms),
    ):
        faults.add("insufficient_capacity", id=kind, kind=kind)
        assert jobs.ended(begin())["FailureReason"] == NO_CAPACITY
        assert faults.counted(kind) == (1, 1)


def test_a_spot_job_waits_for_capacity_and_outlives_an_interruption(faults, faulty):
    trainer = Trainer(faulty)
    name = faulty.name("Spot")
    faults.add("insufficient_capacity", kind="training-job", name=name, count=1)
    interrupted = faults.add("spot_interruption", training_job=name, after_seconds=1.5, count=2)
    found = trainer.train(
        RUNS,
        TrainingJobName=name,
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
        CheckpointConfig={"S3Uri": f"s3://models/checkpoints/{name}"},
    )
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    assert "Interrupted" in [each["Status"] for each in found["SecondaryStatusTransitions"]]
    # On a busy machine the first interruption may come before the program has counted its run.
    assert faults.counted(interrupted)[1] == 2
    assert trainer.output(name)["runs"] == "2"


def test_a_job_that_is_not_spot_is_not_interrupted(faults, faulty):
    trainer = Trainer(faulty)
    rule = faults.add("spot_interruption")
    assert trainer.train("pass")["TrainingJobStatus"] == "Completed"
    assert faults.counted(rule) == (0, 0)

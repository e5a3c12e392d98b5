"""A server killed while jobs run leaves no process, and every job comes to an end after the restart."""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.local_sagemaker.server_process import Server, until
from tests.local_sagemaker.trainer import Trainer
from tests.local_sagemaker.world import World

# A program whose child has left its session and process group, as daemons do.
SPREADS = """
import os, subprocess, time
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
print("pids", os.getpid(), child.pid, flush=True)
time.sleep(600)
"""

COUNTS = """
import pathlib, time
place = pathlib.Path("/opt/ml/checkpoints/count")
count = int(place.read_text()) + 1 if place.exists() else 1
place.write_text(str(count))
print("count", count, flush=True)
if count == 1:
    time.sleep(600)
pathlib.Path("/opt/ml/model/count").write_text(str(count))
"""


@pytest.fixture(scope="module")
def own_server(start_server: Callable[..., Server]) -> Server:
    return start_server("--time-scale=1000")


def restarted(server: Server, number: int = signal.SIGKILL) -> Trainer:
    server.end(number)
    server.start()
    return Trainer(World(server))


def left_over(server: Server) -> list[Path]:
    return list((server.state_dir / "jobs").glob("*/*"))


def test_a_killed_server_leaves_no_program_and_ends_its_jobs_after_the_restart(
    own_server: Server, no_longer_running: Any
) -> None:
    trainer = Trainer(World(own_server))
    done = trainer.begin("print('a line of the finished job')")
    trainer.ended(done)
    before = (trainer.describe(done), events_of(own_server, done))
    lost = trainer.begin(SPREADS)
    kept = trainer.begin(COUNTS, CheckpointConfig={"S3Uri": "s3://models/restart-checkpoints"})
    stopping = trainer.begin(["sh", "-c", "trap '' TERM; echo deaf; sleep 600; sleep 600"])
    until(lambda: "deaf" in trainer.log(stopping), "it runs")
    pids = [
        int(word)
        for word in until(lambda: trainer.log(lost), "it tells its processes").split()
        if word.isdigit()
    ]
    assert len(pids) == 2
    until(lambda: trainer.object("restart-checkpoints/count") == b"1", "the checkpoint is in S3")
    # A reader may see an object before its writer hears that it is kept; this write comes after it is.
    trainer.world.s3.put_object_tagging(
        Bucket="models", Key="restart-checkpoints/count", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}
    )
    trainer.sagemaker.stop_training_job(TrainingJobName=stopping)

    trainer = restarted(own_server)

    until(lambda: no_longer_running(pids), "no program outlives the server")
    found = trainer.ended(lost)
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Failed", "Failed")
    assert found["FailureReason"].startswith("InternalServerError: ")
    found = trainer.ended(kept)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    assert trainer.output(kept) == {"count": "2"}
    assert trainer.ended(stopping)["TrainingJobStatus"] == "Stopped"
    until(lambda: not left_over(own_server), "no job leaves files behind")
    description = trainer.describe(done)
    assert {**description, "ResponseMetadata": 0} == {**before[0], "ResponseMetadata": 0}
    until(lambda: events_of(own_server, done) == before[1], "its log is there again, at the same times")


def test_ends_at_random_moments_lose_no_job(own_server: Server) -> None:
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    trainer = Trainer(World(own_server))
    names: list[str] = []
    for number in (signal.SIGKILL, signal.SIGTERM):
        names += [
            trainer.begin(
                "import os, pathlib\npathlib.Path(os.environ['SM_MODEL_DIR'], 'm').write_text('m')",
                InputDataConfig=[trainer.channel("train", a="1")],
                RetryStrategy={"MaximumRetryAttempts": 30},
            )
            for _ in range(3)
        ]
        time.sleep(chance.uniform(0, 1.5))  # the moment of the kill, not a wait for something
        trainer = restarted(own_server, number)
    for name in names:
        found = trainer.ended(name)
        assert found["TrainingJobStatus"] == "Completed", (seed, name, found.get("FailureReason"))
        assert trainer.output(name) == {"m": "m"}, (seed, name)
    until(lambda: not left_over(own_server), "no job leaves files behind")


def events_of(server: Server, job: str) -> list[tuple[int, str]]:
    """The log of a job: time and text of each line; empty while there is none."""
    logs = server.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    try:
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
        pages = [
            logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
            for stream in streams
        ]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [(event["timestamp"], event["message"]) for page in pages for event in page["events"]]

"""The logs API has what jobs and instances write, for the clients that people read logs with."""

import datetime
from typing import Any

import pytest

from tests.local_sagemaker.server_process import until
from tests.local_sagemaker.trainer import Trainer
from tests.local_sagemaker.world import World

TRAINING = "/aws/sagemaker/TrainingJobs"


@pytest.fixture
def trainer(world: World) -> Trainer:
    return Trainer(world)


def test_every_line_of_a_job_is_there_in_order_when_it_is_over(trainer: Trainer) -> None:
    name = trainer.begin("for number in range(25_000): print('line', number)\nprint('no end', end='')")
    assert trainer.ended(name)["TrainingJobStatus"] == "Completed"
    logs = trainer.world.server.client("logs")
    streams = logs.describe_log_streams(logGroupName=TRAINING, logStreamNamePrefix=f"{name}/")["logStreams"]
    assert [stream["logStreamName"].rpartition("-")[0] for stream in streams] == [f"{name}/algo-1"]
    lines: list[str] = []
    page = {"nextForwardToken": None}
    while True:
        token = {"nextToken": page["nextForwardToken"]} if page["nextForwardToken"] else {}
        page = logs.get_log_events(
            logGroupName=TRAINING,
            logStreamName=streams[0]["logStreamName"],
            startFromHead=True,
            **token,
        )
        if not page["events"]:
            break
        lines += [event["message"] for event in page["events"]]
    assert lines == [*(f"line {number}" for number in range(25_000)), "no end"]


def test_lines_are_there_while_the_job_runs_at_the_time_they_were_written(trainer: Trainer) -> None:
    before = datetime.datetime.now(datetime.UTC).timestamp() * 1000
    name = trainer.begin("import time\nprint('early', flush=True)\ntime.sleep(600)")
    until(lambda: trainer.log(name) == "early", "the line is there")
    assert trainer.describe(name)["TrainingJobStatus"] == "InProgress"
    events = trainer.world.server.client("logs").filter_log_events(
        logGroupName=TRAINING, logStreamNamePrefix=f"{name}/"
    )["events"]
    assert [event["message"] for event in events] == ["early"]
    assert before <= events[0]["timestamp"] <= datetime.datetime.now(datetime.UTC).timestamp() * 1000
    trainer.sagemaker.stop_training_job(TrainingJobName=name)
    trainer.ended(name)


def test_two_instances_have_two_streams(trainer: Trainer) -> None:
    name = trainer.begin("import os\nprint('I am', os.environ['SM_CURRENT_HOST'])", InstanceCount=2)
    trainer.ended(name)
    logs = trainer.world.server.client("logs")
    events = logs.filter_log_events(logGroupName=TRAINING, logStreamNamePrefix=f"{name}/")["events"]
    assert {event["logStreamName"].split("/")[1][:6]: event["message"] for event in events} == {
        "algo-1": "I am algo-1",
        "algo-2": "I am algo-2",
    }


def test_an_endpoints_instances_are_there(world: World) -> None:
    endpoint = world.endpoint()
    logs = world.server.client("logs")
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    found = until(
        lambda: [stream["logStreamName"] for stream in _streams(logs, group)], "the instance has a stream"
    )
    assert len(found) == 1
    assert found[0].startswith("main/i-")
    until(
        lambda: any("Model loaded" in event["message"] for event in _events(logs, group)), "its log is there"
    )


def _streams(logs: Any, group: str) -> list[dict[str, Any]]:
    try:
        return logs.describe_log_streams(logGroupName=group)["logStreams"]
    except logs.exceptions.ResourceNotFoundException:
        return []


def _events(logs: Any, group: str) -> list[dict[str, Any]]:
    return logs.filter_log_events(logGroupName=group)["events"]

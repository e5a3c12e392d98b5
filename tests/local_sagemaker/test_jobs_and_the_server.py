"""What jobs share with the rest of the server: its end and its return, quotas, events."""

import json
import signal
from pathlib import Path

import httpx
import pytest

from tests.local_sagemaker.fault_calls import FaultCalls
from tests.local_sagemaker.processing_jobs import Processing
from tests.local_sagemaker.server_process import children_of
from tests.local_sagemaker.transform_jobs import Transforms

GATED = """
    import pathlib, sys, time
    while not pathlib.Path(sys.argv[1]).exists():
        time.sleep(0.02)
    pathlib.Path("/opt/ml/processing/output/done.txt").write_text("done")
    """


@pytest.fixture(scope="module")
def own_server(start_server):
    """A server that these tests may limit and kill."""
    return start_server()


@pytest.fixture
def processing(own_server, make_world, wait_until):
    return Processing(make_world(own_server), wait_until)


@pytest.fixture
def transforms(own_server, make_world, wait_until):
    return Transforms(make_world(own_server), wait_until)


def test_each_state_is_an_event(processing, transforms):
    world = processing.world
    queue = world.server.client("sqs").create_queue(QueueName="jobs")["QueueUrl"]
    events = world.server.client("events")
    kinds = ["SageMaker Processing Job State Change", "SageMaker Transform Job State Change"]
    events.put_rule(Name="jobs", EventPattern=json.dumps({"source": ["aws.sagemaker"], "detail-type": kinds}))
    arn = f"arn:aws:sqs:{world.sagemaker.meta.region_name}:{world.server.ready['account']}:jobs"
    events.put_targets(Rule="jobs", Targets=[{"Id": "1", "Arn": arn}])
    ran = processing.begin("pass", Tags=[{"Key": "team", "Value": "a"}])
    failed = transforms.begin(world.model("rows"), "nothing-here")
    received = []

    def look():
        answer = world.server.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        received.extend(json.loads(message["Body"]) for message in answer.get("Messages", []))
        statuses = [
            each["detail"].get(f"{kind}JobStatus")
            for each in received
            for kind in ("Processing", "Transform")
        ]
        return "Completed" in statuses and "Failed" in statuses

    processing.until(look, "both jobs have ended in events")
    of_processing = [each for each in received if each["detail-type"] == kinds[0]]
    of_transform = [each for each in received if each["detail-type"] == kinds[1]]
    assert [each["detail"]["ProcessingJobStatus"] for each in of_processing][:: len(of_processing) - 1] == [
        "InProgress",
        "Completed",
    ]
    last, failure = of_processing[-1], of_transform[-1]["detail"]
    assert last["resources"] == [last["detail"]["ProcessingJobArn"]]
    assert last["detail"]["ProcessingJobName"] == ran
    assert last["detail"]["Tags"] == {"team": "a"}
    assert failure["TransformJobName"] == failed
    assert "nothing-here" in failure["FailureReason"]


def test_a_job_that_goes_over_a_quota_is_refused(processing, transforms, refusal, gate):
    server = processing.world.server
    quotas = {"ml.m5.large for processing job usage": 2, "ml.m5.large for transform job usage": 0}
    httpx.put(f"{server.url}/_local/quotas", json=quotas).raise_for_status()
    try:
        name = processing.begin(GATED, arguments=[str(gate)], count=2)
        code, message = refusal(processing.begin, "pass")
        assert code == "ResourceLimitExceeded"
        assert "'ml.m5.large for processing job usage' is 2 Instances" in message
        assert "current utilization of 2 Instances and a request delta of 1 Instances" in message
        code, message = refusal(transforms.begin, transforms.world.model("rows"), {"a.csv": b"1\n"})
        assert (code, "'ml.m5.large for transform job usage' is 0 Instances" in message) == (
            "ResourceLimitExceeded",
            True,
        )
        gate.touch()
        processing.ended(name)
        assert processing.run("pass")["ProcessingJobStatus"] == "Completed"
    finally:
        httpx.delete(f"{server.url}/_local/quotas").raise_for_status()


def test_without_capacity_a_job_is_accepted_and_fails(own_server, processing, transforms):
    faults = FaultCalls(own_server)
    faults.add("insufficient_capacity", kind="processing-job", instance_type="ml.m5.*", after=1)
    faults.add("insufficient_capacity", kind="transform-job")
    try:
        failed = (
            processing.run("pass", count=2),
            transforms.run(transforms.world.model("rows"), {"a": b"1\n"}),
        )
    finally:
        faults.clear()
    for job in failed:
        assert job["FailureReason"].startswith("CapacityError: Unable to provision")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_jobs_begin_anew_after_the_server_has_gone(processing, transforms, no_longer_running, gate, number):
    server, until = processing.world.server, processing.until
    model = transforms.world.model("gated", GATE=str(gate))
    ran = processing.begin(GATED, arguments=[str(gate)])
    transformed = transforms.begin(model, {"a.csv": b"1\n"})
    stopped = processing.begin(GATED, arguments=[str(gate)])

    def running():
        """Every process below the server, once moto, the model and both programs are among them."""
        children = server.children()
        below = [child for pid in children for child in children_of(pid)]
        return len(children) >= 4 and len(below) >= 2 and [*children, *below]

    processes = until(running, "the jobs run")
    server.end(number)
    until(lambda: no_longer_running(processes), "no process is left")

    server.start()
    processing, transforms = processing.again(), transforms.again()
    assert processing.describe(ran)["ProcessingJobStatus"] == "InProgress"
    assert transforms.describe(transformed)["TransformJobStatus"] == "InProgress"
    assert processing.outputs(ran) == {}
    processing.client.stop_processing_job(ProcessingJobName=stopped)
    assert processing.ended(stopped)["ProcessingJobStatus"] == "Stopped"
    gate.touch()
    job = transforms.ended(transformed)
    assert job["TransformJobStatus"] == "Completed"
    assert transforms.outputs(job) == {"a.csv.out": b"gated\n"}
    assert processing.ended(ran)["ProcessingJobStatus"] == "Completed"
    assert processing.outputs(ran) == {"done.txt": "done"}
    # Nothing of them is left but their logs.
    assert list(Path(server.state_dir, "jobs").glob("*/*")) == []

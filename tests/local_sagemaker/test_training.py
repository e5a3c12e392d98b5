"""Training jobs: programs run as their containers would, on data from S3, with what they leave behind."""

import datetime
import json
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_sagemaker.server_process import until
from tests.local_sagemaker.trainer import Trainer
from tests.local_sagemaker.world import World

REPORT = """
import argparse, json, os, pathlib, sys
seen = {
    "argv": sys.argv[1:],
    "cwd": os.getcwd(),
    "env": dict(os.environ),
    "config": {p.stem: json.loads(p.read_text()) for p in pathlib.Path("/opt/ml/input/config").iterdir()},
    "data": {str(p.relative_to("/opt/ml/input/data")): p.read_text()
             for p in sorted(pathlib.Path("/opt/ml/input/data").rglob("*")) if p.is_file()},
}
pathlib.Path("/opt/ml/model/seen-" + os.environ.get("SM_CURRENT_HOST", "plain") + ".json").write_text(
    json.dumps(seen))
"""

SKLEARN = """
import argparse, os, shutil
import joblib, numpy
from sklearn.linear_model import LogisticRegression

parser = argparse.ArgumentParser()
parser.add_argument("--strength", type=float)
parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
options = parser.parse_args()
table = numpy.loadtxt(os.path.join(options.train, "iris.csv"), delimiter=",")
rows, classes = table[:, :-1], table[:, -1].astype(int)
model = LogisticRegression(C=options.strength, max_iter=500).fit(rows, classes)
print(f"train:accuracy={model.score(rows, classes):.4f};")
joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
os.makedirs(os.path.join(os.environ["SM_MODEL_DIR"], "code"))
with open(os.path.join(os.environ["SM_MODEL_DIR"], "code", "inference.py"), "w") as file:
    file.write("import joblib, os\\ndef model_fn(d): return joblib.load(os.path.join(d, 'model.joblib'))\\n")
"""

WAITS = """
import os, pathlib, signal, sys, time
pathlib.Path("/opt/ml/model/begun").write_text("yes")
def stop(*_):
    pathlib.Path("/opt/ml/model/saved-on-stop").write_text("yes")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("waiting", flush=True)
time.sleep(600)
"""


@pytest.fixture
def trainer(world: World) -> Trainer:
    return Trainer(world)


def test_a_scikit_learn_model_is_trained_deployed_and_predicts(trainer: Trainer, world: World) -> None:
    from sklearn.datasets import load_iris

    rows, classes = load_iris(return_X_y=True)
    lines = (",".join(map(str, [*row, kind])) for row, kind in zip(rows, classes, strict=True))
    found = trainer.train(
        SKLEARN,
        HyperParameters={"strength": "10.0"},
        InputDataConfig=[trainer.channel("train", iris__csv="\n".join(lines))],
        AlgorithmSpecification={
            "MetricDefinitions": [{"Name": "train:accuracy", "Regex": "train:accuracy=(.*?);"}]
        },
    )
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    assert found["FinalMetricDataList"][0]["MetricName"] == "train:accuracy"
    assert found["FinalMetricDataList"][0]["Value"] > 0.95
    model = world.name("Model")
    world.sagemaker.create_model(
        ModelName=model,
        ExecutionRoleArn=world.role,
        PrimaryContainer={
            "Image": found["AlgorithmSpecification"]["TrainingImage"],
            "ModelDataUrl": found["ModelArtifacts"]["S3ModelArtifacts"],
        },
    )
    endpoint = world.endpoint(world.config(world.variant(model)))
    assert world.answer(endpoint, "5.1,3.5,1.4,0.2\n6.7,3.0,5.2,2.3", Accept="application/json") == [0, 2]


def test_script_mode_gives_the_script_what_the_training_toolkit_gives(trainer: Trainer, world: World) -> None:
    name = trainer.begin(
        REPORT,
        HyperParameters={"epochs": "3", "lr": "0.5", "name": '"a b"', "o": "1"},
        Environment={"MINE": "set"},
        InputDataConfig=[trainer.channel("train", a__csv="1,2"), trainer.channel("test-set", b__csv="3")],
    )
    found = trainer.ended(name)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    seen = json.loads(trainer.output(name)["seen-algo-1.json"])
    assert seen["argv"] == ["--epochs", "3", "--lr", "0.5", "--name", "a b", "-o", "1"]
    assert seen["cwd"] == "/opt/ml/code"
    assert seen["data"] == {"train/a.csv": "1,2", "test-set/b.csv": "3"}
    env = seen["env"]
    assert {key: env[key] for key in ("MINE", "SM_CHANNEL_TRAIN", "SM_CHANNEL_TEST-SET", "SM_MODEL_DIR")} == {
        "MINE": "set",
        "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train",
        "SM_CHANNEL_TEST-SET": "/opt/ml/input/data/test-set",
        "SM_MODEL_DIR": "/opt/ml/model",
    }
    assert json.loads(env["SM_HPS"]) == {"epochs": 3, "lr": 0.5, "name": "a b", "o": 1}
    assert (env["SM_HP_EPOCHS"], env["SM_HP_NAME"], env["SM_NUM_GPUS"]) == ("3", "a b", "0")
    assert (env["SM_OUTPUT_DATA_DIR"], json.loads(env["SM_HOSTS"])) == ("/opt/ml/output/data", ["algo-1"])
    assert json.loads(env["SM_CHANNELS"]) == ["test-set", "train"]
    training = json.loads(env["SM_TRAINING_ENV"])
    assert (training["job_name"], training["hyperparameters"]["epochs"]) == (name, 3)
    assert seen["config"]["hyperparameters"]["epochs"] == "3"
    assert seen["config"]["inputdataconfig"]["train"]["TrainingInputMode"] == "File"
    assert seen["config"]["resourceconfig"]["current_host"] == "algo-1"
    assert env["TRAINING_JOB_NAME"] == name
    assert "SECRET_OF_THE_SERVER" not in env


def test_a_plain_program_gets_arguments_and_no_toolkit(trainer: Trainer) -> None:
    channel = trainer.channel("code", report__py=REPORT)
    name = trainer.begin(
        ["python3", "/opt/ml/input/data/code/report.py"],
        InputDataConfig=[channel],
        AlgorithmSpecification={"ContainerArguments": ["--from", "/opt/ml/input"]},
        HyperParameters={"depth": "4"},
    )
    found = trainer.ended(name)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    seen = json.loads(trainer.output(name)["seen-plain.json"])
    assert seen["argv"] == ["--from", "/opt/ml/input"]
    assert seen["config"]["hyperparameters"] == {"depth": "4"}
    assert not [key for key in seen["env"] if key.startswith("SM_")]


def test_a_job_reaches_this_server_as_its_role(trainer: Trainer) -> None:
    name = trainer.begin(
        "import boto3, pathlib\n"
        "boto3.client('s3').put_object(Bucket='models', Key='from-a-job', Body=b'hello')\n"
        "pathlib.Path('/opt/ml/model/arn').write_text(boto3.client('sts').get_caller_identity()['Arn'])\n"
    )
    found = trainer.ended(name)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    assert trainer.object("from-a-job") == b"hello"
    assert ":assumed-role/sagemaker-execution/SageMaker" in trainer.output(name)["arn"]


def test_states_times_and_artifacts_of_a_completed_job(trainer: Trainer) -> None:
    before = datetime.datetime.now(datetime.UTC)
    name = trainer.begin(
        "import os, pathlib\n"
        "pathlib.Path(os.environ['SM_OUTPUT_DATA_DIR'], 'report.txt').write_text('fine')\n",
        InputDataConfig=[trainer.channel("train", a="1")],
        Tags=[{"Key": "team", "Value": "blue"}],
    )
    found = trainer.ended(name)
    states = [each["Status"] for each in found["SecondaryStatusTransitions"]]
    assert states == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    times = [each["StartTime"] for each in found["SecondaryStatusTransitions"]]
    assert times == sorted(times)
    assert all("EndTime" in each for each in found["SecondaryStatusTransitions"])
    assert found["CreationTime"] <= found["TrainingStartTime"] <= found["TrainingEndTime"]
    assert abs((found["CreationTime"] - before).total_seconds()) < 60
    assert found["BillableTimeInSeconds"] == found["TrainingTimeInSeconds"]
    assert found["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://models/out/{name}/output/model.tar.gz"
    assert found["OutputDataConfig"] == {
        "S3OutputPath": "s3://models/out",
        "KmsKeyId": "",
        "CompressionType": "GZIP",
    }
    assert trainer.output(name, "output.tar.gz") == {"report.txt": "fine"}
    assert trainer.object(f"out/{name}/output/model.tar.gz") is None, "nothing was written to /opt/ml/model"
    tags = trainer.sagemaker.list_tags(ResourceArn=found["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "blue"}]


def test_the_longest_runtime_is_a_day_unless_it_is_said(trainer: Trainer) -> None:
    request = trainer.request(["true"])
    del request["StoppingCondition"]
    trainer.sagemaker.create_training_job(**request)
    found = trainer.ended(request["TrainingJobName"])
    assert found["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}


def test_two_instances_share_the_data_by_key_and_find_each_other(trainer: Trainer) -> None:
    sharded = trainer.channel("train", **{f"part-{number}": str(number) for number in range(4)})
    sharded["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    name = trainer.begin(
        REPORT
        + "import socket\nassert socket.gethostbyname('algo-1') != socket.gethostbyname('algo-2')\n"
        + "pathlib.Path('/opt/ml/model/same').write_text(os.environ['SM_CURRENT_HOST'])\n",
        InstanceCount=2,
        InputDataConfig=[sharded, trainer.channel("all", whole="w")],
    )
    found = trainer.ended(name)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    output = trainer.output(name)
    first, second = (json.loads(output[f"seen-algo-{number}.json"]) for number in (1, 2))
    assert first["data"] == {"train/part-0": "0", "train/part-2": "2", "all/whole": "w"}
    assert second["data"] == {"train/part-1": "1", "train/part-3": "3", "all/whole": "w"}
    assert second["config"]["resourceconfig"]["hosts"] == ["algo-1", "algo-2"]
    assert output["same"] == "algo-1", "of a file that both wrote, one is kept"


def test_a_manifest_names_the_objects(trainer: Trainer) -> None:
    for key in ("m/x/1", "m/x/2", "m/x/3"):
        trainer.put(key, key)
    manifest = trainer.put("m/manifest", json.dumps([{"prefix": "s3://models/m/"}, "x/1", "x/3"]))
    channel = {
        "ChannelName": "train",
        "DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": manifest}},
    }
    name = trainer.begin(REPORT, InputDataConfig=[channel])
    assert trainer.ended(name)["TrainingJobStatus"] == "Completed"
    seen = json.loads(trainer.output(name)["seen-algo-1.json"])
    assert seen["data"] == {"train/x/1": "m/x/1", "train/x/3": "m/x/3"}


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


def test_metrics_reach_cloudwatch(trainer: Trainer, world: World) -> None:
    name = trainer.begin(
        # What diverges comes before the rest: neither it nor what CloudWatch does not take may hide that.
        "print('loss=nan\\nloss=-inf\\nloss=1e300')\n"
        "for epoch in range(3): print(f'epoch={epoch} loss={1 / (epoch + 1)}')",
        AlgorithmSpecification={"MetricDefinitions": [{"Name": "loss", "Regex": "loss=(\\S+)"}]},
    )
    found = trainer.ended(name)
    assert found["FinalMetricDataList"][0]["Value"] == pytest.approx(1 / 3)
    now = datetime.datetime.now(datetime.UTC)
    statistics = world.server.client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="loss",
        Dimensions=[{"Name": "TrainingJobName", "Value": name}],
        StartTime=now - datetime.timedelta(hours=1),
        EndTime=now + datetime.timedelta(minutes=1),
        Period=3600,
        Statistics=["SampleCount", "Maximum"],
    )["Datapoints"]
    assert sum(point["SampleCount"] for point in statistics) == 3
    assert max(point["Maximum"] for point in statistics) == 1


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


def test_changes_of_state_are_events(trainer: Trainer, world: World) -> None:
    events, sqs = world.server.client("events"), world.server.client("sqs")
    queue = sqs.create_queue(QueueName=world.name("events"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    name, rule = world.name("Told"), world.name("rule")
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Training Job State Change"],
        "detail": {"TrainingJobName": [name]},
    }
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn}])
    trainer.begin("pass", TrainingJobName=name)
    told: list[dict[str, Any]] = []

    def over() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            told.append(json.loads(message["Body"])["detail"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return any(detail["TrainingJobStatus"] == "Completed" for detail in told)

    until(over, "the last event is there")
    events.remove_targets(Rule=rule, Ids=["1"])
    events.delete_rule(Name=rule)
    assert {detail["SecondaryStatus"] for detail in told} >= {"Training", "Uploading", "Completed"}
    last = next(detail for detail in told if detail["TrainingJobStatus"] == "Completed")
    created = trainer.describe(name)["CreationTime"].timestamp()
    assert last["CreationTime"] == pytest.approx(created * 1000, abs=2), "in milliseconds"
    assert last["TrainingJobArn"] == world.arn("training-job", name)


def test_an_uncompressed_model_keeps_its_files(trainer: Trainer) -> None:
    found = trainer.train(
        ["sh", "-c", "mkdir /opt/ml/model/deep; echo one > /opt/ml/model/deep/one"],
        OutputDataConfig={"S3OutputPath": "s3://models/out/", "CompressionType": "NONE"},
    )
    uri = f"s3://models/out/{found['TrainingJobName']}/output/model/"
    assert found["ModelArtifacts"]["S3ModelArtifacts"] == uri
    assert trainer.object(f"out/{found['TrainingJobName']}/output/model/deep/one") == b"one\n"


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


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"EnableManagedSpotTraining": True},
            "Invalid MaxWaitTimeInSeconds. It must be present and",
        ),
        ({"AlgorithmSpecification": {"TrainingInputMode": "Pipe"}, "pipe": True}, "Pipe mode"),
        ({"nothing": True}, 'No S3 objects found under S3 URL "s3://models/nothing/here/"'),
        ({"plain": True}, "the 'train' program of an image"),
        ({"HyperParameters": {"sagemaker_submit_directory": '"/opt/ml/code"'}}, "sagemaker_submit_directory"),
        ({"OutputDataConfig": {"S3OutputPath": "https://s3.amazonaws.com/models"}}, "Invalid S3 URI"),
        ({"CheckpointConfig": {"S3Uri": "https://s3.amazonaws.com/models"}}, "Invalid S3 URI"),
    ],
)
def test_what_cannot_be_served_is_refused(
    trainer: Trainer, refusal: Any, members: dict[str, Any], message: str
) -> None:
    request = trainer.request("pass")
    if members.pop("pipe", False):
        members["InputDataConfig"] = [trainer.channel("train", a="1")]
    if members.pop("nothing", False):
        channel = trainer.channel("train", a="1")
        channel["DataSource"]["S3DataSource"]["S3Uri"] = "s3://models/nothing/here/"
        members["InputDataConfig"] = [channel]
    if members.pop("plain", False):
        request["HyperParameters"] = {}
    for name, value in members.items():
        request[name] = {**request.get(name, {}), **value} if isinstance(value, dict) else value
    code, text = refusal(trainer.sagemaker.create_training_job, **request)
    assert code == "ValidationException"
    assert message in text


def test_names_are_unique_and_missing_jobs_are_told(trainer: Trainer, refusal: Any, world: World) -> None:
    request = trainer.request("pass")
    trainer.sagemaker.create_training_job(**request)
    name = request["TrainingJobName"]
    arn = world.arn("training-job", name)
    code, message = refusal(trainer.sagemaker.create_training_job, **request)
    assert code == "ResourceInUse"
    assert message == (
        "Training job names must be unique within an AWS account and region, and a training job with this "
        f"name already exists ({arn})"
    )
    assert refusal(trainer.sagemaker.describe_training_job, TrainingJobName="none-such") == (
        "ValidationException",
        "Requested resource not found.",
    )
    trainer.ended(name)
    trainer.sagemaker.delete_training_job(TrainingJobName=name)
    assert refusal(trainer.sagemaker.describe_training_job, TrainingJobName=name)[1].startswith("Requested")
    trainer.sagemaker.create_training_job(**request)
    assert trainer.ended(name)["TrainingJobStatus"] == "Completed"


def test_lists_are_filtered_ordered_and_paged(trainer: Trainer, world: World) -> None:
    mark = world.name("listed")
    names = [trainer.begin("pass", TrainingJobName=f"{mark}-{number}") for number in range(3)]
    for name in names:
        trainer.ended(name)
    failed = trainer.begin(["false"], TrainingJobName=f"{mark}-bad")
    trainer.ended(failed)
    pages = trainer.sagemaker.get_paginator("list_training_jobs").paginate(
        NameContains=mark, SortBy="Name", SortOrder="Descending", PaginationConfig={"PageSize": 2}
    )
    listed = [[each["TrainingJobName"] for each in page["TrainingJobSummaries"]] for page in pages]
    assert listed == [[failed, names[2]], [names[1], names[0]]]
    only = trainer.sagemaker.list_training_jobs(NameContains=mark, StatusEquals="Failed")
    assert [each["TrainingJobName"] for each in only["TrainingJobSummaries"]] == [failed]
    warm = trainer.sagemaker.list_training_jobs(NameContains=mark, WarmPoolStatusEquals="InUse")
    assert warm["TrainingJobSummaries"] == [], "no instances are kept warm here"
    waiter = trainer.sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=names[0], WaiterConfig={"Delay": 1, "MaxAttempts": 2})


def test_quotas_count_what_trains(trainer: Trainer, world: World, refusal: Any) -> None:
    quota = "ml.c4.8xlarge for training job usage"
    body = json.dumps({quota: 1}).encode()
    put = urllib.request.Request(f"{world.server.url}/_local/quotas", body, method="PUT")  # noqa: S310
    urllib.request.urlopen(put, timeout=10).close()  # noqa: S310
    where = {"InstanceType": "ml.c4.8xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}
    name = trainer.begin(WAITS, ResourceConfig=where)
    code, message = refusal(
        trainer.sagemaker.create_training_job, **trainer.request("pass", ResourceConfig=where)
    )
    assert code == "ResourceLimitExceeded"
    assert message.startswith(f"The account-level service limit '{quota}' is 1 Instances, with current util")
    trainer.sagemaker.stop_training_job(TrainingJobName=name)
    trainer.ended(name)
    assert trainer.train("pass", ResourceConfig=where)["TrainingJobStatus"] == "Completed"

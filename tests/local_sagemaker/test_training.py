"""Training jobs: programs run as their containers would, on data from S3, with what they leave behind."""

import datetime
import json
from typing import Any

import pytest

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

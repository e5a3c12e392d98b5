"""Short ways to run training jobs on a server under test."""

import io
import json
import tarfile
from typing import Any

from tests.local_sagemaker.server_process import until
from tests.local_sagemaker.world import World

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sklearn:1"
# Saves on a stop; ends by itself after ten minutes.
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


def source_archive(**files: str) -> bytes:
    """A sourcedir.tar.gz; double underscores in a name stand for a dot."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name.replace("__", "."))
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


class Trainer:
    """Training jobs in a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sagemaker = world.sagemaker

    def put(self, key: str, body: str | bytes) -> str:
        self.world.s3.put_object(Bucket=self.world.BUCKET, Key=key, Body=body)
        return f"s3://{self.world.BUCKET}/{key}"

    def channel(self, name: str, **files: str) -> dict[str, Any]:
        """An input channel with these files, below a prefix of its own."""
        prefix = f"data/{self.world.name()}/"
        for file, text in files.items():
            self.put(prefix + file.replace("__", "."), text)
        return {
            "ChannelName": name,
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{self.world.BUCKET}/{prefix}"}
            },
        }

    def request(self, program: str | list[str], **members: Any) -> dict[str, Any]:
        """CreateTrainingJob's members: a script's text for script mode, or a plain program's command."""
        name = members.pop("TrainingJobName", self.world.name("Train"))
        algorithm: dict[str, Any] = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
        hyperparameters = members.pop("HyperParameters", {})
        if isinstance(program, str):
            uri = self.put(f"code/{name}/sourcedir.tar.gz", source_archive(train__py=program))
            hyperparameters = {
                "sagemaker_program": json.dumps("train.py"),
                "sagemaker_submit_directory": json.dumps(uri),
                **hyperparameters,
            }
        else:
            algorithm["ContainerEntrypoint"] = program
        count = members.pop("InstanceCount", 1)
        return {
            "TrainingJobName": name,
            "RoleArn": self.world.role,
            "AlgorithmSpecification": {**algorithm, **members.pop("AlgorithmSpecification", {})},
            "HyperParameters": hyperparameters,
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.world.BUCKET}/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
            **members,
        }

    def begin(self, program: str | list[str], **members: Any) -> str:
        request = self.request(program, **members)
        self.sagemaker.create_training_job(**request)
        return request["TrainingJobName"]

    def describe(self, name: str) -> dict[str, Any]:
        return self.sagemaker.describe_training_job(TrainingJobName=name)

    def ended(self, name: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self.describe(name)
            return None if found["TrainingJobStatus"] in ("InProgress", "Stopping") else found

        return until(look, f"{name} ends")

    def train(self, program: str | list[str], **members: Any) -> dict[str, Any]:
        return self.ended(self.begin(program, **members))

    def reaches(self, name: str, secondary: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self.describe(name)
            assert found["TrainingJobStatus"] != "Failed", found.get("FailureReason")
            return found if found["SecondaryStatus"] == secondary else None

        return until(look, f"{name} reaches {secondary}")

    def object(self, key: str) -> bytes | None:
        try:
            return self.world.s3.get_object(Bucket=self.world.BUCKET, Key=key)["Body"].read()
        except self.world.s3.exceptions.NoSuchKey:
            return None

    def output(self, name: str, archive: str = "model.tar.gz") -> dict[str, str]:
        """The files in one of the job's archives, by name; fails when there is no archive."""
        body = self.object(f"out/{name}/output/{archive}")
        assert body is not None, f"{name} left no {archive}"
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            return {
                member.name: tar.extractfile(member).read().decode()  # type: ignore[union-attr]
                for member in tar
                if member.isfile()
            }

    def log(self, name: str, group: str = "/aws/sagemaker/TrainingJobs") -> str:
        """What the logs API has of a job, all streams after each other; "" before there is any."""
        logs = self.world.server.client("logs")
        try:
            found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")
        except logs.exceptions.ResourceNotFoundException:
            return ""
        lines: list[str] = []
        for stream in found["logStreams"]:
            events = logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
            lines += [event["message"] for event in events]
        return "\n".join(lines)

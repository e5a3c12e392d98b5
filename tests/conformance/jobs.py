"""Training, processing and transform jobs that succeed, fail, or go on until they are stopped."""

import json
from typing import Any

from tests.conformance.account import CODE, INSTANCE_TYPE, Account, packed

KINDS = ("training", "processing", "transform")
RUNNING = ("InProgress", "Stopping")
LIMIT = {"MaxRuntimeInSeconds": 3600}
_IN_CONTAINER = "/opt/ml/processing"


class Jobs:
    """Jobs of an account. `do` says what becomes of one: succeed, fail, wait."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def call(self, verb: str, kind: str, name: str, **members: Any) -> dict[str, Any]:
        """One of the service's calls on jobs of that kind."""
        operation = getattr(self.account.sagemaker, f"{verb}_{kind}_job")
        return operation(**{f"{kind.title()}JobName": name}, **members)

    def begin(self, kind: str, do: str) -> str:
        """Create a job; it is stopped at the end, if it still runs then."""
        name = self.account.name("Job")
        request = getattr(self, f"_{kind}")(do, name)
        self.call("create", kind, name, **request, Tags=self.account.tags)
        self.account.at_the_end(lambda: self.call("stop", kind, name))
        return name

    def history(self, kind: str, name: str) -> tuple[list[str], dict[str, Any]]:
        """The states a job passes until it is over, and what is then described."""
        return self.account.watched(
            lambda: self.call("describe", kind, name), f"{kind.title()}JobStatus", RUNNING
        )

    def output(self, kind: str, name: str) -> str:
        """The prefix of a job's output, below the account's own."""
        return f"{self.account.prefix}/{kind}-output/{name}"

    def outputs(self, kind: str, name: str) -> dict[str, bytes]:
        """What a job has left in S3, by its key below `output`."""
        s3, bucket, prefix = self.account.s3, self.account.target.bucket, self.output(kind, name)
        found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return {
            each["Key"].removeprefix(prefix): s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
            for each in found
        }

    def training_request(self, do: str) -> dict[str, Any]:
        """CreateTrainingJob in script mode, without the name."""
        source = self.account.upload("code/sourcedir.tar.gz", packed("work.py"))
        return {
            "RoleArn": self.account.target.role_arn,
            "AlgorithmSpecification": {
                "TrainingImage": self.account.target.image,
                "TrainingInputMode": "File",
            },
            "HyperParameters": {
                "sagemaker_program": json.dumps("work.py"),
                "sagemaker_submit_directory": json.dumps(source),
                "do": json.dumps(do),
            },
            "OutputDataConfig": {"S3OutputPath": self.account.uri("training-output")},
            "ResourceConfig": {"InstanceType": INSTANCE_TYPE, "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": LIMIT,
        }

    def _training(self, do: str, _name: str) -> dict[str, Any]:
        return self.training_request(do)

    def _processing(self, do: str, name: str) -> dict[str, Any]:
        code, output = f"{_IN_CONTAINER}/input/code", f"{_IN_CONTAINER}/output"
        program = self.account.upload("code/work.py", (CODE / "work.py").read_bytes())
        return {
            "RoleArn": self.account.target.role_arn,
            "AppSpecification": {
                "ImageUri": self.account.target.image,
                "ContainerEntrypoint": ["python3", f"{code}/work.py", "--do", do, "--output", output],
            },
            "ProcessingInputs": [
                {
                    "InputName": "code",
                    "S3Input": {
                        "S3Uri": program,
                        "LocalPath": code,
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "out",
                        "S3Output": {
                            "S3Uri": f"s3://{self.account.target.bucket}/{self.output('processing', name)}",
                            "LocalPath": output,
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": INSTANCE_TYPE, "InstanceCount": 1, "VolumeSizeInGB": 5}
            },
            "StoppingCondition": LIMIT,
        }

    def _transform(self, do: str, name: str) -> dict[str, Any]:
        rows = {"succeed": "1,2\n3,4,5\n", "fail": "raise bad data\n", "wait": "sleep 50\n" * 60}
        source = self.account.upload(f"rows/{do}.csv", rows[do].encode())
        return {
            "ModelName": self.account.model(RELEASE="transform"),
            "BatchStrategy": "SingleRecord",
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
                "ContentType": "text/csv",
                "SplitType": "Line",
            },
            "TransformOutput": {
                "S3OutputPath": f"s3://{self.account.target.bucket}/{self.output('transform', name)}",
                "Accept": "application/json",
                "AssembleWith": "Line",
            },
            "TransformResources": {"InstanceType": INSTANCE_TYPE, "InstanceCount": 1},
        }

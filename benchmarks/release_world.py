"""What releases are measured with: deployments of a model that takes no time to load."""

import gzip
import io
import json
import tarfile
import time
from typing import Any

import yaml

from local_stack.airflow_env import REGION
from local_stack.stack import Stack

BUCKET = "bench-releases"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sklearn:1"
ROLE = "arn:aws:iam::123456789012:role/sagemaker-execution"
_CODE = b"""
import json, os
def model_fn(model_dir):
    with open(os.path.join(model_dir, "model.json")) as file: return json.load(file)["number"]
def input_fn(body, content_type): return json.loads(body)
def predict_fn(numbers, number): return [each + number for each in numbers]
def output_fn(prediction, accept): return json.dumps(prediction), accept
"""


class Deployments:
    """Deployments `<name>` of the environment `bench`, in a stack's directory of specs."""

    def __init__(self, stack: Stack) -> None:
        self._specs = stack.specs_dir
        self._s3 = stack.client("s3")
        self._sagemaker = stack.client("sagemaker")
        self._s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        (self._specs / "numbers.json").write_text("[1.0, 2.0]")

    def add(self, name: str, strategy: str) -> None:
        """Write a spec."""
        self._specs.joinpath(f"{name}.yaml").write_text(yaml.safe_dump(self._spec(name, strategy)))

    def upload(self, number: int) -> str:
        """Upload a model whose answers tell it from every other, and return its address."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            files = {"model.json": json.dumps({"number": number}).encode(), "code/inference.py": _CODE}
            for path, content in files.items():
                member = tarfile.TarInfo(path)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        key = f"{number}/model.tar.gz"
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(buffer.getvalue(), mtime=0))
        return f"s3://{BUCKET}/{key}"

    def remove(self, *names: str) -> None:
        """Delete the endpoints of deployments, or of these names, so that the next release is a first one."""
        for name in names:
            for found in self._sagemaker.list_endpoints(NameContains=name)["Endpoints"]:
                self._sagemaker.delete_endpoint(EndpointName=found["EndpointName"])
                while self._sagemaker.list_endpoints(NameContains=found["EndpointName"])["Endpoints"]:
                    time.sleep(0.1)

    def _spec(self, name: str, strategy: str) -> dict[str, Any]:
        return {
            "name": name,
            "environment": "bench",
            "aws": {"region": REGION, "role_arn": ROLE, "store": f"s3://{BUCKET}/endpoint-deploy"},
            "model": {
                "artifact": f"s3://{BUCKET}/1/model.tar.gz",
                "image": {"framework": "sklearn", "version": "1.2-1"},
            },
            "endpoint": {"variants": [{"instance_type": "ml.m5.large"}]},
            "release": {"strategy": strategy},
            "smoke_tests": [{"name": "numbers", "payload": "numbers.json"}],
        }

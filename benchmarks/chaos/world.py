"""The deployments that are released over and over: their specs, their models, and what each model answers."""

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from local_stack.airflow_env import REGION

BUCKET: Final = "chaos"
STORE: Final = "store"
ENVIRONMENT: Final = "chaos"
KEEP: Final = 2  # good releases that retention keeps
ASKED: Final = (1.0, 2.0, 3.0)
WRONG_ANSWER: Final = -1000.0
_ROLE: Final = "arn:aws:iam::123456789012:role/sagemaker-execution"
_YEARLY: Final = "0 0 1 1 *"  # asked for between rounds, and never by itself
_CODE = """
import json, os
def model_fn(model_dir):
    with open(os.path.join(model_dir, "model.json")) as file: return json.load(file)["bias"]
def input_fn(body, content_type): return json.loads(body)
def predict_fn(numbers, bias): return [n + bias for n in numbers]
def output_fn(prediction, accept): return json.dumps(prediction), accept
"""
CODE: Final = {
    "good": _CODE,
    "wrong": _CODE.replace("n + bias", str(WRONG_ANSWER)),
    "cannot-start": "def model_fn(model_dir): raise RuntimeError('weights are missing')",
}
_SUITE: Final = {
    "name": "chaos-predictions",
    "expectations": [
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "prediction", "min_value": 0, "max_value": 100_000},
        },
    ],
}
STRATEGIES: Final[dict[str, dict[str, Any]]] = {
    "alder": {"strategy": "staged"},
    "birch": {"strategy": "staged", "steps": [50], "step": {"least_seconds": 1, "look_seconds": 1}},
    "cedar": {"strategy": "direct"},
    "dogwood": {"strategy": "staged"},
}


def archive(kind: str, bias: int) -> bytes:
    """A model.tar.gz of a tiny model that adds its bias to what it is asked, or is broken in a known way."""
    members = {"model.json": json.dumps({"bias": bias}), "code/inference.py": CODE[kind]}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content.encode())
            tar.addfile(info, io.BytesIO(content.encode()))
    return gzip.compress(buffer.getvalue(), mtime=0)


@dataclass
class Deployment:
    """One deployment of the chaos: its spec on disk, and the truth about its models."""

    name: str
    specs: Path
    answers: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """What the good models answer, by their archive's SHA-256."""

    @property
    def endpoint(self) -> str:
        return f"{self.name}-{ENVIRONMENT}"

    @property
    def staged(self) -> bool:
        """Whether no client may meet a candidate before it is proved."""
        return bool(STRATEGIES[self.name]["strategy"] == "staged")

    def dag_id(self, kind: str) -> str:
        return f"{kind}__{self.name}__{ENVIRONMENT}"

    def write_spec(self) -> None:
        """Write the deployment's YAML and what it names."""
        self.specs.mkdir(parents=True, exist_ok=True)
        (self.specs / "numbers.json").write_text(json.dumps(ASKED))
        (self.specs / "suite.json").write_text(json.dumps(_SUITE))
        (self.specs / f"{self.name}.yaml").write_text(yaml.safe_dump(self._spec(), sort_keys=False))

    def upload(self, s3: Any, kind: str, bias: int) -> str:
        """Put a model into S3 and return its address."""
        content = archive(kind, bias)
        key = f"models/{self.name}/{kind}-{bias}/model.tar.gz"
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        if kind == "good":
            digest = hashlib.sha256(content).hexdigest()
            self.answers[digest] = tuple(asked + bias for asked in ASKED)
        return f"s3://{BUCKET}/{key}"

    def _spec(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "environment": ENVIRONMENT,
            "aws": {"region": REGION, "role_arn": _ROLE, "store": f"s3://{BUCKET}/{STORE}"},
            "model": {
                "artifact": f"s3://{BUCKET}/models/{self.name}/good-1/model.tar.gz",
                "image": {"framework": "sklearn", "version": "1.2-1"},
            },
            "endpoint": {
                "variants": [{"instance_type": "ml.m5.large"}],
                "wait": {"poll_seconds": 0.5, "timeout_seconds": 120},
            },
            "release": STRATEGIES[self.name],
            "smoke_tests": [{"name": "numbers", "payload": "numbers.json", "expectations": "suite.json"}],
            "retention": {"releases": KEEP, "schedule": _YEARLY},
            "sentinel": {"schedule": _YEARLY},
            "run": {"retries": 8, "retry_delay_seconds": 0},
        }


def deployments(specs: Path, names: tuple[str, ...] = tuple(STRATEGIES)) -> list[Deployment]:
    """The chaos's deployments, with their specs written."""
    made = [Deployment(name, specs) for name in names]
    for each in made:
        each.write_spec()
    return made

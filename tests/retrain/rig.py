"""A deployment that is retrained: a tiny model that learns one number, its data, its held-out rows."""

import json
from dataclasses import dataclass
from typing import Any

from tests.deploy.rig import BUCKET, Rig, Run

# Learns by how much y exceeds x on average; `shift` makes it worse by that much, `gate` a file to wait for.
_TRAIN = """
import argparse, csv, json, os, pathlib, shutil, time
parser = argparse.ArgumentParser()
parser.add_argument("--shift", type=float, default=0.0)
parser.add_argument("--gate", default="")
given = parser.parse_args()
while given.gate and not os.path.exists(given.gate): time.sleep(0.05)
files = sorted(pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]).rglob("*.csv"))
rows = [row for file in files for row in csv.DictReader(file.open())]
bias = sum(float(row["y"]) - float(row["x"]) for row in rows) / len(rows) + given.shift
print(f"rows={len(rows)};", flush=True)
model = pathlib.Path(os.environ["SM_MODEL_DIR"])
(model / "model.json").write_text(json.dumps({"bias": bias}))
(model / "code").mkdir()
shutil.copy(pathlib.Path(__file__).with_name("inference.py"), model / "code")
"""
# Answers JSON lists, as smoke tests send them, and CSV rows, as the evaluation does.
_INFERENCE = """
import json, os
def model_fn(model_dir):
    with open(os.path.join(model_dir, "model.json")) as file: return json.load(file)["bias"]
def input_fn(body, content_type):
    if content_type == "text/csv": return [float(line.split(",")[0]) for line in body.splitlines() if line]
    return json.loads(body)
def predict_fn(numbers, bias): return [n + bias for n in numbers]
def output_fn(prediction, accept): return json.dumps(prediction), accept
"""
_ROWS = {
    "name": "tiny-rows",
    "expectations": [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "y"}},
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "y", "min_value": 0, "max_value": 100},
        },
    ],
}


def csv_of(bias: float, rows: int = 20) -> bytes:
    """Rows in which y is x and `bias` more."""
    return ("x,y\n" + "".join(f"{x},{x + bias}\n" for x in range(rows))).encode()


@dataclass
class Retraining:
    """What a rig's deployment is retrained with. The truth is that y is x + 1."""

    rig: Rig

    def spec(self, retrain: dict[str, Any] | None = None, **changes: Any) -> None:
        """Write the deployment's files; `retrain` is merged over that section, one of its own at a time."""
        specs = self.rig.specs
        code = specs / f"code-{self.rig.name}"
        code.mkdir(exist_ok=True)
        (code / "train.py").write_text(_TRAIN)
        (code / "inference.py").write_text(_INFERENCE)
        (specs / "rows.json").write_text(json.dumps(_ROWS))
        body: dict[str, Any] = {
            "data": {"source": f"s3://{BUCKET}/{self.rig.name}/data", "target": "y", "suite": "rows.json"},
            "training": {
                "code": code.name,
                "instance_type": "ml.m5.large",
                "max_runtime_seconds": 3600,
                "metrics": {"rows": "rows=([0-9.]+);"},
            },
            "evaluation": {
                "data": f"s3://{BUCKET}/{self.rig.name}/held-out",
                "instance_type": "ml.m5.large",
                "metrics": [{"name": "mae", "at_most": 1.5, "margin": 0.1}],
            },
        }
        for section, change in (retrain or {}).items():
            merged = isinstance(change, dict) and isinstance(body.get(section), dict)
            body[section] = {**body[section], **change} if merged else change
        changes["registry"] = {"group": self.rig.name, **changes.get("registry", {})}
        self.rig.spec(retrain=body, smoke_tests=[{"name": "numbers", "payload": "numbers.json"}], **changes)

    def put(self, name: str, content: bytes, where: str = "data") -> None:
        self.rig.clients("s3").put_object(Bucket=BUCKET, Key=f"{self.rig.name}/{where}/{name}", Body=content)

    def data(self, name: str, bias: float, rows: int = 20) -> None:
        """A file of training data from which that bias is learnt."""
        self.put(name, csv_of(bias, rows))

    def held_out(self) -> None:
        """The rows that decide: the truth, with a little noise that no model can know."""
        rows = "".join(f"{x},{x + 1 + (-0.1 if x % 2 else 0.1)}\n" for x in range(40))
        self.put("rows.csv", f"x,y\n{rows}".encode(), "held-out")

    def run(self, **conf: Any) -> Run:
        return self.rig.run("retrain", **conf)

    def records(self) -> list[dict[str, Any]]:
        """The endpoint's retrainings, the oldest first."""
        s3 = self.rig.clients("s3")
        prefix = f"{self.rig.store}/retrains/{self.rig.endpoint}/"
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [json.loads(s3.get_object(Bucket=BUCKET, Key=o["Key"])["Body"].read()) for o in found]

    def jobs(self, kind: str) -> list[str]:
        """Names of the endpoint's training or processing jobs."""
        listed = {"training": "TrainingJob", "processing": "ProcessingJob"}[kind]
        answer = getattr(self.rig.sagemaker, f"list_{kind}_jobs")(NameContains=self.rig.name, MaxResults=100)
        return sorted(each[f"{listed}Name"] for each in answer[f"{listed}Summaries"])

    def packages(self) -> list[dict[str, Any]]:
        """The versions of the group, the oldest first; none where nothing was ever registered."""
        groups = self.rig.sagemaker.list_model_package_groups(NameContains=self.rig.name)
        if not groups["ModelPackageGroupSummaryList"]:
            return []
        found = self.rig.sagemaker.list_model_packages(ModelPackageGroupName=self.rig.name, MaxResults=100)
        summaries = sorted(found["ModelPackageSummaryList"], key=lambda each: each["ModelPackageVersion"])
        return [
            self.rig.sagemaker.describe_model_package(ModelPackageName=each["ModelPackageArn"])
            for each in summaries
        ]

    def docs(self, uri: str) -> str:
        """A page of Data Docs."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body = self.rig.clients("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return str(body.decode())

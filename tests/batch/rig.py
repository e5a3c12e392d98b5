"""A released model and files for it to predict, transformed by the real DAG against the local SageMaker."""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.deploy.rig import BUCKET, Rig, Run, archive

# A row's prediction is the sum of its fields and the release's bias. Some first fields make it misbehave.
ROWS = """
import csv, io, json, os

def model_fn(model_dir):
    with open(os.path.join(model_dir, "model.json")) as file: return json.load(file)["bias"]

def input_fn(body, content_type):
    text = body.decode() if isinstance(body, bytes) else body
    if content_type == "application/json": return [[number] for number in json.loads(text)]
    if content_type == "application/jsonlines":
        return [list(json.loads(line).values()) for line in text.split("\\n") if line]
    return [[float(field) for field in row] for row in csv.reader(io.StringIO(text))]

def predict_fn(rows, bias):
    firsts = {row[0] for row in rows}
    if 666 in firsts: raise ValueError("there is no customer 666, says " + os.environ.get("API_TOKEN", ""))
    if 667 in firsts: rows = rows[1:]
    if 668 in firsts: return "<html>"
    if 670 in firsts: rows = rows + rows[:1]
    if 671 in firsts: return []
    return [-1e6 if row[0] == 669 else None if row[0] == 672 else sum(row) + bias for row in rows]

def output_fn(predictions, accept):
    if isinstance(predictions, str): return predictions, accept
    if accept == "application/jsonlines": text = "\\n".join(json.dumps({"sum": p}) for p in predictions)
    elif accept == "text/csv": text = "\\n".join(str(p) for p in predictions)
    else: text = json.dumps(predictions)
    return text, accept
"""
ROWS_SUITE = {
    "name": "rows",
    "expectations": [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "age"}},
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "age", "min_value": 0, "max_value": 1000},
        },
        {
            "type": "expect_column_values_to_be_in_type_list",
            "kwargs": {"column": "income", "type_list": ["int64", "float64"]},
        },
    ],
}
SUMS_SUITE = {
    "name": "sums",
    "expectations": [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "sum"}},
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "sum", "min_value": 0, "max_value": 1_000_000},
        },
    ],
}


def table(*first: int, fields: int = 2) -> bytes:
    """CSV lines that begin with these numbers."""
    return b"".join(b",".join([b"%d" % each] * fields) + b"\n" for each in first)


@dataclass
class BatchRig(Rig):
    """A deployment whose model answers tables, with an input and an output prefix of each test's own."""

    folder: str = field(default="")

    def fresh(self, **section: Any) -> None:
        """New prefixes, and the deployment's section with these members."""
        self.folder = uuid.uuid4().hex[:8]
        self.batch(**section)

    def batch(self, **section: Any) -> None:
        """Write the spec with these members of its section."""
        (self.specs / "rows.json").write_text(json.dumps(ROWS_SUITE))
        (self.specs / "sums.json").write_text(json.dumps(SUMS_SUITE))
        self.spec(
            # Spelt so that the secret is in a message of the model's that we repeat.
            model={"environment": {"API_TOKEN": "canary-5f1d0c77"}},
            smoke_tests=[{"name": "numbers", "payload": "numbers.json"}],
            batch_transform={
                "input": f"s3://{BUCKET}/{self.name}/{self.folder}/in",
                "output": f"s3://{BUCKET}/{self.name}/{self.folder}/out",
                "instance_type": "ml.m5.large",
                **section,
            },
        )

    def artifact(self, kind: str = "rows", bias: int = 1, **more: bytes) -> str:
        """Upload a model that predicts rows."""
        members = {"model.json": json.dumps({"bias": bias}).encode(), "code/inference.py": ROWS.encode()}
        return self.upload(archive({**members, **more}), f"{kind}-{bias}")

    def put(self, files: dict[str, bytes], *, below: str = "in") -> None:
        """Upload input files."""
        for key, body in files.items():
            self.clients("s3").put_object(
                Bucket=BUCKET, Key=f"{self.name}/{self.folder}/{below}/{key}", Body=body
            )

    def transform(self, **conf: Any) -> Run:
        """Run the batch transform DAG."""
        return self.run("batch_transform", **conf)

    def read(self, uri: str) -> bytes:
        """An object by its address."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body: bytes = self.clients("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def delivery(self, run: Run) -> dict[str, Any]:
        """What the run's marker says."""
        return self.marker(run.result["delivered"])

    def marker(self, uri: str) -> dict[str, Any]:
        """What a marker says."""
        found: dict[str, Any] = json.loads(self.read(uri))
        return found

    def delivered(self, run: Run) -> dict[str, bytes]:
        """The predictions that the run's marker names, by input file."""
        return {file["key"]: self.read(file["output"]) for file in self.delivery(run)["files"]}

    def keys(self, below: str) -> list[str]:
        """Keys of objects below a prefix of the bucket."""
        pages = self.clients("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=below)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def jobs(self) -> list[dict[str, Any]]:
        """Every transform job of the deployment, the newest first."""
        found: list[dict[str, Any]] = self.sagemaker.list_transform_jobs(
            NameContains=self.endpoint, MaxResults=100
        )["TransformJobSummaries"]
        return found

    def jobs_model(self) -> str:
        """The model of the newest job."""
        job = self.sagemaker.describe_transform_job(TransformJobName=self.jobs()[0]["TransformJobName"])
        return str(job["ModelName"])

    def records(self) -> list[dict[str, Any]]:
        """The records of the deployment's batches, the oldest first."""
        below = f"{self.store}/batches/{self.endpoint}/records/"
        return [json.loads(self.read(f"s3://{BUCKET}/{key}")) for key in self.keys(below)]


def sums(body: bytes, bias: int = 1) -> list[float]:
    """What the model must answer to a table."""
    return [sum(float(field) for field in line.split(b",")) + bias for line in body.splitlines()]


def json_sums(body: bytes) -> list[float]:
    """The predictions of an output in JSON Lines."""
    return [json.loads(line)["sum"] for line in body.splitlines() if line]

"""A deployment whose model is trained by a tiny script, and one DAG run of its training."""

import io
import json
import tarfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.rig import BUCKET, Rig

# Counts the rows of its channel, and is the better the nearer its rate is to a half.
COUNTS = """
import argparse, json, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float, default=0.5)
parser.add_argument("--name", default="")
given = parser.parse_args()
channel = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"])
rows = sum(len(file.read_text().splitlines()) - 1 for file in channel.rglob("*.csv"))
print(f"loss={abs(given.rate - 0.5):.6f}; rows={rows};", flush=True)
model = {"rows": rows, "rate": given.rate, "name": given.name}
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.json").write_text(json.dumps(model))
"""
METRICS = {"loss": "loss=([0-9.]+);", "rows": "rows=([0-9.]+);"}
_DAGS = Path(__file__).with_name("dags")
_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"


@dataclass
class Done:
    """How a run of one task ended: its state, number of tries, result and error."""

    state: str
    tries: int
    result: dict[str, Any]
    failure: dict[str, Any]


def lay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put this folder's DAGs beside the project's, where `dag.test()` finds them."""
    bundles = [
        {"name": "dags-folder", "classpath": _BUNDLE, "kwargs": {}},
        {"name": "retrain-tests", "classpath": _BUNDLE, "kwargs": {"path": str(_DAGS)}},
    ]
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(bundles))


def run_one(task_id: str, name: str, conf: dict[str, Any]) -> Done:
    """Run the DAG that is about this task to its end in this process."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    from tests.dag_bag import DagBag

    bag = DagBag(dag_folder=str(_DAGS / f"{task_id}.py"))
    assert not bag.import_errors, bag.import_errors
    dag_id = f"{task_id}__{name}__test"
    run = bag.dags[dag_id].test(run_conf=conf)
    with create_session() as session:
        rows = session.scalars(XComModel.get_many(run_id=run.run_id, task_ids=task_id, dag_ids=dag_id))
        found = {row.key: XComModel.deserialize_value(row) for row in rows}
    (task,) = [ti for ti in run.get_task_instances() if ti.task_id == task_id]
    return Done(
        state=str(task.state),
        tries=task.try_number,
        result=found.get("return_value") or {},
        failure=found.get("failure") or {},
    )


class TrainingRig:
    """A rig whose spec has `retrain`, with data and code of its own."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rig = rig
        self.name = rig.name
        self.store = f"s3://{BUCKET}/store-{rig.name}"
        lay_out(monkeypatch)
        self.code(COUNTS)
        self.spec()

    def code(self, script: str) -> None:
        """Write the training script."""
        directory = self.rig.specs / "code"
        directory.mkdir(exist_ok=True)
        (directory / "train.py").write_text(script)

    def spec(self, tuning: dict[str, Any] | None = None, **training: Any) -> None:
        """Write the spec; changes go over its training section."""
        (self.rig.specs / "rows.json").write_text('{"name": "rows", "expectations": []}')
        retrain = {
            "data": {
                "source": f"s3://{BUCKET}/{self.name}/data",
                "target": "y",
                "suite": "rows.json",
            },
            "training": {
                "code": "code",
                "instance_type": "ml.m5.large",
                "max_runtime_seconds": 600,
                "metrics": METRICS,
                **training,
            },
            "evaluation": {
                "data": f"s3://{BUCKET}/{self.name}/held-out",
                "instance_type": "ml.m5.large",
                "metrics": [{"name": "mae", "at_most": 1.0}],
            },
            **({"tuning": tuning} if tuning else {}),
        }
        self.rig.spec(retrain=retrain, registry={"group": self.name})

    def data(self, *rows: int) -> dict[str, Any]:
        """Files with as many rows each, and a manifest that names them: a TrainingSet."""
        s3 = self.rig.clients("s3")
        digest = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.name}{rows}").hex
        files = []
        for number, count in enumerate(rows):
            key = f"{self.name}/data/{digest}-{number}.csv"
            body = "x,y\n" + "1,2\n" * count
            etag = s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())["ETag"]
            files.append({"key": key, "etag": etag, "size": len(body)})
        manifest = f"store-{self.name}/training-sets/{digest}/manifest.json"
        listed = [{"prefix": f"s3://{BUCKET}/"}, *(file["key"] for file in files)]
        s3.put_object(Bucket=BUCKET, Key=manifest, Body=json.dumps(listed).encode())
        return {
            "digest": digest,
            "bucket": BUCKET,
            "manifest": f"s3://{BUCKET}/{manifest}",
            "files": files,
        }

    def run(self, training_set: dict[str, Any] | None, **conf: Any) -> Done:
        """Train on this, if anything."""
        return run_one("train", self.name, {"training_set": training_set, **conf})

    def jobs(self, kind: str = "training") -> list[str]:
        """Names of the deployment's jobs, the oldest first."""
        listed = {"training": "TrainingJob", "tuning": "HyperParameterTuningJob"}[kind]
        call = {"training": "list_training_jobs", "tuning": "list_hyper_parameter_tuning_jobs"}[kind]
        answer = getattr(self.rig.sagemaker, call)(
            NameContains=self.name, MaxResults=100, SortBy="CreationTime", SortOrder="Ascending"
        )
        return [each[f"{listed}Name"] for each in answer[f"{listed}Summaries"]]

    def describe(self, name: str) -> dict[str, Any]:
        described: dict[str, Any] = self.rig.sagemaker.describe_training_job(TrainingJobName=name)
        return described

    def model(self, artifact: str) -> dict[str, Any]:
        """What the script left in its model."""
        bucket, _, key = artifact.removeprefix("s3://").partition("/")
        body = self.rig.clients("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            member = tar.extractfile("model.json")
            assert member is not None
            found: dict[str, Any] = json.loads(member.read())
        return found

"""A deployment whose training data are real, and one DAG run that selects and judges them."""

import gzip
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from endpoint_deploy.aws.retrains import Retrains
from endpoint_deploy.core.record import RunRef
from endpoint_deploy.core.retrain import CheckedData, RegisteredPackage, RetrainRecord
from endpoint_deploy.task_links import DATA_DOCS
from tests.deploy.rig import BUCKET, Rig

TARGET = "target"
_COLUMNS = ["mean radius", "mean texture", "mean smoothness", "worst concavity", "worst area"]
_DAGS = Path(__file__).with_name("dags") / "data_gate.py"
_COMPARISON = Path(__file__).parents[2] / "include" / "expectations" / "training-data-comparison.json"
_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
ROWS = [
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": TARGET}},
    {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "mean radius", "min_value": 1, "max_value": 100},
    },
]
PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/1"


def cell_samples() -> pd.DataFrame:
    """Wisconsin's breast cancer data, some columns and a text: 569 rows in an order that says nothing."""
    data = load_breast_cancer(as_frame=True).frame
    frame = data[[*_COLUMNS, TARGET]].copy()
    frame.insert(0, "size", pd.qcut(data["mean area"], 3, labels=["small", "medium", "large"]).astype(str))
    return frame.sample(frac=1, random_state=7).reset_index(drop=True)


def csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def in_two(frame: pd.DataFrame) -> dict[str, bytes]:
    """The frame in two files, one of them packed."""
    half = len(frame) // 2
    packed = gzip.compress(csv(frame.iloc[half:]), mtime=0)
    return {"2026-01.csv": csv(frame.iloc[:half]), "2026-02.csv.gz": packed}


@dataclass
class Gated:
    """How a run ended, and what its two tasks returned, or said of their failure."""

    state: str
    tasks: dict[str, str]
    selected: dict[str, Any]
    checked: dict[str, Any]
    nothing_new: str
    message: str
    docs: str


class DataRig:
    """A rig whose spec has `retrain`; its files are those that a test puts there."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rig = rig
        self.store = f"s3://{BUCKET}/store-{rig.name}"
        self.retrains = Retrains(rig.clients("s3"), self.store, rig.endpoint)
        bundles = [
            {"name": "dags-folder", "classpath": _BUNDLE, "kwargs": {}},
            {"name": "data-gate", "classpath": _BUNDLE, "kwargs": {"path": str(_DAGS.parent)}},
        ]
        monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(bundles))
        code = rig.specs / "code"
        code.mkdir(exist_ok=True)
        (code / "train.py").write_text("print('trained')\n")
        self.spec()

    def spec(self, *, rows: list[dict[str, Any]] = ROWS, **data: Any) -> None:
        """Write the spec; changes go over its section retrain.data."""
        (self.rig.specs / "rows.json").write_text(json.dumps({"name": "rows", "expectations": rows}))
        shutil.copy(_COMPARISON, self.rig.specs / "comparison.json")
        source = f"s3://{BUCKET}/{self.rig.name}/data"
        suites = {"suite": "rows.json", "comparison_suite": "comparison.json"}
        retrain = {
            "data": {"source": source, "target": TARGET, **suites, **data},
            "training": {"code": "code", "instance_type": "ml.m5.large"},
            "evaluation": {
                "data": f"s3://{BUCKET}/{self.rig.name}/held-out",
                "instance_type": "ml.m5.large",
                "metrics": [{"name": "accuracy", "at_least": 0.5}],
            },
        }
        self.rig.spec(retrain=retrain, registry={"group": self.rig.name})

    def put(self, files: Mapping[str, bytes]) -> None:
        """Let these be all the files there are."""
        s3 = self.rig.clients("s3")
        below = f"{self.rig.name}/data/"
        for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=below).get("Contents", []):
            s3.delete_object(Bucket=BUCKET, Key=item["Key"])
        for name, body in files.items():
            s3.put_object(Bucket=BUCKET, Key=below + name, Body=body)

    def address(self, name: str) -> str:
        return f"s3://{BUCKET}/{self.rig.name}/data/{name}"

    def run(self, **form: Any) -> Gated:
        """Run the DAG to its end in this process."""
        from airflow.models.xcom import XComModel
        from airflow.utils.session import create_session

        from tests.dag_bag import DagBag

        bag = DagBag(dag_folder=str(_DAGS))
        assert not bag.import_errors, bag.import_errors
        dag_id = f"data__{self.rig.name}__test"
        run = bag.dags[dag_id].test(run_conf=form)
        with create_session() as session:
            found = {
                (row.task_id, row.key): XComModel.deserialize_value(row)
                for row in session.scalars(XComModel.get_many(run_id=run.run_id, dag_ids=dag_id))
            }
        failures = [value["message"] for (_, key), value in found.items() if key == "failure"]
        return Gated(
            state=str(run.state.value),
            tasks={ti.task_id: str(ti.state) for ti in run.get_task_instances()},
            selected=found.get(("select_data", "return_value")) or {},
            checked=found.get(("check_data", "return_value")) or {},
            nothing_new=found.get(("select_data", "nothing_new")) or "",
            message="; ".join(failures),
            docs=found.get(("check_data", DATA_DOCS)) or "",
        )

    def record(self, run: Gated) -> None:
        """Keep the record of a retraining that ended with a package, as the DAG's last task does."""
        self.retrains.append(
            RetrainRecord(
                deployment=self.rig.name,
                endpoint=self.rig.endpoint,
                outcome="registered",
                reason="every gate was passed",
                training_set=run.selected["digest"],
                identity=run.selected["identity"],
                data=CheckedData.model_validate(run.checked),
                package=RegisteredPackage(arn=PACKAGE, group="churn", version=1, status="Approved"),
                run=RunRef(dag_id="retrain", run_id=run.selected["digest"], run_type="manual"),
                started_at="2026-01-01T00:00:00+00:00",
                finished_at="2026-01-01T00:01:00+00:00",
                seconds=60,
            )
        )

    def text(self, uri: str) -> str:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.rig.clients("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()

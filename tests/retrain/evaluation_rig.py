"""A deployment whose models are evaluated, and DAG runs of the evaluation and of its gate."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.rig import BUCKET, Rig, ensure_bucket
from tests.retrain.evaluations import CODE, model, rows

# As CODE, and it answers the smoke test's JSON, too.
SERVED = CODE.replace(
    "return [float(line) for line in body.split()]",
    "return json.loads(body) if 'json' in content_type else [float(line) for line in body.split()]",
).replace("return [{", "return numbers if numbers == [1.0, 2.0, 3.0] else [{")
METRICS = [{"name": "accuracy", "at_least": 0.6, "margin": 0.02}, {"name": "roc_auc", "at_least": 0.9}]
COLUMNS = ("row", "truth", "candidate", "champion", "candidate_score", "champion_score")
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sklearn:1"
_DAGS = Path(__file__).with_name("dags") / "evaluate.py"
_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"


@dataclass
class Gated:
    """How a run ended: each task's state, XComs by task and key."""

    states: dict[str, str]
    xcoms: dict[str, dict[str, Any]]

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """What the gate let through, by the metrics' names."""
        return {metric["name"]: metric for metric in self.xcoms["gate_metrics"]["return_value"]["metrics"]}

    def failure(self, task: str) -> dict[str, Any]:
        """What a failed task left."""
        assert self.states[task] == "failed", self
        found: dict[str, Any] = self.xcoms[task]["failure"]
        return found


class EvaluationRig:
    """A rig whose spec has `retrain`, with held-out rows of its own."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rig = rig
        self.s3 = rig.clients("s3")
        bundles = [
            {"name": "dags-folder", "classpath": _BUNDLE, "kwargs": {}},
            {"name": "evaluate", "classpath": _BUNDLE, "kwargs": {"path": str(_DAGS.parent)}},
        ]
        monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(bundles))
        self.spec()
        self.held_out(400)

    def spec(self, *, environment: dict[str, str] | None = None, **evaluation: Any) -> None:
        """Write the spec; changes go over its evaluation section."""
        (self.rig.specs / "rows.json").write_text('{"name": "rows", "expectations": []}')
        (self.rig.specs / "code").mkdir(exist_ok=True)
        prefix = f"s3://{BUCKET}/{self.rig.name}"
        retrain = {
            "data": {"source": f"{prefix}/data", "target": "target", "suite": "rows.json"},
            "training": {"code": "code", "instance_type": "ml.m5.large"},
            "evaluation": {
                "data": f"{prefix}/held-out",
                "instance_type": "ml.m5.large",
                "prediction": "label",
                "score": "benign",
                "positive": 1,
                "metrics": METRICS,
                **evaluation,
            },
        }
        model = {"image": IMAGE, "script_mode": True, "environment": environment or {}}
        self.rig.spec(retrain=retrain, registry={"group": self.rig.name}, model=model)

    def held_out(self, count: int) -> None:
        """Held-out rows in two files, and what is no data beside them."""
        for number in range(2):
            lines = ["x,target", *(f"{x},{truth}" for x, truth in rows(count)[number::2])]
            self.put(f"{self.rig.name}/held-out/part-{number}.csv", "\n".join(lines) + "\n")
        self.put(f"{self.rig.name}/held-out/_SUCCESS", "")

    def put(self, key: str, content: str | bytes) -> str:
        body = content.encode() if isinstance(content, str) else content
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"

    def candidate(self, code: str = SERVED, cut: float = 0.5, image: str = IMAGE) -> dict[str, Any]:
        """What `validate_candidate` returns for such a model."""
        content = model(code, cut)
        digest = hashlib.sha256(content).hexdigest()
        pinned = self.put(f"store-{self.rig.name}/artifacts/sha256/{digest}/model.tar.gz", content)
        candidate = {"artifact": pinned, "image": image, "sha256": digest, "pinned": pinned}
        return {"candidate": candidate, "report": {}, "data_docs": None}

    def release(self, code: str = SERVED, cut: float = 0.5) -> None:
        """Make such a model the champion, by the deploy DAG."""
        artifact = self.rig.upload(model(code, cut), f"champion-{cut}")
        ended = self.rig.run("deploy", artifact=artifact)
        assert ended.outcome == "released", ended

    def evaluate(self, **candidate: Any) -> Gated:
        """Evaluate such a candidate, and gate its metrics."""
        return self._run("evaluate", validate_candidate=self.candidate(**candidate))

    def gate(self, predictions: Iterable[dict[str, Any]], *, compared: bool = True, rows: int) -> Gated:
        """Gate these predictions."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows(predictions)
        champion = {"sha256": "0" * 64, "pinned": "s3://bucket/champion", "release": 7}
        evaluation = {
            "job": "job",
            "predictions": self.put(f"{self.rig.name}/predictions.csv", text.getvalue()),
            "rows": rows,
            "champion": champion if compared else None,
        }
        return self._run("gate", evaluate=evaluation)

    def jobs(self) -> list[dict[str, Any]]:
        """The deployment's processing jobs, the oldest first."""
        answer = self.rig.sagemaker.list_processing_jobs(
            NameContains=self.rig.name, SortBy="CreationTime", SortOrder="Ascending"
        )
        return [
            self.rig.sagemaker.describe_processing_job(ProcessingJobName=job["ProcessingJobName"])
            for job in answer["ProcessingJobSummaries"]
        ]

    def predictions(self, run: Gated) -> list[dict[str, str]]:
        """What an evaluation wrote."""
        uri = run.xcoms["evaluate"]["return_value"]["predictions"]
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return list(csv.DictReader(io.StringIO(body.decode())))

    def page(self, uri: str) -> str:
        """A page of Data Docs."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()

    def _run(self, kind: str, **conf: Any) -> Gated:
        from airflow.models.xcom import XComModel
        from airflow.utils.session import create_session

        from tests.dag_bag import DagBag

        bag = DagBag(dag_folder=str(_DAGS))
        assert not bag.import_errors, bag.import_errors
        dag_id = f"{kind}__{self.rig.name}__test"
        run = bag.dags[dag_id].test(run_conf=conf)
        xcoms: dict[str, dict[str, Any]] = {}
        with create_session() as session:
            for row in session.scalars(XComModel.get_many(run_id=run.run_id, dag_ids=dag_id)):
                xcoms.setdefault(row.task_id, {})[row.key] = XComModel.deserialize_value(row)
        return Gated(states={ti.task_id: str(ti.state) for ti in run.get_task_instances()}, xcoms=xcoms)


@contextmanager
def evaluation_rig(specs: Path, local_sagemaker: Any) -> Iterator[EvaluationRig]:
    """A rig that lasts as long as its fixture."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENDPOINT_DEPLOY_SPECS", str(specs))
        ensure_bucket(local_sagemaker.client("s3"))
        rig = Rig(specs=specs, clients=local_sagemaker.client)
        yield EvaluationRig(rig, patch)
        if rig.endpoint in [each["EndpointName"] for each in rig.sagemaker.list_endpoints()["Endpoints"]]:
            rig.sagemaker.delete_endpoint(EndpointName=rig.endpoint)

"""The amazon provider's operators and sensors for jobs, unmodified, against the local SageMaker."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, ROLE, Rig, archive
from tests.provider.stock import IMAGE, run_dag

pytestmark = AS_IN_PRODUCTION

_TRAIN = b"""
import argparse, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
rate = parser.parse_args().rate
print(f"loss={abs(rate - 0.5):.4f};", flush=True)
pathlib.Path(os.environ["SM_MODEL_DIR"], "rate.txt").write_text(str(rate))
"""
_PROCESS = b"""
import json, pathlib
pathlib.Path("/opt/ml/processing/output/report.json").write_text(json.dumps({"rows": 3}))
"""


def test_the_stock_operators_and_sensors_run_jobs_of_every_kind(
    rig: Rig, local_sagemaker: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The hook that reads output files does not take its endpoint from the connection.
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_sagemaker.url)
    s3, sagemaker = rig.clients("s3"), rig.sagemaker
    prefix = f"{rig.name}/jobs"
    files = {
        "process.py": _PROCESS,
        "sourcedir.tar.gz": archive({"train.py": _TRAIN}),
        "rows.jsonl": b"[1.0, 2.0]\n[3.0]\n",
    }
    for key, body in files.items():
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}/{key}", Body=body)
    conf = {
        "name": rig.name,
        "prefix": f"s3://{BUCKET}/{prefix}",
        "artifact": rig.artifact("good", 1),
        "image": IMAGE,
        "role": ROLE,
    }
    states, results = run_dag(
        Path(__file__).with_name("dags") / "stock_jobs.py", "stock__jobs", conf, monkeypatch
    )
    assert set(states.values()) == {"success"}, states

    def output(key: str) -> Any:
        return s3.get_object(Bucket=BUCKET, Key=f"{prefix}/output/{key}")["Body"].read()

    assert results["process"]["OutputFiles"] == {"Report": {"rows": 3}}
    assert json.loads(output("processed/report.json")) == {"rows": 3}
    assert "loss=0.2500;" in capsys.readouterr().out, "the operator prints the job's log"
    trained = results["train"]["Training"]
    assert trained["TrainingJobStatus"] == "Completed"
    assert trained["FinalMetricDataList"][0]["Value"] == pytest.approx(0.25)
    assert output(f"{rig.name}/output/model.tar.gz")
    best = results["tune"]["Tuning"]["BestTrainingJob"]
    rate = float(best["TunedHyperParameters"]["rate"])
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == pytest.approx(
        abs(rate - 0.5), abs=1e-4
    )
    assert results["predict"]["Transform"]["TransformJobStatus"] == "Completed"
    assert [json.loads(line) for line in output("transformed/rows.jsonl.out").splitlines()] == [
        [2.0, 3.0],
        [4.0],
    ]
    again = results["retrain"]["Training"]
    assert again["TrainingJobName"].startswith(f"{rig.name}-")
    assert again["FinalMetricDataList"][0]["Value"] == pytest.approx(0.25)
    package = sagemaker.describe_model_package(ModelPackageName=results["register"])
    assert (package["ModelPackageGroupName"], package["ModelApprovalStatus"]) == (
        rig.name,
        "PendingManualApproval",
    )
    (container,) = package["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == trained["ModelArtifacts"]["S3ModelArtifacts"]
    assert sagemaker.list_models(NameContains=rig.name)["Models"] == []

"""The amazon provider's operators and sensors for processing and transform jobs, unmodified."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, ROLE, Rig
from tests.provider.stock import IMAGE, run_dag

pytestmark = AS_IN_PRODUCTION

_FILE = Path(__file__).with_name("dags") / "stock_batch.py"
_PREPARE = """
import pathlib
data, prepared = pathlib.Path("/opt/ml/processing/input/data"), pathlib.Path("/opt/ml/processing/prepared")
for path in data.iterdir():
    rows = ["[" + line + "]" for line in path.read_text().split()]
    (prepared / f"{path.stem}.jsonl").write_text("\\n".join(rows))
"""


class StockBatch:
    """Runs the provider's chain over data of a rig's."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rig = rig
        self._monkeypatch = monkeypatch
        self.prefix = f"{rig.name}/batch"
        self._s3 = rig.clients("s3")
        self.put("code/prepare.py", _PREPARE)

    def put(self, key: str, text: str) -> None:
        self._s3.put_object(Bucket=BUCKET, Key=f"{self.prefix}/{key}", Body=text.encode())

    def __call__(self) -> dict[str, str]:
        """The state of each task."""
        conf = {
            "name": self.rig.name,
            "prefix": f"s3://{BUCKET}/{self.prefix}",
            "artifact": self.rig.artifact("good", 10),
            "image": IMAGE,
            "role": ROLE,
        }
        return run_dag(_FILE, "stock__batch", conf, self._monkeypatch)[0]

    def predicted(self) -> dict[str, Any]:
        found = self._s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{self.prefix}/predicted/")["Contents"]
        bodies = {
            each["Key"]: self._s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in found
        }
        return {
            key.rpartition("/")[2]: [json.loads(line) for line in body.splitlines()]
            for key, body in bodies.items()
        }

    def jobs(self, kind: str) -> list[str]:
        client = self.rig.sagemaker
        listed = getattr(client, f"list_{kind.lower()}_jobs")(NameContains=self.rig.name)
        return [job[f"{kind}JobStatus"] for job in listed[f"{kind}JobSummaries"]]


@pytest.fixture
def batch(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> StockBatch:
    """The provider's chain."""
    return StockBatch(rig, monkeypatch)


def test_the_stock_operators_and_sensors_prepare_and_transform(batch: StockBatch) -> None:
    batch.put("data/a.txt", "1 2,3")
    batch.put("data/b.txt", "4")
    tasks = batch()
    assert set(tasks.values()) == {"success"}, tasks
    assert batch.predicted() == {"a.jsonl.out": [[11], [12, 13]], "b.jsonl.out": [[14]]}

    # Again, under the same names: the operators find them taken and add the time. A row that the model
    # cannot take fails the job, and with it the sensor.
    batch.put("data/c.txt", '"x"')
    assert batch() == {
        "prepare": "success",
        "await_prepare": "success",
        "transform": "success",
        "await_transform": "failed",
    }
    assert batch.jobs("Processing") == ["Completed", "Completed"]
    assert sorted(batch.jobs("Transform")) == ["Completed", "Failed"]

"""A batch transform by a real scheduler and triggerer: new files start it, and it waits without a worker."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_stack.stack import Stack
from tests.batch.rig import ROWS, BatchRig, json_sums, sums, table
from tests.deploy.rig import BUCKET, REGION
from tests.e2e.live import LiveRig, get, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

_TRIGGER = "endpoint_deploy.triggers.job_settled.JobSettledTrigger"


@dataclass
class LiveBatch(LiveRig, BatchRig):
    """The batch rig, with its runs started and followed through Airflow's API."""


@pytest.fixture
def rig(stack: Stack, tmp_path: Path) -> Iterator[LiveBatch]:
    s3 = stack.client("s3")
    if BUCKET not in {b["Name"] for b in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    made = LiveBatch(specs=stack.specs_dir, clients=stack.client, stack=stack, gates=tmp_path)
    made.fresh(on_new_data=True, poll_seconds=0.5, instances=2, max_concurrent=2)
    for kind in ("deploy", "batch_transform"):
        stack.airflow.wait_for_dag(made.dag_id(kind), seconds=120)
    yield made
    made.end_of_life()
    s3.close()


def test_new_files_are_predicted_and_delivered_while_no_worker_waits(rig: LiveBatch) -> None:
    gate = rig.gates / "gate"
    # The service tells a container that it serves a transform job (guide, Use your own inference code).
    waits = (
        f"\n    import time\n    gate = {str(gate)!r}"
        "\n    while 'SAGEMAKER_BATCH' in os.environ and not os.path.exists(gate): time.sleep(0.05)"
    )
    code = ROWS.replace("def model_fn(model_dir):", f"def model_fn(model_dir):{waits}")
    released = rig.run(artifact=rig.artifact(**{"code/inference.py": code.encode()}))
    assert released.outcome == "released", released

    counts = (6000, 3000, 1000, 500, 1)
    files = {f"{number}.csv": table(*range(1000, 1000 + count)) for number, count in enumerate(counts)}
    rig.put({**files, "corrupt.csv": b"1,2\n3\n", "refused.csv": table(1, 666)})

    def runs() -> list[dict[str, Any]]:
        dag_id = rig.dag_id("batch_transform")
        found: list[dict[str, Any]] = get(rig.stack, f"/dags/{dag_id}/dagRuns")["dag_runs"]
        return found

    (run,) = until(runs, "the new files start a run")
    assert run["run_type"] == "asset_triggered"
    run_id = run["dag_run_id"]

    def deferred() -> dict[str, Any] | None:
        task = rig.task(run_id, "transform", "batch_transform")
        return task if task["state"] == "deferred" and task["triggerer_job"] else None

    task = until(deferred, "a triggerer has taken transform")
    assert task is not None
    assert task["trigger"]["classpath"] == _TRIGGER
    gate.touch()
    ended = rig.end(run_id, "batch_transform")
    assert (ended.state, ended.outcome) == ("failed", "partial"), ended
    assert rig.task(run_id, "transform", "batch_transform")["try_number"] == 1
    assert "corrupt.csv, line 2: found 1 fields" in ended.result["reason"]
    assert "there is no customer 666" in ended.result["reason"]
    found = rig.delivered(ended)
    assert set(found) == set(files)
    for key, body in files.items():
        assert json_sums(found[key]) == sums(body), key

    again = rig.run("batch_transform", input=f"s3://{BUCKET}/{rig.name}/{rig.folder}/none")
    assert (again.state, again.outcome) == ("failed", "failed"), again
    assert len(rig.jobs()) == 1

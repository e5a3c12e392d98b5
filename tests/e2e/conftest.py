"""Deployments of a test's own in a running stack."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_stack.stack import Stack
from tests.deploy.rig import BUCKET, REGION
from tests.e2e.live import LiveRig


@pytest.fixture
def deployment(stack: Stack, tmp_path: Path) -> Iterator[Callable[..., LiveRig]]:
    """Make deployments, by changes to the rig's spec, and wait until Airflow lists their DAGs."""
    made: list[LiveRig] = []
    s3 = stack.client("s3")
    if BUCKET not in {b["Name"] for b in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    def make(**changes: Any) -> LiveRig:
        rig = LiveRig(specs=stack.specs_dir, clients=stack.client, stack=stack, gates=tmp_path)
        rig.spec(**changes)
        made.append(rig)
        for kind in ("deploy", "rollback", "teardown"):
            stack.airflow.wait_for_dag(rig.dag_id(kind), seconds=120)
        return rig

    yield make
    for rig in made:
        (stack.specs_dir / f"{rig.name}.yaml").unlink()
    s3.close()

"""Deployments of a test's own in a running stack."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local_stack.stack import Stack
from tests.deploy.rig import ensure_bucket
from tests.e2e.live import LiveRig


@contextmanager
def deployments(stack: Stack, gates: Path) -> Iterator[Callable[..., LiveRig]]:
    """Make deployments, by changes to the rig's spec, and wait until Airflow lists their DAGs."""
    made: list[LiveRig] = []
    ensure_bucket(stack.client("s3"))

    def make(**changes: Any) -> LiveRig:
        whose = {name: changes.pop(name) for name in ("name", "environment") if name in changes}
        rig = LiveRig(specs=stack.specs_dir, clients=stack.client, stack=stack, gates=gates, **whose)
        rig.spec(**changes)
        made.append(rig)
        for kind in ("deploy", "rollback", "teardown"):
            stack.airflow.wait_for_dag(rig.dag_id(kind), seconds=120)
        return rig

    yield make
    for rig in made:
        rig.end_of_life()


def side_by_side(
    stack: Stack, gates: Path, specs: dict[str, dict[str, Any]], **how: Any
) -> dict[str, LiveRig]:
    """A deployment for each of the specs, all of them listed by Airflow; `how` is for their rigs."""
    ensure_bucket(stack.client("s3"))
    rigs = {
        name: LiveRig(specs=stack.specs_dir, clients=stack.client, stack=stack, gates=gates, **how)
        for name in specs
    }
    for name, rig in rigs.items():
        rig.spec(**specs[name])
    for rig in rigs.values():
        stack.airflow.wait_for_dag(rig.dag_id(), seconds=300)
    return rigs


@pytest.fixture
def deployment(stack: Stack, tmp_path: Path) -> Iterator[Callable[..., LiveRig]]:
    """Deployments of one test."""
    with deployments(stack, tmp_path) as make:
        yield make

"""The deployment of a tiny model, as the tests of releases have it, and one that is trained."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.deploy.conftest import proxy, rig
from tests.deploy.rig import Rig
from tests.retrain.training_rig import TrainingRig

__all__ = ["proxy", "rig"]


@pytest.fixture
def trainer(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> TrainingRig:
    return TrainingRig(rig, monkeypatch)


@pytest.fixture
def fault(local_sagemaker: Any) -> Iterator[Any]:
    """Adds a fault to the local SageMaker; they are gone after the test."""
    made: list[str] = []

    def add(fault: str, **members: Any) -> None:
        answer = httpx.post(f"{local_sagemaker.url}/_local/faults", json={"fault": fault, **members})
        answer.raise_for_status()
        made.append(answer.json()["faults"][0]["id"])

    yield add
    for each in made:
        httpx.delete(f"{local_sagemaker.url}/_local/faults/{each}")

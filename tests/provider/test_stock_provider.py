"""The amazon provider's operators, unmodified, against the local SageMaker, and where ours differ."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, ROLE, Rig

pytestmark = AS_IN_PRODUCTION

_FILE = Path(__file__).with_name("dags") / "stock_provider.py"
_IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
_CHAIN = ["create_model", "create_endpoint_config", "deploy_endpoint", "await_endpoint"]
_LOCAL = "airflow.dag_processing.bundles.local.LocalDagBundle"


class StockRelease:
    """Releases a model of a rig by the provider's chain."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig

    def __call__(self, operation: str, kind: str, bias: int) -> str:
        """Returns the configuration that was asked for; every task of the chain reported success."""
        from airflow.dag_processing.dagbag import DagBag

        bag = DagBag(dag_folder=str(_FILE))
        assert not bag.import_errors, bag.import_errors
        conf = {
            "endpoint": self.rig.endpoint,
            "release": f"r{bias}",
            "artifact": self.rig.artifact(kind, bias),
            "image": _IMAGE,
            "role": ROLE,
        }
        run = bag.dags[f"stock__{operation}"].test(run_conf=conf)
        states = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
        assert (run.state, states) == ("success", dict.fromkeys(_CHAIN, "success"))
        return f"{self.rig.endpoint}-r{bias}"


@pytest.fixture
def stock(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> StockRelease:
    """The provider's chain; its DAGs lie in a bundle beside the project's."""
    bundles = [
        {"name": "dags-folder", "classpath": _LOCAL, "kwargs": {}},
        {"name": "stock-provider", "classpath": _LOCAL, "kwargs": {"path": str(_FILE.parent)}},
    ]
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(bundles))
    return StockRelease(rig)


def live(rig: Rig) -> tuple[str, str]:
    found: dict[str, Any] = rig.describe()
    return found["EndpointStatus"], found["EndpointConfigName"]


def test_the_stock_chain_creates_and_updates_and_takes_a_silent_rollback_for_success(
    rig: Rig, stock: StockRelease
) -> None:
    first = stock("create", "good", 1)
    assert live(rig) == ("InService", first)
    assert rig.predict() == [2.0, 3.0, 4.0]

    second = stock("update", "good", 2)
    assert live(rig) == ("InService", second)
    assert rig.predict() == [3.0, 4.0, 5.0]

    # The operator and the sensor both report success (`stock` asserts it), and yet nothing was released.
    asked_for = stock("update", "cannot-start", 3)
    assert live(rig) == ("InService", second)
    assert second != asked_for

    # The same kind of candidate, released by our DAG over the same endpoint.
    ours = rig.deploy("cannot-start", bias=4)
    assert (ours.state, ours.outcome) == ("failed", "rolled_back"), ours
    assert "SageMaker rolled the update back" in ours.result["reason"]
    assert live(rig) == ("InService", second)
    assert rig.predict() == [3.0, 4.0, 5.0]

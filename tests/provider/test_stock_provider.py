"""The amazon provider's operators, unmodified, against the local SageMaker, and where ours differ."""

from pathlib import Path
from typing import Any

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, ROLE, Rig
from tests.provider.stock import IMAGE, run_dag

pytestmark = AS_IN_PRODUCTION

_FILE = Path(__file__).with_name("dags") / "stock_provider.py"
_CHAIN = ["create_model", "create_endpoint_config", "deploy_endpoint", "await_endpoint"]


class StockRelease:
    """Releases a model of a rig by the provider's chain."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        self._rig = rig
        self._monkeypatch = monkeypatch

    def __call__(self, operation: str, kind: str, bias: int) -> str:
        """Returns the configuration that was asked for; every task of the chain reported success."""
        conf = {
            "endpoint": self._rig.endpoint,
            "release": f"r{bias}",
            "artifact": self._rig.artifact(kind, bias),
            "image": IMAGE,
            "role": ROLE,
        }
        states, _ = run_dag(_FILE, f"stock__{operation}", conf, self._monkeypatch)
        assert states == dict.fromkeys(_CHAIN, "success")
        return f"{self._rig.endpoint}-r{bias}"


@pytest.fixture
def stock(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> StockRelease:
    """The provider's chain."""
    return StockRelease(rig, monkeypatch)


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

"""What Airflow's metrics say of releases: as a StatsD server gets it."""

import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics.stats_utils import get_stats_factory

from tests.deploy.rig import AS_IN_PRODUCTION, Rig

pytestmark = AS_IN_PRODUCTION

_LINE = re.compile(r"airflow\.endpoint_deploy\.(?P<name>[\w.\-]+):(?P<value>[\d.]+)\|(?P<kind>c|ms|g)")


class StatsD:
    """What came to a UDP port, by a metric's name; each as (kind, value)."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._lines: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        self._socket.settimeout(0.2)
        while not self._over.is_set():
            try:
                self._lines += self._socket.recv(65_535).decode().splitlines()
            except TimeoutError:
                continue

    def stop(self) -> None:
        """Listen no longer."""
        self._over.set()
        self._thread.join()
        self._socket.close()

    def received(self) -> dict[str, list[tuple[str, float]]]:
        """What has come so far, without Airflow's own."""
        found: dict[str, list[tuple[str, float]]] = {}
        for match in filter(None, map(_LINE.fullmatch, self._lines)):
            found.setdefault(match["name"], []).append((match["kind"], float(match["value"])))
        return found


@pytest.fixture
def statsd(monkeypatch: pytest.MonkeyPatch) -> Iterator[StatsD]:
    """Metrics as Airflow's configuration turns them on, initialised as a task's process does."""
    server = StatsD()
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_ON", "True")
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_HOST", "127.0.0.1")
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_PORT", str(server.port))
    made: list[Any] = []

    def client() -> Any:
        made.append(get_stats_factory()())
        return made[-1]

    stats.initialize(factory=client, export_legacy_names=False)
    yield server
    server.stop()
    for each in made:
        each.statsd.close()  # Airflow forgets its client with the socket open
    monkeypatch.undo()
    stats.initialize(factory=get_stats_factory(), export_legacy_names=False)


def test_releases_their_phases_and_drift_are_counted(rig: Rig, statsd: StatsD) -> None:
    rig.spec(sentinel={})
    first = rig.deploy(bias=1)
    assert first.outcome == "released"
    assert rig.deploy("raises", bias=2).outcome == "rolled_back"
    assert rig.deploy(bias=1).outcome == "nothing_to_do"  # is no release
    assert rig.run("sentinel").state == "success"
    (variant,) = rig.describe()["ProductionVariants"]
    rig.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=rig.endpoint,
        DesiredWeightsAndCapacities=[{"VariantName": variant["VariantName"], "DesiredInstanceCount": 2}],
    )
    rig.sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName=rig.endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    assert rig.run("sentinel").state == "failed"

    found = statsd.received()
    assert found["release.released"] == [("c", 1.0)]
    assert found["release.rolled_back"] == [("c", 1.0)]
    assert [kind for kind, _ in found["release.duration"]] == ["ms", "ms"]
    assert {"phase.validate_artifact", "phase.smoke_test", "phase.roll_back"} <= found.keys()
    assert all(milliseconds > 0 for _, milliseconds in found["release.duration"])
    assert found[f"drift.{rig.key}"] == [("g", 0.0), ("g", 1.0)]

"""Two runs on one endpoint, started together: one changes it after the other, or stops with its reason.

PAIRS is how many pairs there are; `make pairs` runs 50 and prints what became of them. What the proxy in
front of the service has recorded proves that no change of the one fell between two of the other.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.deploy.fault_proxy import FaultProxy, fault_proxy
from tests.deploy.pairs import Kind, Lane
from tests.deploy.rig import Rig, ensure_bucket
from tests.deploy.run_process import RunProcess

pytestmark = pytest.mark.timeout(3600)

_PAIRS = int(os.environ.get("PAIRS", "4"))
_MANY = 10  # pairs of a lane, of which some will have met
_WAITS, _STOPS = 20, 1  # retries, a second and more apart
_LANES: tuple[tuple[Kind, int], ...] = (
    ("rollback", _WAITS),
    ("teardown", _WAITS),
    ("rollback", _STOPS),
    ("teardown", _STOPS),
)


@dataclass
class TwoProcesses:
    """Two callers of one service, behind one proxy."""

    rig: Rig
    proxy: FaultProxy
    one: RunProcess
    other: RunProcess


@pytest.fixture(scope="module")
def two(
    local_sagemaker: Any, airflow_db: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TwoProcesses]:
    ensure_bucket(local_sagemaker.client("s3"))
    specs, logs = tmp_path_factory.mktemp("specs"), tmp_path_factory.mktemp("logs")
    with fault_proxy(local_sagemaker.url) as proxy:
        pair = [RunProcess(key, proxy.url, specs, logs / f"{key}.log") for key in ("THEONE", "THEOTHER")]
        try:
            rig = Rig(specs=specs, clients=local_sagemaker.client)
            rig.spec()
            for process in pair:
                process.await_ready()
                # Its first run takes many times as long as the others. There is nothing to roll back to.
                process.start(rig, "rollback", {})
                assert process.end().outcome == "refused"
            rig.file.unlink()
            yield TwoProcesses(rig, proxy, *pair)
        finally:
            for process in pair:
                process.stop()


@pytest.mark.parametrize("number", range(len(_LANES)))
def test_two_runs_never_change_an_endpoint_at_the_same_time(two: TwoProcesses, number: int) -> None:
    beside, retries = _LANES[number]
    rig = Rig(specs=two.rig.specs, clients=two.rig.clients)
    rig.spec(
        smoke_tests=[{"name": "numbers", "payload": "numbers.json"}],
        run={"retries": retries, "retry_delay_seconds": 0},
    )
    lane = Lane(rig, two.proxy.recording, two.one, two.other, beside)
    chance = random.Random(number)
    for _ in range(_PAIRS // len(_LANES) + (number < _PAIRS % len(_LANES))):
        lane.pair(chance)
    for end, times in sorted(lane.ends.items()):
        print(f"{times:3} x {end}")
    if lane.ends.total() >= _MANY:
        meant = "waited" if retries == _WAITS else "stopped with its reason"
        assert any(end.endswith(meant) for end in lane.ends), lane.ends
    rig.file.unlink()
    if rig.endpoints():
        rig.sagemaker.delete_endpoint(EndpointName=rig.endpoint)

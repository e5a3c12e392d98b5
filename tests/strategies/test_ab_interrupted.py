"""An A/B test whose task dies: it is the same test that goes on."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.deploy.conftest import proxy
from tests.deploy.fault_proxy import FaultProxy
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, Rig
from tests.strategies.converting import Conversions
from tests.strategies.models import upload
from tests.strategies.test_ab import write
from tests.strategies.traffic import Traffic, failed

__all__ = ["proxy"]

pytestmark = AS_IN_PRODUCTION

_PATIENCE = 300.0


def kept(rig: Rig) -> dict[str, Any] | None:
    """The A/B test as the store has it while it is under way."""
    s3 = rig.clients("s3")
    for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{rig.store}/stages/").get("Contents", []):
        stages = json.loads(s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read())
        if stages[0].get("test"):
            found: dict[str, Any] = stages[0]["test"]
            return found
    return None


def test_a_task_that_dies_goes_on_with_the_same_test(
    rig: Rig, proxy: FaultProxy, traffic: Callable[..., Traffic]
) -> None:
    write(rig)
    assert rig.run("deploy", artifact=upload(rig, "good", 1)).outcome == "released"
    write(rig, least_difference=30, least_seconds=8)
    before: list[dict[str, Any]] = []

    def cut() -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            found = kept(rig)
            if found and found["standing"]["stay_looks"]:
                before.append(found)
                proxy.arm(1, only="ShiftTrafficOperator")
                return
            time.sleep(0.2)

    cutting = threading.Thread(target=cut)
    rates = {1: 0.3, 2: 0.6}
    with traffic() as asking, Conversions(rig.clients("cloudwatch"), rig.endpoint, asking, rates):
        cutting.start()
        run = rig.run("deploy", artifact=upload(rig, "good", 2))
        cutting.join()
        asking.wait_for(10)
    assert len(proxy.cut) == 1
    assert run.outcome == "released", run
    assert "the candidate wins" in run.result["reason"]
    assert failed(asking.records()) == []
    ended = rig.ledger()[-1]["evidence"]["shift_traffic"]["stages"][0]["test"]
    (then,) = before
    assert (ended["since"], ended["number"]) == (then["since"], 1)
    assert ended["standing"]["look"] > then["standing"]["look"]
    spent = then["standing"]["stay_looks"]
    assert ended["standing"]["stay_looks"][: len(spent)] == spent

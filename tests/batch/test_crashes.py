"""A batch whose tasks die right after any of their AWS calls: one transform job, and the same delivery."""

from typing import Any

import pytest

from tests.batch.rig import BatchRig, json_sums, sums, table
from tests.deploy.fault_proxy import MORE_THAN_LOSSES, FaultProxy, rounds
from tests.deploy.rig import AS_IN_PRODUCTION, Run

pytestmark = [AS_IN_PRODUCTION, pytest.mark.timeout(1500)]


def test_a_crash_after_any_call_leaves_one_job_and_one_delivery(
    rig: BatchRig,
    proxy: FaultProxy,
) -> None:
    rig.retries = MORE_THAN_LOSSES
    good, bad = table(1, 2, 3), table(666)
    before: list[int] = []

    def transform(_: int) -> Run:
        before.append(len(rig.jobs()))
        with proxy.at_rest():
            rig.fresh()
            rig.put({"a.csv": good, "b.csv": bad, "c.csv": b"1,2\n3\n"})
        return rig.transform()

    def check(number: int, at: str) -> None:
        records = rig.records()
        assert [record["outcome"] for record in records] == ["partial"] * number, at
        assert {file["key"] for file in records[-1]["set_aside"]} == {"b.csv", "c.csv"}, at
        assert len(rig.jobs()) == before[-1] + 1, at
        (marker,) = (key for key in rig.keys(f"{rig.name}/{rig.folder}/out") if key.endswith(".json"))
        assert records[-1]["delivered"].endswith(marker), at
        outputs = [key for key in rig.keys(f"{rig.name}/{rig.folder}/out") if key.endswith(".out")]
        assert len(outputs) == 1, at
        found: dict[str, Any] = rig.marker(records[-1]["delivered"])
        assert (found["whole"], [file["key"] for file in found["files"]]) == (False, ["a.csv"]), at
        assert json_sums(rig.read(found["files"][0]["output"])) == sums(good), at

    assert rounds(proxy, transform, check) >= 20

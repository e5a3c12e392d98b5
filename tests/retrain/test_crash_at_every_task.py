"""A retraining whose tasks die right after any of their AWS calls ends as one that met no fault.

The answer of a task's call is lost after the service has carried it out, botocore does not try again, the
task's attempt dies there, and Airflow's retry has to find its way from whatever that call has left. That try
dies at the next call that was not yet lost, and so on, until each call of each task was a last one.
"""

import pytest

from tests.deploy.fault_proxy import MORE_THAN_LOSSES, FaultProxy, rounds
from tests.deploy.packages import published
from tests.deploy.rig import AS_IN_PRODUCTION, Rig, Run
from tests.retrain.rig import Retraining

pytestmark = [AS_IN_PRODUCTION, pytest.mark.timeout(1500)]

_AFTER_THE_DATA = ("TrainOperator", "ValidateCandidateOperator", "EvaluateOperator", "RegisterOperator")


def check_final_state(retraining: Retraining, run: int, at: str) -> None:
    """As many of everything as runs: one job of each kind, one package, one record, one event for each."""
    assert len(retraining.jobs("training")) == run, at
    assert len(retraining.jobs("processing")) == run, at
    packages, records = retraining.packages(), retraining.records()
    assert [p["ModelPackageVersion"] for p in packages] == list(range(1, run + 1)), at
    assert [(r["sequence"], r["outcome"]) for r in records] == [(n, "registered") for n in range(1, run + 1)]
    newest, record = packages[-1], records[-1]
    assert newest["ModelApprovalStatus"] == "Approved", at
    assert record["package"]["arn"] == newest["ModelPackageArn"], at
    assert record["trained"]["job"] in retraining.jobs("training"), at
    assert record["data"]["digest"] == record["training_set"], at
    (container,) = newest["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == record["pinned"], at
    assert published(f"package__{retraining.rig.key}") == [
        {"model_package": package["ModelPackageArn"]} for package in packages
    ], at


def test_a_retraining_survives_a_crash_after_any_call(rig: Rig, proxy: FaultProxy) -> None:
    retraining = Retraining(rig)
    rig.retries = MORE_THAN_LOSSES
    retraining.spec()
    retraining.held_out()

    def run(number: int) -> Run:
        # Other data each time, and another model learnt from them.
        retraining.data(f"{number:03}.csv", 1 + number / 100)
        return retraining.run(window=1)

    def check(number: int, at: str) -> None:
        check_final_state(retraining, number, at)

    assert rounds(proxy, run, check) >= 40


def test_a_run_after_one_that_was_lost_takes_over_what_that_one_has_begun(
    rig: Rig, proxy: FaultProxy
) -> None:
    retraining = Retraining(rig)
    retraining.spec(run={"retries": 0})
    retraining.held_out()
    retraining.data("1.csv", 1.0)
    for operator in _AFTER_THE_DATA:
        proxy.arm(3, only=operator)
        assert retraining.run().outcome != "registered", operator
        assert proxy.cut, operator
    proxy.arm(0)
    assert retraining.run().outcome == "registered"
    assert len(retraining.jobs("training")) == 1
    assert len(retraining.jobs("processing")) == 1
    assert len(retraining.packages()) == 1
    assert retraining.records()[-1]["outcome"] == "registered"

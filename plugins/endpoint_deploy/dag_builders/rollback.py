"""The rollback DAG of a deployment: back to any release in the ledger."""

from airflow.sdk import DAG, Param

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.dag_builders.chain import NUMBER, REASON, add_chain, make_dag
from endpoint_deploy.operators.apply_endpoint import ApplyEndpointOperator
from endpoint_deploy.operators.plan_rollback import PlanRollbackOperator
from endpoint_deploy.operators.register_scaling import RegisterScalingOperator
from endpoint_deploy.operators.shift_traffic import ShiftTrafficOperator
from endpoint_deploy.operators.smoke_test import SmokeTestOperator
from endpoint_deploy.sensors.wait_for_endpoint import WaitForEndpointSensor
from endpoint_deploy.task_base import ReleaseTask

_TASKS: tuple[tuple[str, type[ReleaseTask]], ...] = (
    ("plan", PlanRollbackOperator),
    ("apply_endpoint", ApplyEndpointOperator),
    ("wait_for_endpoint", WaitForEndpointSensor),
    ("register_scaling", RegisterScalingOperator),
    ("smoke_test", SmokeTestOperator),
    ("shift_traffic", ShiftTrafficOperator),
)


def build_rollback_dag(deployment: Deployment) -> DAG:
    """Plan the way back, apply, wait, prove; where that fails, return to what was live; record."""
    spec = deployment.spec
    doc = (
        f"Brings endpoint **{spec.endpoint_name}** back to a release in its ledger: the last good one "
        "that is not live, or the one whose number is given; then proves it.\n\nIt changes the endpoint at "
        "once, also while releases are frozen. A run that fails returns to what was live before it and ends "
        "failed: `outcome` says why."
    )
    params = {
        "release": Param(
            None,
            **NUMBER,
            title="Release",
            description="Number in the ledger; empty: the last good release that is not live.",
        ),
        "reason": REASON,
    }
    with make_dag("rollback", deployment, params=params, doc=doc) as dag:
        add_chain("rollback", deployment, _TASKS, changing_from="apply_endpoint")
    return dag

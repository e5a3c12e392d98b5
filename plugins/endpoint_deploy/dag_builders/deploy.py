"""The deploy DAG of a deployment."""

from typing import Any

from airflow.sdk import DAG, Asset, Param

from endpoint_deploy.assets import package_asset, promoted_asset
from endpoint_deploy.core.by_default import image_by_default, released_by_default
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.release_spec import SIDE_BY_SIDE
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.dag_builders.chain import MODEL_PACKAGE, REASON, add_chain, make_dag, schedule_on
from endpoint_deploy.operators.apply_endpoint import ApplyEndpointOperator
from endpoint_deploy.operators.approve import ApproveOperator
from endpoint_deploy.operators.create_alarms import CreateAlarmsOperator
from endpoint_deploy.operators.create_endpoint_config import CreateEndpointConfigOperator
from endpoint_deploy.operators.create_model import CreateModelOperator
from endpoint_deploy.operators.hold import HoldOperator
from endpoint_deploy.operators.observe_shadow import ObserveShadowOperator
from endpoint_deploy.operators.plan_release import PlanReleaseOperator
from endpoint_deploy.operators.register_scaling import RegisterScalingOperator
from endpoint_deploy.operators.resolve_release import ResolveReleaseOperator
from endpoint_deploy.operators.retire_champion import RetireChampionOperator
from endpoint_deploy.operators.shift_traffic import ShiftTrafficOperator
from endpoint_deploy.operators.smoke_test import SmokeTestOperator
from endpoint_deploy.operators.validate_artifact import ValidateArtifactOperator
from endpoint_deploy.operators.watch import WatchOperator
from endpoint_deploy.sensors.wait_for_endpoint import WaitForEndpointSensor
from endpoint_deploy.task_base import ReleaseTask

_ARTIFACT = r"^s3://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]/([^\s]*/)?[^\s/]+\.tar\.gz$"

_TASKS: tuple[tuple[str, type[ReleaseTask]], ...] = (
    ("resolve_release", ResolveReleaseOperator),
    ("validate_artifact", ValidateArtifactOperator),
    ("plan", PlanReleaseOperator),
    ("hold", HoldOperator),
    ("create_model", CreateModelOperator),
    ("create_endpoint_config", CreateEndpointConfigOperator),
    ("apply_endpoint", ApplyEndpointOperator),
    ("wait_for_endpoint", WaitForEndpointSensor),
    ("register_scaling", RegisterScalingOperator),
    ("smoke_test", SmokeTestOperator),
    ("shift_traffic", ShiftTrafficOperator),
    ("watch", WatchOperator),
    ("retire_champion", RetireChampionOperator),
)


def _tasks(spec: DeploymentSpec) -> tuple[tuple[str, type[ReleaseTask]], ...]:
    """The happy path: a person is asked once there is a plan, and before anything is made."""
    tasks = _TASKS
    if spec.approval is not None:
        tasks = _before(tasks, "hold", "approve", ApproveOperator)
    if not isinstance(spec.release, SIDE_BY_SIDE) and spec.release.guard:
        tasks = _before(tasks, "apply_endpoint", "create_alarms", CreateAlarmsOperator)
    if spec.release.strategy == "shadow":
        tasks = _before(tasks, "smoke_test", "observe_shadow", ObserveShadowOperator)
    return tasks


def _before(
    tasks: tuple[tuple[str, type[ReleaseTask]], ...], other: str, task_id: str, operator: type[ReleaseTask]
) -> tuple[tuple[str, type[ReleaseTask]], ...]:
    index = [each for each, _ in tasks].index(other)
    return (*tasks[:index], (task_id, operator), *tasks[index:])


def build_deploy_dag(deployment: Deployment) -> DAG:
    """Validate, plan, create, apply, wait, prove, shift, watch, retire; on failure roll back; record."""
    spec = deployment.spec
    default = released_by_default(spec)
    doc = (
        f"Releases a model to endpoint **{spec.endpoint_name}** ({spec.aws.region}), strategy "
        f"*{spec.release.strategy}*.\n\n{spec.description}\n\n"
        f"A run without parameters releases {default}. A run that finds it live already ends as *nothing to "
        "do*. A run whose release fails brings the old release back, proves it, and ends failed: `outcome` "
        "says why."
    )
    params = {
        "artifact": Param(
            None,
            type=["null", "string"],
            title="Artifact",
            description=f"s3://…/model.tar.gz; empty: {default}",
            pattern=_ARTIFACT,
            maxLength=1024,
            **_proposed(spec.model.artifact),
        ),
        "image": Param(
            None,
            type=["null", "string"],
            title="Image",
            description=f"A container image's URI, for the artifact; empty: {image_by_default(spec)}",
            pattern=r"^\S+$",
            maxLength=255,
            **_proposed(spec.model.image),
        ),
        "model_package": MODEL_PACKAGE,
        "plan_only": Param(
            False, type="boolean", title="Plan only", description="Validate and plan; change nothing."
        ),
        "reason": REASON,
    }
    schedule = schedule_on(_asset(spec), spec.schedule)
    with make_dag("deploy", deployment, params=params, doc=doc, schedule=schedule) as dag:
        add_chain("deploy", deployment, _tasks(spec), changing_from="create_model")
    return dag


def _proposed(value: object) -> dict[str, Any]:
    """What the form proposes beside what may be typed in: the spec's own, where that is an address."""
    return {"examples": [value]} if isinstance(value, str) else {}


def _asset(spec: DeploymentSpec) -> Asset | None:
    """The asset that starts a release."""
    if spec.registry:
        return package_asset(spec)
    return promoted_asset(spec) if spec.promotion and spec.promotion.automatic else None

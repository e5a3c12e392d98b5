"""The deploy DAG of a deployment."""

from airflow.sdk import DAG, Param

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.spec import FrameworkImage
from endpoint_deploy.dag_builders.chain import REASON, add_chain, make_dag
from endpoint_deploy.operators.apply_endpoint import ApplyEndpointOperator
from endpoint_deploy.operators.create_endpoint_config import CreateEndpointConfigOperator
from endpoint_deploy.operators.create_model import CreateModelOperator
from endpoint_deploy.operators.plan_release import PlanReleaseOperator
from endpoint_deploy.operators.resolve_release import ResolveReleaseOperator
from endpoint_deploy.operators.retire_champion import RetireChampionOperator
from endpoint_deploy.operators.shift_traffic import ShiftTrafficOperator
from endpoint_deploy.operators.smoke_test import SmokeTestOperator
from endpoint_deploy.operators.validate_artifact import ValidateArtifactOperator
from endpoint_deploy.sensors.wait_for_endpoint import WaitForEndpointSensor
from endpoint_deploy.task_base import ReleaseTask

_ARTIFACT = r"^s3://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]/([^\s]*/)?[^\s/]+\.tar\.gz$"

_TASKS: tuple[tuple[str, type[ReleaseTask]], ...] = (
    ("resolve_release", ResolveReleaseOperator),
    ("validate_artifact", ValidateArtifactOperator),
    ("plan", PlanReleaseOperator),
    ("create_model", CreateModelOperator),
    ("create_endpoint_config", CreateEndpointConfigOperator),
    ("apply_endpoint", ApplyEndpointOperator),
    ("wait_for_endpoint", WaitForEndpointSensor),
    ("smoke_test", SmokeTestOperator),
    ("shift_traffic", ShiftTrafficOperator),
    ("retire_champion", RetireChampionOperator),
)


def build_deploy_dag(deployment: Deployment) -> DAG:
    """Validate, plan, create, apply, wait, prove, shift, retire; on failure roll back; record."""
    spec = deployment.spec
    image = spec.model.image
    named = f"{image.framework} {image.version}" if isinstance(image, FrameworkImage) else image
    doc = (
        f"Releases a model to endpoint **{spec.endpoint_name}** ({spec.aws.region}), strategy "
        f"*{spec.release.strategy}*.\n\n{spec.description}\n\n"
        f"A run without parameters releases `{spec.model.artifact}` in image `{named}`. A run that finds it "
        "live already ends as *nothing to do*. A run whose release fails brings the old release back, proves "
        "it, and ends failed: `outcome` says why."
    )
    params = {
        "artifact": Param(
            None,
            type=["null", "string"],
            title="Artifact",
            description=f"s3://…/model.tar.gz; empty: {spec.model.artifact}",
            pattern=_ARTIFACT,
            maxLength=1024,
        ),
        "image": Param(
            None,
            type=["null", "string"],
            title="Image",
            description=f"A container image's URI; empty: {named}",
            pattern=r"^\S+$",
            maxLength=255,
        ),
        "plan_only": Param(
            False, type="boolean", title="Plan only", description="Validate and plan; change nothing."
        ),
        "reason": REASON,
    }
    with make_dag("deploy", deployment, params=params, doc=doc, schedule=spec.schedule) as dag:
        add_chain("deploy", deployment, _TASKS, changing_from="create_model")
    return dag

"""What a run would plan now, without a run: reads, and changes nothing.

Kept apart from the tasks, which lock, pin and leave their results to Airflow.
"""

import os

from airflow.sdk.exceptions import AirflowException
from botocore.exceptions import BotoCoreError

from endpoint_deploy.artifacts.s3 import inspect_object, pinned_uri
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.aws.images import resolve_image
from endpoint_deploy.aws.ledger import Ledger
from endpoint_deploy.aws.observe import observe
from endpoint_deploy.core import requests
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.errors import EndpointDeployError, ReleaseFailed


class NoConnection(EndpointDeployError):
    """Neither Airflow's connection nor boto3 gives a client with credentials."""


def connect(spec: DeploymentSpec) -> EndpointHook:
    """A hook on the spec's connection as `AIRFLOW_CONN_<ID>` gives it, else on boto3's own credentials.

    Airflow's metadata database is not asked, so that a laptop or a CI job needs none. Raises NoConnection
    where neither makes a client with credentials.
    """
    variable = f"AIRFLOW_CONN_{spec.aws.conn_id.upper()}"
    given = variable in os.environ
    try:
        hook = EndpointHook(aws_conn_id=spec.aws.conn_id if given else None, region_name=spec.aws.region)
        credentials = hook.get_session(region_name=spec.aws.region).get_credentials()
        _ = hook.sagemaker, hook.s3
    except (AirflowException, BotoCoreError, ValueError, NotImplementedError) as error:
        raise NoConnection(f"{variable} makes no connection to AWS: {error}") from error
    if credentials is None:
        where = f"in {variable} or where boto3 looks" if given else f"where boto3 looks, and no {variable}"
        raise NoConnection(
            f"found no credentials {where}, expected one of the two: set {variable}, or AWS_PROFILE, or "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return hook


def preview(spec: DeploymentSpec, artifact: str | None = None) -> Plan:
    """The plan for an artifact (the spec's own by default), which is read once for its checksum.

    Raises ReleaseFailed where the artifact would be refused, UnknownImage, and what `make_plan` raises.
    """
    hook = connect(spec)
    candidate = _candidate(spec, hook, artifact or spec.model.artifact)
    ledger = Ledger(hook.s3, spec.aws.store, spec.endpoint_name)
    observed = observe(hook, ledger, spec.endpoint_name, requests.desired(spec, candidate))
    return make_plan(spec, candidate, observed, plan_only=True)


def _candidate(spec: DeploymentSpec, hook: EndpointHook, artifact: str) -> Candidate:
    model = spec.model
    first = spec.endpoint.variants[0]
    image = resolve_image(model.image, region=spec.aws.region, instance_type=first.instance_type)
    report, _ = inspect_object(
        hook.s3,
        artifact,
        region=spec.aws.region,
        script_mode=model.needs_inference_code,
        expected_sha256=model.sha256 if artifact == model.artifact else None,
        accept_unknown=model.unknown_pickles == "accept",
    )
    if report.refused or report.held:
        reasons = (each.message for each in report.findings if each.severity in {"refuse", "hold"})
        raise ReleaseFailed(f"{artifact} would be refused: {'; '.join(reasons)}")
    pinned = pinned_uri(spec.aws.store, report.sha256)
    return Candidate(artifact=artifact, image=image, sha256=report.sha256, pinned=pinned)

"""What a run would plan now, without a run: reads, and changes nothing.

Kept apart from the tasks, which lock, pin and leave their results to Airflow.
"""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowException
from botocore.exceptions import BotoCoreError

from endpoint_deploy.analysis.planned_test import with_rate_read
from endpoint_deploy.artifacts.s3 import inspect_object, pinned_uri
from endpoint_deploy.aws.freezes import Freezes
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.aws.ledger import Ledger
from endpoint_deploy.aws.observe import observe
from endpoint_deploy.core import requests
from endpoint_deploy.core.candidate import Candidate, ReleaseRequest
from endpoint_deploy.core.comparison import with_comparison
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.plan_cautions import with_alarms
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.standstill import standstill, with_standstill
from endpoint_deploy.errors import EndpointDeployError, ReleaseFailed
from endpoint_deploy.resolve import Resolver, Wish

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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


def preview(deployment: Deployment, wish: Wish | None = None) -> Plan:
    """The plan of a run with this form, or without one; its artifact is read once for its checksum.

    Raises ReleaseFailed where what was asked for would be refused, UnknownImage, and what `make_plan` raises.
    """
    spec, hook = deployment.spec, connect(deployment.spec)
    resolver = Resolver(deployment, hook, connect)
    request = resolver.resolve(wish or Wish())
    candidate = _candidate(spec, request, *resolver.reader(request))
    ledger = Ledger(hook.s3, spec.aws.store, spec.endpoint_name)
    observed = observe(hook, ledger, spec.endpoint_name, requests.desired(spec, candidate))
    plan = with_comparison(make_plan(spec, candidate, observed, plan_only=True), request, observed)
    plan = with_rate_read(plan, spec, hook)
    plan = with_alarms(plan, spec, hook.alarm_states(spec.alarms))
    freeze = Freezes(hook.s3, spec.aws.store, spec.endpoint_name).read()
    return with_standstill(plan, standstill(spec.changes, freeze, datetime.now(UTC)))


def _candidate(spec: DeploymentSpec, request: ReleaseRequest, reader: "S3Client", region: str) -> Candidate:
    report, _ = inspect_object(
        reader,
        request.artifact,
        region=region,
        script_mode=spec.model.needs_inference_code,
        expected_sha256=request.expected_sha256,
        accept_unknown=spec.model.unknown_pickles == "accept",
    )
    if report.refused or report.held:
        reasons = (each.message for each in report.findings if each.severity in {"refuse", "hold"})
        raise ReleaseFailed(f"{request.artifact} would be refused: {'; '.join(reasons)}")
    pinned = pinned_uri(spec.aws.store, report.sha256)
    return Candidate(artifact=request.artifact, image=request.image, sha256=report.sha256, pinned=pinned)

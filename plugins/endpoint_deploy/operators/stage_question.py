"""What a person is asked where the analysis of a stage proves neither good nor bad."""

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Context
from airflow.sdk.execution_time.hitl import HITLUser, upsert_hitl_detail

from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.stages import StageRecord
from endpoint_deploy.operators.notify import tell
from endpoint_deploy.run_context import run_ref

PROMOTE, ROLL_BACK, MORE = "Promote", "Roll back", "Take more samples"
OPTIONS = [PROMOTE, ROLL_BACK, MORE]


def ask(
    context: Context,
    hook: EndpointHook,
    spec: DeploymentSpec,
    stage: StageRecord,
    *,
    open_end: str,
    why: str,
    kept: str,
) -> None:
    """Ask in Airflow's *Required Actions*, and tell the topics that want to know.

    Airflow shows a task's first question whatever it asks later (upsert_hitl_detail in the Execution API):
    the text says so, and where the numbers of each stage are. It forgets the answer to the one before.
    open_end: what has come to no end; kept: s3:// address of what was found.
    """
    subject = f"Release to {spec.endpoint_name}: {open_end}; promote it?"
    body = (
        f"Asked first with {stage.percent} % of the traffic on the candidate. What was said then:\n\n"
        f"```text\n{why}\n```\n\n"
        f"*{PROMOTE}* goes on to the next step. *{ROLL_BACK}* takes the release back. *{MORE}* compares once "
        "more from now on. Where the task asks again at a later stage, its log says why. Numbers of every "
        f"look: `{kept}`.\n"
    )
    upsert_hitl_detail(
        ti_id=context["ti"].id,
        options=OPTIONS,
        subject=subject,
        body=body,
        params={},
        assigned_users=[
            HITLUser(id=user, name=user) for user in (spec.approval.approvers if spec.approval else ())
        ],
    )
    tell(hook, spec, "waiting_for_approval", subject=subject, body=f"{why}\n{kept}", run=run_ref(context))


def answered(event: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """What was chosen, and by whom; None for an event that is no answer."""
    chosen = list((event or {}).get("chosen_options") or [])
    if not chosen or chosen[0] not in OPTIONS:
        return None
    user = (event or {}).get("responded_by_user") or {}
    return chosen[0], str(user.get("name") or "somebody")

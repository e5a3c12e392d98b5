"""The page's document of one release: what its record says, its plan, and what it was judged by."""

from collections.abc import Iterator
from typing import Any

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.overview import release_row
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.render_analysis import taken_out
from endpoint_deploy.core.render_release import compared, flattened
from endpoint_deploy.links import object_url
from endpoint_deploy.ui.airflow_side import left_by, may
from endpoint_deploy.ui.clean import clean
from endpoint_deploy.ui.known import Known
from endpoint_deploy.ui.service import Service

_PLAN = ("summary", "action", "differences", "warnings")
_STAGE = ("name", "percent", "began", "ended", "outcome", "reason")


def release(
    service: Service, deployment: Deployment, sequence: int, *, user: BaseUser, other: int | None
) -> dict[str, Any] | None:
    """The page of one release: everything its record says, its plan, and what tells it from another one."""
    known = Known()
    record: Release | None = known.take("the ledger", service.release(deployment, sequence))
    beside: Release | None = (
        known.take("the ledger", service.release(deployment, other)) if other is not None else None
    )
    if record is None:
        if not known.problems:
            return None
        left = known.latest(service, [deployment])[deployment.key] or ()
        record = next((each for each in left if each.sequence == sequence), None)
    document: dict[str, Any] = {"key": deployment.key, "sequence": sequence, **known.document()}
    if record is not None:
        document |= {
            "release": release_row(record).model_dump(mode="json") | {"phases": record.phases},
            "facts": _facts(service, deployment, record),
            "plan": _plan(record, user),
            "stages": list(_stages(record)),
            "verdicts": _verdicts(service, deployment, record),
            "data_docs": _data_docs(service, deployment, record),
            "compared": _compared(beside, record) if beside else None,
        }
    return clean(deployment, document)


def _facts(service: Service, deployment: Deployment, record: Release) -> list[dict[str, str | None]]:
    """Every leaf of the record with its path; S3 addresses with where a person opens them."""
    s3 = service.hook(deployment).s3
    return [
        {"path": path, "value": value, "href": object_url(s3, value) if value.startswith("s3://") else None}
        for path, value in flattened(record.model_dump(mode="json"))
        if ".spread." not in path  # drawn, with its figures beside it
    ]


def _plan(record: Release, user: BaseUser) -> dict[str, Any] | None:
    """The plan of the release's run, as far as Airflow keeps it and lets the user see it."""
    if not may(user, "GET", DagAccessEntity.XCOM, record.run.dag_id):
        return None
    found = left_by(record.run.dag_id, record.run.run_id, "plan")
    return {field: found.get(field) for field in _PLAN} if isinstance(found, dict) else None


def _compared(one: Release, other: Release) -> list[dict[str, str | None]]:
    return [
        {"path": path, "before": before, "after": after}
        for path, (before, after) in compared(one, other).items()
    ]


def _stages(record: Release) -> Iterator[dict[str, Any]]:
    """The steps of the traffic and the watch, in the order in which they were taken."""
    for task, said in record.evidence.items():
        for stage in said.get("stages", ()) if isinstance(said, dict) else ():
            yield {"task": task, **{field: stage.get(field) for field in _STAGE}}


def _verdicts(service: Service, deployment: Deployment, record: Release) -> list[dict[str, Any]]:
    """The last look at each stage, with its metrics and their numbers, and where all of them are kept."""
    looks, _ = taken_out(record.evidence)
    s3 = service.hook(deployment).s3
    return [
        {**look, "href": object_url(s3, f"{kept}/") if (kept := look.get("kept")) else None} for look in looks
    ]


def _data_docs(service: Service, deployment: Deployment, record: Release) -> list[dict[str, str]]:
    """The Great Expectations reports that tasks have left, and where a person opens them."""
    s3 = service.hook(deployment).s3
    found = []
    for task, said in record.evidence.items():
        docs = said.get("data_docs") if isinstance(said, dict) else None
        for uri in [docs] if isinstance(docs, str) else docs or ():
            found.append({"task": task, "href": object_url(s3, uri)})
    return found

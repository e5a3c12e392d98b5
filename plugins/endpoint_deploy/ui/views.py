"""The pages' documents: what AWS, the ledger and Airflow say of deployments, put together."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser

from endpoint_deploy.core.by_default import released_by_default
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.overview import (
    ABSENT,
    UNKNOWN,
    EndpointRow,
    Order,
    endpoint_row,
    release_row,
    shown,
)
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.standing import last_good
from endpoint_deploy.core.standstill import standstill
from endpoint_deploy.links import alarms_url, endpoint_url, logs_url, object_url
from endpoint_deploy.ui.airflow_side import dags_of
from endpoint_deploy.ui.clean import clean
from endpoint_deploy.ui.known import Known
from endpoint_deploy.ui.promotions import promoted_elsewhere, promoted_here
from endpoint_deploy.ui.service import Service

_CHANGES = frozenset({"deploy", "rollback", "teardown"})


def overview(
    service: Service,
    deployments: Sequence[Deployment],
    *,
    user: BaseUser,
    allowed: set[str],
    search: str,
    state: str,
    order: Order,
    offset: int,
    limit: int,
) -> dict[str, Any]:
    """The page of all deployments: those shown in full, of the others how many there are in each state."""
    known = Known()
    by_key = {each.key: each for each in deployments}
    listed = {each.key: known.listed(service, each) for each in deployments}
    latest = known.latest(service, deployments)
    rows = [
        endpoint_row(each, _state(each, listed[each.key]), latest[each.key] or ()) for each in deployments
    ]
    chosen = shown(rows, search=search, state=state, order=order)
    page = [by_key[row.key] for row in chosen[offset : offset + limit]]
    dags = dags_of((each.key for each in page), user, allowed)
    full = _described(service, page, listed, latest, known, changing=_changing(dags))
    return {
        "deployments": [
            clean(by_key[row.key], row.model_dump(mode="json") | _schedule(dags.get(row.key, {})))
            for row in full
        ],
        "total": len(rows),
        "matching": len(chosen),
        "states": dict(Counter(row.state for row in rows)),
        **known.document(),
    }


def one(
    service: Service,
    deployment: Deployment,
    others: Iterable[Deployment],
    *,
    user: BaseUser,
    allowed: set[str],
    limit: int,
) -> dict[str, Any]:
    """The page of one deployment: its row, its timeline, what its buttons would do.

    others: all deployments, among which are those that promote its releases.
    """
    known = Known()
    listed = {deployment.key: known.listed(service, deployment)}
    latest = known.latest(service, [deployment])
    by_key = dags_of([deployment.key], user, allowed)
    dags = by_key.get(deployment.key, {})
    (row,) = _described(service, [deployment], listed, latest, known, changing=_changing(by_key))
    newest = row.last.sequence if row.last else 0
    answer = service.history(deployment, newest, limit)
    found: list[Release] | None = known.take("the ledger", answer)
    history = found or list(latest[deployment.key] or ())
    back = last_good(history, other_than=row.config)
    document = row.model_dump(mode="json") | {
        **_schedule(dags),
        "timeline": [release_row(each).model_dump(mode="json") | {"phases": each.phases} for each in history],
        "more": len(history) == limit,
        "releases_by_default": released_by_default(deployment.spec),
        "rolls_back_to": release_row(back).model_dump(mode="json") if back else None,
        "ledger_known": found is not None,
        "promotes": promoted_here(service, deployment, known, allowed),
        "promoted_by": promoted_elsewhere(service, deployment, others, known, user=user, allowed=allowed),
        "links": _links(service, deployment),
    }
    return clean(deployment, document | known.document())


def _state(deployment: Deployment, listed: Mapping[str, Any] | None) -> str:
    if listed is None:
        return UNKNOWN
    found = listed.get(deployment.spec.endpoint_name)
    return found.status if found else ABSENT


def _described(
    service: Service,
    page: Sequence[Deployment],
    listed: Mapping[str, Mapping[str, Any] | None],
    latest: dict[str, Sequence[Release] | None],
    known: Known,
    *,
    changing: set[str],
) -> list[EndpointRow]:
    """The rows of what is shown: one DescribeEndpoint each, however many deployments there are."""
    there = [each for each in page if listed[each.key] is not None]
    everywhere = {name: found for each in there for name, found in (listed[each.key] or {}).items()}
    seen = service.described(there, everywhere)
    bare = [each for each in page if latest[each.key] == ()]
    for key, found in service.without_copies(bare).items():
        latest[key] = known.take("the ledger", found) or ()
    freezes = service.freezes(page)
    found_by = service.findings(page)
    now = datetime.now(UTC)
    rows = []
    for each in page:
        freeze = known.take("the freeze", freezes[each.key]) if each.key in freezes else None
        findings = known.take("the findings", found_by[each.key]) if each.key in found_by else None
        answer = seen.get(each.key)
        view = known.take("SageMaker", answer) if answer else None
        described = listed[each.key] is not None and (answer is None or answer.age is not None)
        rows.append(
            endpoint_row(
                each,
                _state(each, listed[each.key]),
                latest[each.key] or (),
                view,
                described=described,
                changing=each.key in changing,
                held=standstill(each.spec.changes, freeze, now),
                findings=findings,
            )
        )
    return rows


def _changing(dags: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> set[str]:
    """Deployments of which a run may be changing the endpoint."""
    return {key for key, kinds in dags.items() if any(kinds[k]["running"] for k in _CHANGES & kinds.keys())}


def _schedule(dags: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The DAGs by kind, the next run among them, and what runs now."""
    following = [(dag["next_at"], kind) for kind, dag in dags.items() if dag["next_at"]]
    next_at, kind = min(following, default=(None, None))
    return {
        "dags": dags,
        "next": {"at": next_at, "kind": kind} if next_at else None,
        "running": [{"kind": kind, **run} for kind, dag in dags.items() for run in dag["running"]],
    }


def _links(service: Service, deployment: Deployment) -> dict[str, str | None]:
    try:
        hook = service.hook(deployment)
    except Exception:
        return {}
    spec = deployment.spec
    return {
        "endpoint": endpoint_url(hook.sagemaker, spec.endpoint_name),
        "ledger": object_url(hook.s3, f"{spec.aws.store}/ledger/{spec.endpoint_name}/"),
        "logs": logs_url(hook.sagemaker, spec.endpoint_name),
        "alarms": alarms_url(hook.sagemaker, spec.endpoint_name),
    }

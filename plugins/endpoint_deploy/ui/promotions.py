"""What the promote buttons would do: which release of one environment another one would take over."""

from collections.abc import Iterable
from typing import Any

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.overview import release_row
from endpoint_deploy.core.standing import last_good
from endpoint_deploy.ui.airflow_side import dags_of
from endpoint_deploy.ui.known import Known
from endpoint_deploy.ui.service import RECORDS, Service


def promoted_here(
    service: Service, deployment: Deployment, known: Known, allowed: set[str]
) -> dict[str, Any] | None:
    """What a run without parameters takes over: `{"key", "release": ReleaseRow | None}`.

    None: nothing is promoted to this deployment, or it comes from one that the user may not see.
    """
    source = deployment.proved_in
    if source is None or f"deploy__{source.key}" not in allowed:
        return None
    return {"key": source.key, "release": _newest_good(service, source, known)}


def promoted_elsewhere(
    service: Service,
    deployment: Deployment,
    others: Iterable[Deployment],
    known: Known,
    *,
    user: BaseUser,
    allowed: set[str],
) -> list[dict[str, Any]]:
    """Where this deployment's newest good release may be taken over: `{"key", "environment", "endpoint",
    "dag", "release"}` each."""
    targets = [each for each in others if each.proved_in and each.proved_in.key == deployment.key]
    dags = dags_of((each.key for each in targets), user, allowed)
    release = _newest_good(service, deployment, known) if dags else None
    return [
        {
            "key": each.key,
            "environment": each.spec.environment,
            "endpoint": each.spec.endpoint_name,
            "dag": dags[each.key]["deploy"],
            "release": release,
        }
        for each in targets
        if "deploy" in dags.get(each.key, {})
    ]


def _newest_good(service: Service, deployment: Deployment, known: Known) -> dict[str, Any] | None:
    records = known.latest(service, [deployment])[deployment.key] or ()
    newest = records[0].sequence if records else 0
    history = known.take("the ledger", service.history(deployment, newest, RECORDS)) or records
    found = last_good(history)
    return release_row(found).model_dump(mode="json") if found else None

"""The data behind the pages, below `/endpoint-deploy`: read-only, and for whom Airflow lets see the DAGs.

What starts something is not here: pages trigger DAGs through Airflow's public API, with the user's rights.
"""

from typing import Annotated, Any

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import FastAPI, HTTPException, Query

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.overview import Order
from endpoint_deploy.ui import release_views, views
from endpoint_deploy.ui.airflow_side import may, readable
from endpoint_deploy.ui.catalog import Catalog
from endpoint_deploy.ui.service import RECORDS, Service
from endpoint_deploy.ui.traffic import SpanName
from endpoint_deploy.ui.traffic_views import traffic_of_live, traffic_of_one

_MOST_SHOWN = 100  # deployments of one page
application = FastAPI(title="Endpoints", docs_url=None, redoc_url=None, openapi_url=None)
_catalog = Catalog()
_service = Service()


def prepare() -> None:
    """Read the specs, and begin with what the first page asks of AWS."""
    _service.prepare(_catalog.deployments().values())


@application.get("/endpoints")
def endpoints(  # noqa: PLR0917  FastAPI passes them by name
    user: GetUserDep,
    search: Annotated[str, Query(max_length=200)] = "",
    state: Annotated[str, Query(max_length=40)] = "",
    order: Order = "attention",
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST_SHOWN)] = 25,
) -> dict[str, Any]:
    """Every deployment that the user may see, a page at a time."""
    allowed = readable(user)
    mine = [each for each in _catalog.deployments().values() if _deploy_dag(each) in allowed]
    return views.overview(
        _service,
        mine,
        user=user,
        allowed=allowed,
        search=search,
        state=state,
        order=order,
        offset=offset,
        limit=limit,
    )


@application.get("/traffic")
def traffic(
    user: GetUserDep, deployment: Annotated[list[str], Query(max_length=_MOST_SHOWN)]
) -> dict[str, Any]:
    """What the live variants of some deployments have had in the last hour; of others nothing is said."""
    allowed = readable(user)
    known = _catalog.deployments()
    mine = [known[key] for key in dict.fromkeys(deployment) if key in known]
    return traffic_of_live(_service, [each for each in mine if _deploy_dag(each) in allowed])


@application.get("/endpoints/{key}/traffic")
def traffic_of_endpoint(user: GetUserDep, key: str, span: SpanName = "hour") -> dict[str, Any]:
    """What one deployment's clients have had."""
    return traffic_of_one(_service, _readable(key, user, readable(user)), span)


@application.get("/endpoints/{key}")
def endpoint(
    user: GetUserDep, key: str, limit: Annotated[int, Query(ge=1, le=200)] = RECORDS
) -> dict[str, Any]:
    """One deployment, with its newest records."""
    allowed = readable(user)
    deployment = _readable(key, user, allowed)
    others = _catalog.deployments().values()
    return views.one(_service, deployment, others, user=user, allowed=allowed, limit=limit)


@application.get("/releases/{key}/{sequence}")
def release(
    user: GetUserDep, key: str, sequence: int, compared_with: Annotated[int | None, Query(ge=1)] = None
) -> dict[str, Any]:
    """One record of the ledger, and what tells it from another one."""
    deployment = _readable(key, user, readable(user))
    found = release_views.release(_service, deployment, sequence, user=user, other=compared_with)
    if found is None:
        raise HTTPException(404, f"the ledger of {key} has no release {sequence}")
    return found


def _readable(key: str, user: Any, allowed: set[str]) -> Deployment:
    """The deployment; 404 also where the user may not see it, which tells nobody that it exists."""
    deployment = _catalog.deployments().get(key)
    if deployment is None or _deploy_dag(deployment) not in allowed:
        raise HTTPException(404, f"no deployment {key} that you may see")
    if not may(user, "GET", DagAccessEntity.RUN, _deploy_dag(deployment)):
        raise HTTPException(403, f"the runs of {_deploy_dag(deployment)} are not yours to see")
    return deployment


def _deploy_dag(deployment: Deployment) -> str:
    return f"deploy__{deployment.key}"

"""From the directory of specs to the DAGs of one kind, as a DAG file's globals."""

from collections.abc import Callable

from airflow.sdk import DAG, get_parsing_context

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.dag_builders.specs import deployments


def dags_of(kind: str, build: Callable[[Deployment], DAG | None]) -> dict[str, DAG]:
    """One DAG per deployment that has one of the kind, by DAG id; for a task run only its own."""
    wanted = get_parsing_context().dag_id
    if wanted is not None and not wanted.startswith(f"{kind}__"):
        return {}
    key = wanted.removeprefix(f"{kind}__") if wanted else None
    return {dag.dag_id: dag for dag in map(build, deployments(key)) if dag is not None}

"""One rollback DAG per deployment in include/deployments (Airflow reads files that name airflow and dag)."""

from endpoint_deploy.dag_builders.factory import dags_of
from endpoint_deploy.dag_builders.rollback import build_rollback_dag

globals().update(dags_of("rollback", build_rollback_dag))

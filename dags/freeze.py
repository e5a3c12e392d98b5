"""One freeze DAG per deployment in include/deployments (Airflow reads files that name airflow and dag)."""

from endpoint_deploy.dag_builders.factory import dags_of
from endpoint_deploy.dag_builders.freeze import build_freeze_dag

globals().update(dags_of("freeze", build_freeze_dag))

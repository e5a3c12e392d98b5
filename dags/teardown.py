"""One teardown DAG per deployment in include/deployments (Airflow reads files that name airflow and dag)."""

from endpoint_deploy.dag_builders.factory import dags_of
from endpoint_deploy.dag_builders.teardown import build_teardown_dag

globals().update(dags_of("teardown", build_teardown_dag))

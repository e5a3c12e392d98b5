"""One sentinel DAG per deployment with a retention (Airflow reads files that name airflow and dag)."""

from endpoint_deploy.dag_builders.factory import dags_of
from endpoint_deploy.dag_builders.sentinel import build_sentinel_dag

globals().update(dags_of("sentinel", build_sentinel_dag))

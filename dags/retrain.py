"""One retrain DAG per deployment with a `retrain` section (Airflow reads files that name airflow and dag)."""

from endpoint_deploy.dag_builders.factory import dags_of
from endpoint_deploy.dag_builders.retrain import build_retrain_dag

globals().update(dags_of("retrain", build_retrain_dag))

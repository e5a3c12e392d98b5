"""One batch transform DAG per deployment with the section (Airflow reads files that name airflow and dag)."""

from endpoint_deploy.dag_builders.batch_transform import build_batch_transform_dag
from endpoint_deploy.dag_builders.factory import dags_of

globals().update(dags_of("batch_transform", build_batch_transform_dag))

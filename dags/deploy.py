"""One deploy DAG per deployment in include/deployments (Airflow reads files that name airflow and dag)."""

from endpoint_deploy.dag_builders.deploy import build_deploy_dag
from endpoint_deploy.dag_builders.factory import dags_of

globals().update(dags_of("deploy", build_deploy_dag))
